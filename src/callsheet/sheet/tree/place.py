"""The place of a value on the sheet, and how messages show its line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from callsheet.secret import MASK
from callsheet.sheet.tree.masks import hidden_by_words, hidden_in_urls

LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
WIDEST_EXCERPT = 140
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Place:
    """A piece of a file (`line` and `column` count from 1), or a path into Python data (`line` is 0)."""

    name: str
    line: int = 0
    column: int = 0
    length: int = 1
    source: SheetText | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        return f"{self.name}:{self.line}:{self.column}" if self.line else self.name


class SheetText:
    """The text of a sheet. It makes places, and excerpts in which credentials are masked."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.lines = LINE_BREAK.split(text)
        self.is_composed = False
        self._hidden: dict[int, set[Span]] = {}

    def __repr__(self) -> str:
        return f"SheetText({self.name!r})"

    def place(self, start: tuple[int, int], end: tuple[int, int]) -> Place:
        """The place between two marks (line and column, from 0), on its first line."""
        line, column = start
        last = end[1] if end[0] == line else len(self.line(line + 1).rstrip())
        return Place(self.name, line + 1, column + 1, max(1, last - column), self)

    def line(self, number: int) -> str:
        """The text of a line; empty past the end."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def hide(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Mask the text between two marks in every excerpt."""
        for number in range(start[0], end[0] + 1):
            text = self.line(number + 1)
            first = start[1] if number == start[0] else len(text) - len(text.lstrip())
            last = end[1] if number == end[0] else len(text.rstrip())
            if last > first:
                self._hidden.setdefault(number + 1, set()).add((first, last))

    def excerpt(self, place: Place, hint: str = "") -> str:
        """The line of a place, a caret line under it and the hint."""
        text = self.line(place.line)
        spans = self._hidden.get(place.line, set()) | set(hidden_in_urls(text))
        if not self.is_composed:
            spans |= set(hidden_by_words(self.lines, place.line - 1))
        text, column, length = _masked(text, _joined(spans), place.column - 1, place.length)
        text, column = _window(_printable(text), column)
        length = max(1, min(length, len(text) - column))
        caret = f"      | {' ' * column}{'^' * length} {hint}".rstrip()
        return f"{place.line:>5} | {text}\n{caret}"


def _joined(spans: set[Span]) -> list[Span]:
    joined: list[Span] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return joined


def _masked(text: str, spans: list[Span], column: int, length: int) -> tuple[str, int, int]:
    shown, at, caret, end = "", 0, column, column + length
    for first, last in spans:
        shift = len(MASK) - (last - first)
        shown += text[at:first] + MASK
        at = last
        if first <= column < last:
            caret, length = len(shown) - len(MASK), len(MASK)
        elif last <= column:
            caret += shift
        elif first < end:
            length += shift
    return shown + text[at:], caret, length


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " if c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _window(text: str, column: int) -> tuple[str, int]:
    if len(text) <= WIDEST_EXCERPT:
        return text, column
    first = max(0, column - WIDEST_EXCERPT // 2)
    cut = text[first : first + WIDEST_EXCERPT]
    head = "..." if first else ""
    tail = "..." if first + WIDEST_EXCERPT < len(text) else ""
    return head + cut + tail, column - first + len(head)
