"""The body of a request."""

from __future__ import annotations

from typing import Protocol


class Body(Protocol):
    """The body of a request: in memory, or a ReadBody that is read while it is sent."""

    @property
    def content(self) -> bytes | None:
        """All of its bytes; None for a ReadBody."""

    @property
    def content_type(self) -> str | None:
        """The media type of the body itself, sent as Content-Type; None if it has none."""

    @property
    def is_replayable(self) -> bool:
        """Whether a further attempt can send it again."""


class Content:
    """A body that is bytes in memory."""

    __slots__ = ("content", "content_type")
    is_replayable = True

    def __init__(self, content: bytes, content_type: str | None = None) -> None:
        self.content = content
        self.content_type = content_type

    def __repr__(self) -> str:
        return f"<{len(self.content)} bytes of {self.content_type or 'unnamed type'}>"
