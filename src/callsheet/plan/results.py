"""Readers: each makes the result of a call, of its declared type, from a successful answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, get_args, get_origin

from callsheet.errors import APIError, DecodeError, Redirected, ValidationError
from callsheet.http.json import dumps, without_mark
from callsheet.http.json_path import MISSING
from callsheet.http.response import Response
from callsheet.plan.fallback import fallback_of
from callsheet.settings.pages import Paginate
from callsheet.settings.settings import Settings
from callsheet.sheet.words.operation import Operation
from callsheet.values.codec import Codec, codec_for, listed_in
from callsheet.values.envelope import Envelope
from callsheet.values.mismatch import Mismatch
from callsheet.values.page_items import PageReader, list_codec
from callsheet.values.typeref import Returns, TypeRef

Read = Callable[[Response], Any]


class Results(NamedTuple):
    """The functions that make results of a success, of a failure that an error rule ignores, and of an error (fallback)."""

    read: Read
    read_ignored: Read
    fallback: Callable[[APIError], Any] | None = None


def results_of(operation: Operation, settings: Settings) -> Results:
    """The functions for an operation. Raises SheetError for types and fallbacks that cannot be imported or built."""
    envelope = None if settings.envelope is None else Envelope(settings.envelope)
    returns = operation.returns
    if settings.paginate is not None and "paginate" in operation.layer and returns is not None:
        return _results_of_pages(operation, settings, settings.paginate)
    is_typed = not operation.stream and (returns is not None or envelope is not None)
    fallback = fallback_of(settings.fallback, returns) if is_typed and settings.fallback else None
    return Results(reader_for(returns, envelope), ignored_reader_for(returns, envelope), fallback)


def _results_of_pages(operation: Operation, settings: Settings, paginate: Paginate) -> Results:
    """The functions of an operation whose `returns` is the type of one item: a call gives the items of one page."""
    items, other = page_reader(operation, settings, paginate).items, reader_for(operation.returns)

    def read(response: Response) -> Any:
        return items(response) if response.status_code < 300 else other(response)

    fallback = fallback_of(settings.fallback, None) if settings.fallback else None
    return Results(read, ignored_reader_for(operation.returns), fallback)


def page_reader(operation: Operation, settings: Settings, paginate: Paginate) -> PageReader:
    """The reader of the pages of an operation. Raises SheetError for a type that cannot be imported or validated."""
    ref = _type_of_item(operation.returns, is_own="paginate" in operation.layer)
    data = settings.envelope.data if settings.envelope else None
    return PageReader(paginate, None if ref is None else list_codec(ref), data)


def _type_of_item(returns: Returns, *, is_own: bool) -> TypeRef | None:
    """The type of one item. Where the operation itself paginates that is what it returns, else the element of a list."""
    if isinstance(returns, Mapping):
        by_status = {str(status): ref for status, ref in returns.items()}
        success = [key for key in ("200", "2xx", *by_status, "default") if key in by_status and key[0] in "2d"]
        returns = by_status[success[0]] if success else None
    if is_own or returns is None:
        return returns
    if returns.kind == "json_schema":
        items = returns.value.get("items") if returns.value.get("type") == "array" else None
        return replace(returns, value=items) if isinstance(items, Mapping) else None
    if returns.kind == "python":
        inner = get_args(returns.value) if get_origin(returns.value) is list else ()
        return replace(returns, value=inner[0]) if inner else None
    listed = listed_in(returns.value) if returns.kind == "import" else ""
    return replace(returns, value=listed) if listed else None


def reader_for(returns: Returns, envelope: Envelope | None = None) -> Read:
    """The reader for the declared result: of the data in the envelope if there is one, else of the body.

    Without a declared type the result is the envelope's data as plain Python, or the Response itself without an envelope.
    """
    if returns is None:
        return _as_it_is if envelope is None else DataReader(envelope)
    if isinstance(returns, TypeRef):
        return _reader(returns, envelope)
    readers = {str(status): None if ref is None else _reader(ref, envelope) for status, ref in returns.items()}
    return StatusReader(readers)


def ignored_reader_for(returns: Returns, envelope: Envelope | None = None) -> Read:
    """The reader for a failure that an error rule ignores: its result is None, unless its status has a declared type."""
    if returns is None and envelope is None:
        return _as_it_is
    reader = reader_for(returns, envelope)
    return reader.ignored if isinstance(reader, StatusReader) else nothing


def _reader(ref: TypeRef, envelope: Envelope | None) -> TypedReader:
    codec = codec_for(ref)
    return TypedReader(codec) if envelope is None else EnvelopeReader(codec, envelope)


def _as_it_is(response: Response) -> Response:
    return response


def nothing(response: Response) -> None:
    """None, for an answer that has no result."""


AS_IT_IS = Results(_as_it_is, _as_it_is)
"""The functions for undeclared requests: every result is the Response."""


class TypedReader:
    """Reads one declared type. The result of an answer without body by its status (204, 205) or method (HEAD) is None."""

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
        if not content and has_no_body(response):
            return None
        if response.left_coded:
            response.check_decoded()
        try:
            return self._decode(content)
        except Mismatch as mismatch:
            raise _error(response, mismatch) from None


class EnvelopeReader(TypedReader):
    """Reads one declared type from the data of an envelope. Only a 2xx has an envelope; other answers are read as a whole."""

    def __init__(self, codec: Codec, envelope: Envelope) -> None:
        super().__init__(codec)
        self._envelope = envelope

    def value(self, response: Response) -> Any:
        """The typed result. Raises DecodeError, ValidationError."""
        if not 200 <= response.status_code < 300 or (not response.content and has_no_body(response)):
            return super().value(response)
        data = self._envelope.opened(response)
        try:
            # Encoded again, because codecs read JSON text; so a type accepts the same values within an envelope and without.
            return self._decode(dumps(None if data is MISSING else data))
        except Mismatch as mismatch:
            raise _error(response, mismatch.under(self._envelope.data_at)) from None


class DataReader:
    """Gives an envelope's data as plain Python; None if it has none."""

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope

    def __call__(self, response: Response) -> Any:
        """The data. Raises Redirected for a 3xx, DecodeError, ValidationError."""
        if response.status_code >= 300:
            raise _redirected(response)
        if not response.content and has_no_body(response):
            return None
        data = self._envelope.opened(response)
        return None if data is MISSING else data


