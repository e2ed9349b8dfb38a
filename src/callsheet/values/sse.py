"""Server-sent events (WHATWG HTML 9.2.6)."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

from callsheet.values.lines import KEPT_AS, LONGEST_LINE, TooLongError

MOST_RETRY_DIGITS = 12
"""Digits of `retry`, in milliseconds. A longer number is ignored: no client would wait for so long."""


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One server-sent event: its type (`event`) and its text (`data`).

    `id` is the last event id that the stream has given so far; `retry` is the pause, in seconds, that the service asks for
    before a new connection, or None.
    """

    event: str = "message"
    data: str = ""
    id: str = ""
    retry: float | None = None


class EventParser:
    """Makes events of a stream's lines, which were decoded as UTF-8. `last_event_id` and `retry` hold for later events, too.

    An event that is incomplete when the stream ends is dropped. `longest` bounds the data of one event, in characters.
    """

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self.last_event_id = ""
        self.retry: float | None = None
        self._longest = longest
        self._type = ""
        self._data = BytesIO()
        self._size = 0
        self._id_buffer = ""
        self._is_first_line = True

    def feed(self, line: str) -> ServerSentEvent | None:
        """The event that this line completes, if any. Raises TooLongError."""
        if self._is_first_line:
            self._is_first_line = False
            line = line.removeprefix("\ufeff")
        if not line:
            return self._dispatch()
        if line.startswith(":"):
            return None
        name, _, value = line.partition(":")
        self._take(name, value.removeprefix(" "))
        return None

    def _take(self, name: str, value: str) -> None:
        if name == "event":
            self._type = value
        elif name == "data":
            self._add(value)
        elif name == "id" and "\0" not in value:
            self._id_buffer = value
        elif name == "retry" and value.isascii() and value.isdigit() and len(value) <= MOST_RETRY_DIGITS:
            self.retry = int(value) / 1000

    def _add(self, value: str) -> None:
        self._size += len(value) + 1
        if self._size > self._longest:
            raise TooLongError(f"the data of an event is longer than {self._longest} characters")
        self._data.write(f"{value}\n".encode(*KEPT_AS))

    def _dispatch(self) -> ServerSentEvent | None:
        self.last_event_id = self._id_buffer
        event_type, self._type = self._type, ""
        if not self._size:
            return None
        data, self._data, self._size = self._data.getvalue()[:-1].decode(*KEPT_AS), BytesIO(), 0
        return ServerSentEvent(event_type or "message", data, self.last_event_id, self.retry)
