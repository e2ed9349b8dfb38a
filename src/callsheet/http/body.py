"""What a request carries."""

from __future__ import annotations

from typing import Protocol


class Body(Protocol):
    """The port that every body of a request fills.

    `content` is the whole of it, if it is in memory; `is_replayable` says whether a further attempt can send it again.
    """

    @property
    def content(self) -> bytes | None:
        """The bytes, or None if they come as they are read."""

    @property
    def content_type(self) -> str | None:
        """The media type the body says of itself, or None."""

    @property
    def is_replayable(self) -> bool:
        """Whether the body can be sent a second time."""


class Content:
    """A body that is bytes in memory."""

    __slots__ = ("content", "content_type")
    is_replayable = True

    def __init__(self, content: bytes, content_type: str | None = None) -> None:
        self.content = content
        self.content_type = content_type

    def __repr__(self) -> str:
        return f"<{len(self.content)} bytes of {self.content_type or 'unnamed type'}>"
