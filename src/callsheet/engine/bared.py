"""The decorator for public coroutine functions; see `bare_frames.py` for why, and for that of plain ones."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from callsheet.bare_frames import bare

P = ParamSpec("P")
T = TypeVar("T")


def bared_coroutine(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Decorate a public coroutine function as `bared` does a plain one."""

    @wraps(function)
    async def outer(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await function(*args, **kwargs)
        except BaseException as error:
            del args, kwargs
            bare(error)
            raise

    return outer
