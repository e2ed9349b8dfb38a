"""Server-sent events (WHATWG HTML 9.2.6)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event: `event` is its type, `data` its text, `id` the last event id seen so far, `retry` in seconds."""

    event: str = "message"
    data: str = ""
    id: str = ""
    retry: float | None = None


class EventParser:
    """Makes events of a stream's lines. `last_event_id` and `retry` outlast the event that set them."""

    def __init__(self) -> None:
        self.last_event_id = ""
        self.retry: float | None = None
        self._type = ""
        self._data: list[str] = []
        self._id_buffer = ""
        self._is_first_line = True

    def feed(self, line: str) -> ServerSentEvent | None:
        """The event that this line completes, if any."""
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
            self._data.append(value)
        elif name == "id" and "\0" not in value:
            self._id_buffer = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry = int(value) / 1000

    def _dispatch(self) -> ServerSentEvent | None:
        self.last_event_id = self._id_buffer
        event_type, data = self._type, self._data
        self._type, self._data = "", []
        if not data:
            return None
        return ServerSentEvent(event_type or "message", "\n".join(data), self.last_event_id, self.retry)
