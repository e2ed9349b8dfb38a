"""What `stream()` gives: an open answer, read by a thread or by a task."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, Self, TypeVar

from callsheet.bare_frames import bare, bared
from callsheet.engine.bared import bared_coroutine
from callsheet.engine.io import finish
from callsheet.engine.open_answer import OpenAnswer
from callsheet.engine.stream_parts import Events, JSONLines, Lines, StreamParts
from callsheet.errors import APIError
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.values.sse import ServerSentEvent

T = TypeVar("T")


class Streamed:
    """Status and headers of an answer whose body is still to come."""

    def __init__(self, opened: OpenAnswer) -> None:
        self._opened = opened
        self.response: Response = opened.response
        """Status, header fields and the rest of the answer, but not its body."""
        self._events: Events | None = None

    @property
    def status_code(self) -> int:
        """The answer's status."""
        return self.response.status_code

    @property
    def headers(self) -> Headers:
        """The header fields of the answer."""
        return self.response.headers

    @property
    def url(self) -> str:
        """Where the answer comes from; a secret in the query reads `***`."""
        return self.response.url

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        return self.response.ok

    @property
    def request(self) -> Request:
        """The request that was answered, without its body, its secrets masked."""
        return self.response.request

    @property
    def attempts(self) -> int:
        """How many attempts it took to get the answer."""
        return self.response.attempts

    @property
    def last_event_id(self) -> str:
        """The id of the last event that `iter_events` gave, "" if it had none: the `Last-Event-ID` of a request that goes on."""
        return self._events.parser.last_event_id if self._events else ""

    @property
    def reads(self) -> str:
        """What iterating over the answer gives: `bytes`, or `lines`, `json_lines` or `events` as the operation's `stream` says."""
        stream = self._opened.plan.stream
        return stream if isinstance(stream, str) else "bytes"

    def _new_events(self) -> Events:
        self._events = Events(self.response)
        refusal = None if self.reads == "events" else self._events.refusal()
        if refusal is not None:
            raise self._opened.failed(refusal)
        return self._events

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status_code} {self.url}>"


class StreamedResponse(Streamed):
    """An answer whose body is read as it comes, by a thread. Until the body has ended or the answer is closed, by `close` or
    at the end of a `with` block, it holds its connection and its slot. Iterating over it gives its parts, as `reads` says.
    """

    def __iter__(self) -> Iterator[Any]:
        return getattr(self, f"iter_{self.reads}")()  # type: ignore[no-any-return]

    def iter_bytes(self) -> Iterator[bytes]:
        """The body in pieces as they come, decompressed. Raises NoAnswer if it breaks off."""
        while piece := finish(self._opened.next_piece()):
            yield piece
            del piece  # a traceback would show it

    def iter_lines(self) -> Iterator[str]:
        """The lines of the text, without their ends (LF, CR LF or CR), in the charset that the answer names, else UTF-8.

        Raises NoAnswer if the body breaks off, after the lines that were whole; ResponseTooLarge for a line above 10 MiB.
        """
        return self._parts(Lines(self.response))

    def iter_json_lines(self) -> Iterator[Any]:
        """The values of a body with one JSON document per line (JSON Lines, NDJSON); empty lines are skipped.

        Raises DecodeError with the number of a line that is not JSON, after the values before it; NoAnswer.
        """
        return self._parts(JSONLines(self.response))

    def iter_events(self) -> Iterator[ServerSentEvent]:
        """The server-sent events of the body (WHATWG HTML 9.2.6). An event that the body breaks off in is not given.

        Raises DecodeError if the answer is not `text/event-stream`, unless the operation says `stream: events`; NoAnswer if the body breaks off. It does not connect
        again: to go on, make another request with `Last-Event-ID: answer.last_event_id`.
        """
        return self._parts(self._new_events())

    def _parts(self, parts: StreamParts[T]) -> Iterator[T]:
        more = True
        while more:
            piece = b""  # a traceback would show the last one
            piece = finish(self._opened.next_piece(parts))
            more = bool(piece)
            try:
                yield from parts.of(piece)
            except APIError as error:
                told = self._opened.failed(error)
            else:
                continue
            bare(told)
            del piece
            raise told

    @bared
    def read(self) -> bytes:
        """The rest of the body, decompressed. Raises ResponseTooLarge if that is larger than `caps.response`."""
        return finish(self._opened.read())

    def close(self) -> None:
        """Give the connection and the slot back, whatever is left of the body. Closing twice does nothing."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


class AsyncStreamedResponse(Streamed):
    """An answer whose body is read as it comes, by a task. Until the body has ended or the answer is closed, by `aclose` or at
    the end of an `async with` block, it holds its connection and its slot. Iterating over it gives its parts, as `reads` says.
    """

    def __aiter__(self) -> AsyncIterator[Any]:
        return getattr(self, f"iter_{self.reads}")()  # type: ignore[no-any-return]

    async def iter_bytes(self) -> AsyncIterator[bytes]:
        """The body in pieces as they come, decompressed. Raises NoAnswer if it breaks off."""
        while piece := await self._opened.next_piece():
            yield piece
            del piece  # a traceback would show it

    def iter_lines(self) -> AsyncIterator[str]:
        """The lines of the text. See StreamedResponse.iter_lines."""
        return self._parts(Lines(self.response))

    def iter_json_lines(self) -> AsyncIterator[Any]:
        """The values of a body with one JSON document per line. See StreamedResponse.iter_json_lines."""
        return self._parts(JSONLines(self.response))

    def iter_events(self) -> AsyncIterator[ServerSentEvent]:
        """Server-sent events. See StreamedResponse.iter_events."""
        return self._parts(self._new_events())

    async def _parts(self, parts: StreamParts[T]) -> AsyncIterator[T]:
        more = True
        while more:
            piece = b""  # a traceback would show the last one
            piece = await self._opened.next_piece(parts)
            more = bool(piece)
            try:
                for part in parts.of(piece):
                    yield part
                    del part
            except APIError as error:
                told = self._opened.failed(error)
            else:
                continue
            bare(told)
            del piece
            raise told

    @bared_coroutine
    async def read(self) -> bytes:
        """The rest of the body, decompressed. Raises ResponseTooLarge if that is larger than `caps.response`."""
        return await self._opened.read()

    async def aclose(self) -> None:
        """Give the connection and the slot back, whatever is left of the body. Closing twice does nothing."""
        self._opened.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.aclose()
