"""The decorator for public coroutine functions; see `bare_frames.py` for why, and for that of plain ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from callsheet.bare_frames import bare
from callsheet.errors import UsageError

P = ParamSpec("P")
T = TypeVar("T")
NO_TASK = (
    "AsyncClient needs asyncio, on its own loop or uvloop's, and this code runs in no asyncio task; "
    "under trio use Client in a thread: await trio.to_thread.run_sync(...)"
)


def bared_coroutine(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Decorate a public coroutine function as `bared` does a plain one. It raises UsageError where asyncio does not run it."""

    @wraps(function)
    async def outer(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            check_task()
            return await function(*args, **kwargs)
        except BaseException as error:
            del args, kwargs
            bare(error)
            raise

    return outer


def check_task() -> None:
    """Raise UsageError unless a task of asyncio is running: another library's loop cannot wait for what we wait for."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no loop of asyncio runs
        task = None
    if task is None:
        raise UsageError(NO_TASK)
