"""Errors whose tracebacks show the lines they came through, but not the local variables of our frames.

Sentry, rich, `pytest --showlocals` and `traceback.TracebackException(capture_locals=True)` show the locals of every frame. On
the way to the wire those are, among harmless things, tokens, signatures and bodies. A frame that has ended keeps its locals
for the traceback alone, so they can be cleared: files and line numbers stay, and nothing is kept alive by an error.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import ParamSpec, TypeVar

from callsheet.errors import APIError

P = ParamSpec("P")
T = TypeVar("T")

OURS = "callsheet"
BELOW = sys.stdlib_module_names | {
    "botocore", "cryptography", "http_message_signatures", "jwt", "pycurl", "pydantic", "pydantic_core", "redis", "yaml",
}  # fmt: skip
"""Libraries that we call, whose frames may hold what they were given. A user's own frames are not touched."""
SUSPENDABLE = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
LONGEST_CHAIN = 50


def bared(function: Callable[P, T]) -> Callable[P, T]:
    """Decorate a public function: what it raises keeps neither its arguments nor any locals of ours."""

    @wraps(function)
    def outer(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            del args, kwargs
            bare(error)
            raise

    return outer


def bare(error: BaseException) -> None:
    """Clear the locals of every frame of ours that the error, its causes and contexts have passed.

    Of an APIError, those of what we called, too: pydantic, PyJWT, a store's client. A context that is not shown
    (`raise ... from None`) is cut off: its arguments may hold what was being read, as those of UnicodeEncodeError do.
    """
    seen: set[int] = set()
    chain: list[BaseException | None] = [error]
    while chain and len(seen) < LONGEST_CHAIN:
        each = chain.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        is_told = isinstance(each, APIError)
        if is_told and each.__suppress_context__ and each.__context__ is not each.__cause__:
            each.__context__ = None
        _clear(each.__traceback__, below=is_told)
        chain += (each.__cause__, each.__context__)
        if isinstance(each, BaseExceptionGroup):
            chain += each.exceptions


def _clear(at: TracebackType | None, *, below: bool) -> None:
    is_below = False
    while at is not None:
        frame = at.tb_frame
        room = frame.f_globals.get("__name__", "").partition(".")[0]
        is_ours = room == OURS
        is_below = is_below or (is_ours and below)
        # To clear a suspended frame would end it. Ours drop the traceback of an error after which they go on.
        may_clear = is_below and room in BELOW and not frame.f_code.co_flags & SUSPENDABLE
        if is_ours or may_clear:
            try:
                frame.clear()
            except RuntimeError:
                pass  # it still runs, and the code in it that catches the error clears what it holds
        at = at.tb_next
