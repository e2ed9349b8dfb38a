"""The decorator for public coroutine functions; see `bare_frames.py` for why, and for that of plain ones."""

from __future__ import annotations

from asyncio import _get_running_loop
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from callsheet.bare_frames import bare
from callsheet.errors import UsageError

P = ParamSpec("P")
T = TypeVar("T")
NO_ASYNCIO = (
    "AsyncClient needs asyncio, on its own loop or uvloop's, and no such loop runs here; "
    "under trio use Client in a thread: await trio.to_thread.run_sync(...)"
)


def bared_coroutine(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Decorate a public coroutine function as `bared` does a plain one. It raises UsageError where no asyncio loop runs it."""

    @wraps(function)
    async def outer(*args: P.args, **kwargs: P.kwargs) -> T:
        if _get_running_loop() is None:
            del args, kwargs
            raise UsageError(NO_ASYNCIO)
        try:
            return await function(*args, **kwargs)
        except BaseException as error:
            del args, kwargs
            bare(error)
            raise

    return outer