def has_no_body(response: Response) -> bool:
    """Whether an answer has no body by its status or method (RFC 9110 6.4.1)."""
    return response.status_code in (204, 205) or response.request.method == "HEAD"


class StatusReader:
    """Chooses the declared type by status: the exact one, else its class (`2xx`), else `default`. Null gives None.

    For a status that is not declared it gives the Response; for such a 3xx it raises Redirected.
    """

    def __init__(self, readers: Mapping[str, TypedReader | None]) -> None:
        self._readers = readers

    def __call__(self, response: Response) -> Any:
        """The result declared for the status. Raises Redirected for an undeclared 3xx, DecodeError, ValidationError."""
        status = str(response.status_code)
        is_redirect = response.status_code >= 300
        for key in (status, f"{status[0]}xx", "default"):
            if key in self._readers and not (is_redirect and key == "default"):
                reader = self._readers[key]
                return None if reader is None else reader.value(response)
        if is_redirect:
            raise _redirected(response)
        return response

    def ignored(self, response: Response) -> Any:
        """The result of a failure that a rule ignores: of the type declared for its status or class of status, else None."""
        status = str(response.status_code)
        reader = self._readers.get(status) or self._readers.get(f"{status[0]}xx")
        return None if reader is None or response.status_code < 300 else reader.value(response)


def _redirected(response: Response) -> Redirected:
    return Redirected(f"{response.summary()}, where a typed result is declared", **response.facts())


def _error(response: Response, mismatch: Mismatch) -> DecodeError | ValidationError:
    if mismatch.is_not_json:
        return response.not_json(mismatch.errors[0]["msg"].removeprefix("Invalid JSON: "))
    message = f"{response.status_code}: the answer is not of the declared type: {response.masked(str(mismatch))}"
    return ValidationError(message, errors=response.masked_data(mismatch.errors), **response.facts())
