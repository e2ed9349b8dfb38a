"""Readers: an answer below 400 to its declared type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from callsheet.errors import DecodeError, Redirected, ValidationError
from callsheet.http.response import Response
from callsheet.values.codec import Codec, Mismatch, codec_for
from callsheet.values.typeref import TypeRef

Read = Callable[[Response], Any]
SHOWN = 200
"""Characters of a body that an error quotes."""


def reader_for(returns: TypeRef | Mapping[int | str, TypeRef | None] | None) -> Read:
    """What makes the result of an answer: the declared type; without one, the Response itself."""
    if returns is None:
        return _as_it_is
    if isinstance(returns, TypeRef):
        return TypedReader(codec_for(returns))
    return StatusReader({str(status): ref and TypedReader(codec_for(ref)) for status, ref in returns.items()})


def _as_it_is(response: Response) -> Response:
    return response


class TypedReader:
    """Reads one declared type; an answer that has no body by its status (204, 205) is None."""

    def __init__(self, codec: Codec) -> None:
        self._decode = codec.decode

    def __call__(self, response: Response) -> Any:
        if response.status_code >= 300:
            raise Redirected(f"{response.summary()}, where a typed result is declared", **response.facts())
        content = response.content
        if not content and response.status_code in (204, 205):
            return None
        try:
            return self._decode(content)
        except Mismatch as mismatch:
            raise _error(response, mismatch) from None


class StatusReader:
    """Chooses by status: the exact one, its class (`2xx`), `default`; a status declared null, or HEAD, is None."""

    def __init__(self, readers: Mapping[str, TypedReader | None]) -> None:
        self._readers = readers

    def __call__(self, response: Response) -> Any:
        status = str(response.status_code)
        for key in (status, f"{status[0]}xx", "default"):
            if key in self._readers:
                reader = self._readers[key]
                return None if reader is None else reader(response)
        return response


def _error(response: Response, mismatch: Mismatch) -> DecodeError | ValidationError:
    if mismatch.is_not_json:
        named = response.field(b"content-type") or "no Content-Type"
        beginning = response.masked(response.text[: SHOWN * 2])[:SHOWN]
        message = f"{response.status_code}: the answer is not JSON ({named}): {beginning!r}"
        return DecodeError(message, **response.facts())
    message = f"{response.status_code}: the answer is not of the declared type: {response.masked(str(mismatch))}"
    return ValidationError(message, errors=mismatch.errors, **response.facts())
