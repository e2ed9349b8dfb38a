"""What binders put a request together from."""

from __future__ import annotations

from typing import Any

from callsheet.secret import Secret


class RequestParts:
    """A request being put together."""

    __slots__ = ("headers", "problems", "query", "secrets", "segments", "shown_query", "shown_segments")

    def __init__(self) -> None:
        self.segments: dict[str, str] = {}
        self.shown_segments: dict[str, str] = {}
        self.query: list[str] = []
        self.shown_query: list[str] = []
        self.headers: list[tuple[str, str | Secret]] = []
        self.secrets: list[Secret] = []
        self.problems: list[str] = []


def found_value(value: Any) -> str:
    """The value, short enough for a message."""
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
