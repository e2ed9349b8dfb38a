"""Lays out the parts of an explanation for a person: settings, pipeline and worst case, in 80 columns or fewer."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from callsheet.explain.setting import Setting
from callsheet.explain.worst_case import WorstCase
from callsheet.explain.worst_case_text import sentences
from callsheet.plan.order import PipelineStep

WIDTH = 80
NARROW = 72
"""Columns below which reasons and origins stand on lines of their own."""
WIDEST_VALUE = 28
"""The origin of a setting whose value is longer is moved to the right, or to a line below."""
Tone = Literal["heading", "strong", "plain", "quiet"]


class TextLine(NamedTuple):
    """One line of text, and how it is highlighted on a screen with colours."""

    text: str
    tone: Tone = "plain"


def settings_lines(
    settings: Sequence[Setting],
    beside: Sequence[Setting],
    notes: Callable[[Setting], Iterable[TextLine]],
    width: int = WIDTH,
) -> Iterator[TextLine]:
    """The settings in columns, then those of the service that apply in addition. Each is followed by its notes."""
    columns = _Columns((*settings, *beside), width)
    yield TextLine("Settings (* not built-in)", "heading")
    yield from _rows(settings, columns, notes)
    if beside:
        yield TextLine("  and of the service, in addition", "quiet")
        yield from _rows(beside, columns, notes)


def reason_lines(setting: Setting) -> Iterator[TextLine]:
    """What a setting is for, and the reason for its default."""
    return (TextLine(text, "quiet") for text in _wrapped(setting.why, indent=6))


def remark_lines(settings: Iterable[Setting], varied: Sequence[str]) -> Iterator[TextLine]:
    """Which variables are not known here, and which operations have settings of their own; no lines if there are none."""
    unknown = dict.fromkeys(setting.origin.unread for setting in settings if setting.origin.unread)
    if unknown:
        yield TextLine("")
        yield from _paragraph(
            f"Not known here: {'; '.join(unknown)}. The worst case takes the built-in values instead."
        )
    if varied:
        yield TextLine("")
        yield from _paragraph(f"Operations with settings of their own: {', '.join(varied)}")


def pipeline_lines(steps: Sequence[PipelineStep], width: int = WIDTH) -> Iterator[TextLine]:
    """The policies in the order in which they are asked: whether each is on, and the reason for its place."""
    yield TextLine("Pipeline, asked in this order", "heading")
    longest = max((len(step.name) for step in steps), default=0)
    for step in steps:
        tone: Tone = "plain" if step.on else "quiet"
        head = f"  {'on' if step.on else 'off':<3}  {step.name:<{longest}}  {step.asked:<13}  "
        indent = len(head) if width >= NARROW else 7
        reasons = textwrap.wrap(step.why, width - indent) or [""]
        first = head + reasons.pop(0) if width >= NARROW else f"{head[:7]}{step.name}, {step.asked}"
        yield from (TextLine(text.rstrip(), tone) for text in (first, *(" " * indent + rest for rest in reasons)))


def fitted(lines: Iterable[TextLine], width: int) -> Iterator[TextLine]:
    """The lines, with what is longer than the width broken: it goes on below, further in."""
    for line in lines:
        indent = " " * min(len(line.text) - len(line.text.lstrip(" *")) + 4, width // 2)
        broken = textwrap.wrap(line.text, width, subsequent_indent=indent, break_on_hyphens=False) or [""]
        yield from (TextLine(text, line.tone) for text in (broken if len(line.text) > width else [line.text]))


def worst_case_lines(worst: WorstCase, *, may_transfer: bool) -> Iterator[TextLine]:
    """The worst case in sentences."""
    yield TextLine("Worst case", "heading")
    for told in sentences(worst, may_transfer=may_transfer):
        yield from _paragraph(told)


class _Columns:
    """The columns in which settings, their values and their origins are written."""

    def __init__(self, settings: Iterable[Setting], width: int) -> None:
        rows = list(settings)
        self.width = width
        self.name = max((len(row.name) for row in rows), default=0)
        self.value = max((len(row.written) for row in rows if len(row.written) <= WIDEST_VALUE), default=0)

    def row(self, setting: Setting) -> list[str]:
        """The line of a setting; its origin is on a line of its own if it does not fit beside the value."""
        head = f"{'*' if setting.is_changed else ' '} {setting.name:<{self.name}}  "
        if self.width < NARROW:
            return [f"{head}{setting.written}", *([f"    {setting.origin}"] if setting.is_changed else [])]
        room = max(WIDTH - len(head), WIDEST_VALUE)
        value, *more = textwrap.wrap(setting.written, room, break_on_hyphens=False) or [""]
        origin = str(setting.origin)
        # The origin is written in its column, further left if it is long, or below a long value.
        column = max(4, min(len(head) + self.value, WIDTH - 2 - len(origin)))
        if more:
            return [f"{head}{value}", *(" " * len(head) + rest for rest in more), f"{'':<{column}}  {origin}"]
        if len(head) + len(value) <= column:
            return [f"{head + value:<{column}}  {origin}"]
        beside = f"{head}{value}  {origin}"
        return [beside] if len(beside) <= WIDTH else [f"{head}{value}", f"{'':<{column}}  {origin}"]


def _rows(
    settings: Iterable[Setting], columns: _Columns, notes: Callable[[Setting], Iterable[TextLine]]
) -> Iterator[TextLine]:
    for setting in settings:
        tone: Tone = "strong" if setting.is_changed else "plain"
        yield from (TextLine(text.rstrip(), tone) for text in columns.row(setting))
        yield from notes(setting)


def _paragraph(text: str) -> Iterator[TextLine]:
    return (TextLine(line) for line in _wrapped(text, indent=2))


def _wrapped(text: str, *, indent: int) -> list[str]:
    margin = " " * indent
    return textwrap.wrap(text, WIDTH, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False)
