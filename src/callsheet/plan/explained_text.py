"""An explanation laid out for a person: settings, pipeline and worst case, in 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple

from callsheet.plan.worst_case_text import sentences

if TYPE_CHECKING:
    from callsheet.plan.explanation import Explanation, Setting
    from callsheet.plan.order import Step

WIDTH = 80
WIDEST_VALUE = 28
"""A longer one pushes its origin to the right, or below."""
Tone = Literal["heading", "strong", "plain", "quiet"]


class Line(NamedTuple):
    """One line, and how loud it is where there are colours."""

    text: str
    tone: Tone = "plain"


def text_of(explanation: Explanation) -> str:
    """The whole of it, as one text."""
    return "\n".join(line.text for line in lines_of(explanation))


def lines_of(explanation: Explanation) -> list[Line]:
    """The whole of it, line by line."""
    return list(_lines(explanation, lambda setting: []))


def lines_with_reasons(explanation: Explanation) -> list[Line]:
    """The same, with what each setting is for and why its default is what it is below it."""
    return list(_lines(explanation, _reason))


def _reason(setting: Setting) -> list[Line]:
    return [Line(text, "quiet") for text in _wrapped(setting.why, indent=6)]


def _lines(explanation: Explanation, notes: Callable[[Setting], list[Line]]) -> Iterator[Line]:
    yield Line(_title(explanation), "heading")
    yield Line("")
    yield Line("Settings (* not built-in)", "heading")
    columns = _Columns((*explanation.settings, *explanation.beside))
    yield from _settings(explanation.settings, columns, notes)
    if explanation.beside:
        yield Line("  and of the service, in addition", "quiet")
        yield from _settings(explanation.beside, columns, notes)
    yield from _remarks(explanation)
    yield Line("")
    yield Line("Pipeline, asked in this order", "heading")
    yield from _pipeline(explanation.pipeline)
    yield Line("")
    yield Line("Worst case", "heading")
    for paragraph in sentences(explanation.worst_case, may_transfer=explanation.may_transfer):
        yield from (Line(text) for text in _wrapped(paragraph, indent=2))


def _title(explanation: Explanation) -> str:
    what = f"{explanation.method} {explanation.path}" if explanation.method else "undeclared requests"
    where = f", environment {explanation.environment}" if explanation.environment else ""
    return f"{explanation.label}: {what}{where}"


class _Columns:
    """Where the columns of settings begin."""

    def __init__(self, settings: Iterable[Setting]) -> None:
        rows = list(settings)
        self.name = max((len(row.name) for row in rows), default=0)
        self.value = max((len(row.written) for row in rows if len(row.written) <= WIDEST_VALUE), default=0)

    def row(self, setting: Setting) -> list[str]:
        """The line of a setting, its origin below it where it does not fit beside."""
        head = f"{'*' if setting.is_changed else ' '} {setting.name:<{self.name}}  "
        room = max(WIDTH - len(head), WIDEST_VALUE)
        value = setting.written if len(setting.written) <= room else f"{setting.written[: room - 3]}..."
        origin = str(setting.origin)
        # In its column; moved to where it still fits if it is long; below, if the value is.
        column = max(4, min(len(head) + self.value, WIDTH - 2 - len(origin)))
        if len(head) + len(value) <= column:
            return [f"{head + value:<{column}}  {origin}"]
        beside = f"{head}{value}  {origin}"
        return [beside] if len(beside) <= WIDTH else [f"{head}{value}", f"{'':<{column}}  {origin}"]


def _settings(settings: Iterable[Setting], columns: _Columns, notes: Callable[[Setting], list[Line]]) -> Iterator[Line]:
    for setting in settings:
        tone: Tone = "strong" if setting.is_changed else "plain"
        yield from (Line(text.rstrip(), tone) for text in columns.row(setting))
        yield from notes(setting)


def _remarks(explanation: Explanation) -> Iterator[Line]:
    rows = (*explanation.settings, *explanation.beside)
    unknown = dict.fromkeys(setting.origin.unread for setting in rows if setting.origin.unread)
    if unknown:
        told = f"Not known here: {'; '.join(unknown)}. The worst case takes the built-in values instead."
        yield Line("")
        yield from (Line(text) for text in _wrapped(told, indent=2))
    if explanation.varied:
        told = f"Operations with settings of their own: {', '.join(explanation.varied)}"
        yield Line("")
        yield from (Line(text) for text in _wrapped(told, indent=2))


def _pipeline(steps: Iterable[Step]) -> Iterator[Line]:
    rows = list(steps)
    width = max(len(step.name) for step in rows)
    for step in rows:
        head = f"  {'on' if step.on else 'off':<3}  {step.name:<{width}}  {step.asked:<13}  "
        first, *others = textwrap.wrap(step.why, WIDTH - len(head)) or [""]
        tone: Tone = "plain" if step.on else "quiet"
        yield from (Line(text.rstrip(), tone) for text in (head + first, *(" " * len(head) + rest for rest in others)))


def _wrapped(text: str, *, indent: int) -> list[str]:
    margin = " " * indent
    return textwrap.wrap(text, WIDTH, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False)
