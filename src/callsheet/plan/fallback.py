"""The fallback: what a call gives when it failed through no fault of its caller."""

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
"""The way, the service, or we: nothing that another argument would have mended."""
Stand = Callable[[APIError], Any]


def may_fall_back(error: APIError) -> bool:
    """Whether an error is one that a fallback stands in for: what would fail again for the same reason is not."""
    if isinstance(error, ResponseError) and error.meaning in ("transient", "rate_limited"):
        return True
    return isinstance(error, NOT_THE_CALLERS)


def fallback_of(settings: Fallback, returns: Returns) -> Stand:
    """What makes the result of an error. Raises SheetError for a value that is none, or a function that cannot be used."""
    if settings.python is not None:
        return _Function(settings.python, settings.where)
    try:
        content = dumps(settings.value)
    except ValueError as error:
        raise SheetError(f"{settings.where}: `fallback.value` has no JSON form: {error}") from None
    return _Value(content, _decoder(settings, content, returns))


def _decoder(settings: Fallback, content: bytes, returns: Returns) -> Callable[[bytes], Any]:
    """What reads the value as the declared type; of several, the first that it fits."""
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


class _Value:
    """Gives a value, made anew for each call."""

    def __init__(self, content: bytes, decode: Callable[[bytes], Any]) -> None:
        self._content = content
        self._decode = decode

    def __call__(self, error: APIError) -> Any:
        return self._decode(self._content)


class _Function:
    """Calls a plain function with the error."""

    def __init__(self, function: str | Callable[..., Any], where: str) -> None:
        self._function: Any = imported(function, where) if isinstance(function, str) else function
        self._name = function if isinstance(function, str) else getattr(function, "__qualname__", repr(function))
        problem = _problem(self._function)
        if problem:
            raise SheetError(f"{where}: `fallback.python`: `{self._name}` {problem}")

    def __call__(self, error: APIError) -> Any:
        try:
            result = self._function(error)
        except Exception as raised:
            if raised is error:
                raise
            message = f"the fallback `{self._name}` raised {type(raised).__name__}: {raised}"
            raise UsageError(message) from raised
        return result


def _problem(function: Any) -> str:
    """Why it cannot be called with an error; "" if it can."""
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
