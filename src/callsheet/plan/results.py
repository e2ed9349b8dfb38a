"""Readers: an answer below 400 to its declared type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from callsheet.errors import DecodeError, Redirected, ValidationError
from callsheet.http.json import without_mark
from callsheet.http.response import Response
from callsheet.values.codec import Codec, Mismatch, codec_for
from callsheet.values.typeref import TypeRef

Read = Callable[[Response], Any]


def reader_for(returns: TypeRef | Mapping[int | str, TypeRef | None] | None) -> Read:
    """What makes the result of an answer: the declared type; without one, the Response itself."""
    if returns is None:
        return _as_it_is
    if isinstance(returns, TypeRef):
        return TypedReader(codec_for(returns))
    return StatusReader({str(status): _reader(ref) for status, ref in returns.items()})


def _reader(ref: TypeRef | None) -> TypedReader | None:
    return None if ref is None else TypedReader(codec_for(ref))


def _as_it_is(response: Response) -> Response:
    return response


class TypedReader:
    """Reads one declared type; an answer that has no body by its status (204, 205) or method (HEAD) is None."""

    def __init__(self, codec: Codec) -> None:
        self._decode = codec.decode

    def __call__(self, response: Response) -> Any:
        """The typed result. Raises Redirected for a 3xx, DecodeError, ValidationError."""
        if response.status_code >= 300:
            raise _redirected(response)
        return self.value(response)

    def value(self, response: Response) -> Any:
        """The typed result, whatever the status. Raises DecodeError, ValidationError."""
        content = without_mark(response.content)
        if not content and (response.status_code in (204, 205) or response.request.method == "HEAD"):
            return None
        try:
            return self._decode(content)
        except Mismatch as mismatch:
            raise _error(response, mismatch) from None


class StatusReader:
    """Chooses by status: the exact one, its class (`2xx`), `default`; a status declared null is None.

    A status that is not declared gives the Response, but for a 3xx: that is no result.
    """

    def __init__(self, readers: Mapping[str, TypedReader | None]) -> None:
        self._readers = readers

    def __call__(self, response: Response) -> Any:
        """What the status says. Raises Redirected for an undeclared 3xx, DecodeError, ValidationError."""
        status = str(response.status_code)
        is_redirect = response.status_code >= 300
        for key in (status, f"{status[0]}xx", "default"):
            if key in self._readers and not (is_redirect and key == "default"):
                reader = self._readers[key]
                return None if reader is None else reader.value(response)
        if is_redirect:
            raise _redirected(response)
        return response


def _redirected(response: Response) -> Redirected:
    return Redirected(f"{response.summary()}, where a typed result is declared", **response.facts())


def _error(response: Response, mismatch: Mismatch) -> DecodeError | ValidationError:
    if mismatch.is_not_json:
        return response.not_json(mismatch.errors[0]["msg"].removeprefix("Invalid JSON: "))
    message = f"{response.status_code}: the answer is not of the declared type: {response.masked(str(mismatch))}"
    return ValidationError(message, errors=mismatch.errors, **response.facts())
