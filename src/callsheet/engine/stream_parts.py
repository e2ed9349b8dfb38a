"""What a streamed body is made of: lines, JSON documents one per line, server-sent events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, TypeVar

from callsheet.errors import DecodeError, ResponseTooLarge
from callsheet.http.charset import MARK
from callsheet.http.response import Response
from callsheet.values.lines import BYTES_AS_TEXT, LineSplitter, TooLongError
from callsheet.values.sse import EventParser, ServerSentEvent

Part_co = TypeVar("Part_co", covariant=True)
EVENT_STREAM = "text/event-stream"


class StreamParts(Protocol[Part_co]):
    """Splits a body, which comes in pieces, into its parts."""

    def of(self, piece: bytes) -> Iterator[Part_co]:
        """The parts that `piece` completes; b"" stands for the end of the body, and completes the last part."""


class Lines:
    """The lines of a text, in the charset that the answer names, without a byte order mark; with it where a charset is given."""

    def __init__(self, response: Response, encoding: str | None = None) -> None:
        self._response = response
        self._splitter = LineSplitter(encoding or response.encoding)
        self._is_first = encoding is None

    def of(self, piece: bytes) -> Iterator[str]:
        """The lines that `piece` completes. Raises ResponseTooLarge."""
        try:
            lines = self._splitter.feed(piece) if piece else self._splitter.end()
        except TooLongError as error:
            raise too_large(self._response, error) from None
        if lines and self._is_first:
            self._is_first = False
            lines[0] = lines[0].removeprefix(MARK)
        return iter(lines)


class JSONLines:
    """The values of a body that has one JSON document per line; empty lines are none."""

    def __init__(self, response: Response) -> None:
        self._response = response
        # Text that was decoded with replacements would hide bytes that are no UTF-8.
        self._lines = Lines(response, BYTES_AS_TEXT)
        self._number = 0

    def of(self, piece: bytes) -> Iterator[Any]:
        """The values that `piece` completes. Raises DecodeError with the number of the line."""
        for line in self._lines.of(piece):
            self._number += 1
            if line.strip():
                yield self._response.json_line(line.encode(BYTES_AS_TEXT), self._number)


class Events:
    """Server-sent events, by WHATWG's rules."""

    def __init__(self, response: Response) -> None:
        self._response = response
        self._lines = Lines(response, "utf-8")
        self.parser = EventParser()

    def of(self, piece: bytes) -> Iterator[ServerSentEvent]:
        """The events that `piece` completes; one that the body breaks off in is dropped."""
        for line in self._lines.of(piece):
            try:
                event = self.parser.feed(line)
            except TooLongError as error:
                raise too_large(self._response, error) from None
            if event is not None:
                yield event

    def refusal(self) -> DecodeError | None:
        """The error for a Content-Type that is no event stream's (WHATWG HTML 9.2.2); None for 204, which has no body."""
        found = self._response.field(b"content-type") or ""
        if self._response.status_code == 204 or found.partition(";")[0].strip().lower() == EVENT_STREAM:
            return None
        named = self._response.masked(found)[:200] or "no Content-Type"
        message = f"{self._response.status_code}: expected {EVENT_STREAM}, found {named}"
        return DecodeError(message, **self._response.facts())


def too_large(response: Response, error: TooLongError) -> ResponseTooLarge:
    """The error for a line or event that would fill the memory."""
    return ResponseTooLarge(f"{response.status_code}: {error}; read it by `iter_bytes`", **response.facts())
