"""Waits for a future with a time limit."""

from __future__ import annotations

import asyncio
from typing import Any


async def within(future: asyncio.Future[Any], seconds: float | None) -> Any:
    """The result of the future, which is set to False after `seconds`. None: no limit.

    `asyncio.wait_for` of Python 3.11 may swallow a cancellation that comes together with the result; this does not.
    """
    if seconds is None:
        return await future
    timer = future.get_loop().call_later(seconds, _give_up, future)
    try:
        return await future
    finally:
        timer.cancel()


def _give_up(future: asyncio.Future[Any]) -> None:
    if not future.done():
        future.set_result(False)
