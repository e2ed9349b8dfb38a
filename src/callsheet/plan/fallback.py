"""The fallback: the result of a call that failed through no fault of its caller."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from callsheet.errors import (
    APIError,
    AuthError,
    RateLimited,
    Refused,
    ResponseError,
    ServerError,
    SheetError,
    TransportError,
    UsageError,
)
from callsheet.http.json import dumps, loads
from callsheet.settings.fallback import Fallback
from callsheet.values.codec import codec_for, imported
from callsheet.values.mismatch import Mismatch
from callsheet.values.typeref import Returns, TypeRef

NOT_THE_CALLERS = (TransportError, ServerError, RateLimited, AuthError, Refused)
"""Errors of the network, the service or our own limits: no other argument of the caller would have prevented them."""
Stand = Callable[[APIError], Any]


def may_fall_back(error: APIError) -> bool:
    """Whether a fallback replaces this error: not if the caller must change the call, which would fail again as it is."""
    if isinstance(error, ResponseError) and error.meaning in ("transient", "rate_limited"):
        return True
    return isinstance(error, NOT_THE_CALLERS)


def fallback_of(settings: Fallback, returns: Returns) -> Stand:
    """The function that makes a result of an error. Raises SheetError for a value or a function that cannot be used."""
    if settings.python is not None:
        return _calling(settings.python, settings.where)
    try:
        content = dumps(settings.value)
    except ValueError as error:
        raise SheetError(f"{settings.where}: `fallback.value` has no JSON form: {error}") from None
    decode = _decoder(settings, content, returns)
    return lambda error: decode(content)  # decoded for each call, so that no two share a value


def _decoder(settings: Fallback, content: bytes, returns: Returns) -> Callable[[bytes], Any]:
    """The function that decodes the value as the declared type, or as the first of several that it fits."""
    declared = list(returns.values()) if isinstance(returns, Mapping) else [returns]
    problem = ""
    for ref in declared:
        if ref is None and (settings.value is None or not isinstance(returns, Mapping)):
            return loads
        if isinstance(ref, TypeRef):
            decode = codec_for(ref).decode
            try:
                decode(content)
            except Mismatch as mismatch:
                problem = problem or str(mismatch)
            else:
                return decode
    raise SheetError(f"{settings.where}: `fallback.value` is not of the type that `returns` declares: {problem}")


def _calling(written: str | Callable[..., Any], where: str) -> Stand:
    """What calls the user's function with the error. Raises SheetError for a function that cannot be used."""
    function: Any = imported(written, where) if isinstance(written, str) else written
    name = written if isinstance(written, str) else getattr(written, "__qualname__", repr(written))
    problem = _problem(function)
    if problem:
        raise SheetError(f"{where}: `fallback.python`: `{name}` {problem}")

    def stand(error: APIError) -> Any:
        """The result of the function. Raises UsageError for what it raises, unless that is the error itself."""
        try:
            return function(error)
        except Exception as raised:
            if raised is error:
                raise
            raise UsageError(f"the fallback `{name}` raised {type(raised).__name__}: {raised}") from raised

    return stand


def _problem(function: Any) -> str:
    """Why a function cannot be called with an error; "" if it can."""
    if not callable(function):
        return f"is no function but {type(function).__name__}"
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__):
        return "is a coroutine function; write a plain one, which serves both clients and must not wait"
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return "cannot be called with one argument, the error"
    except ValueError:  # a builtin that does not tell what it takes
        pass
    return ""
