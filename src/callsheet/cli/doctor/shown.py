"""Shows what the doctor found: as lines for a person, as data for a program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from callsheet.cli.doctor.found import Found, Topic, counted
from callsheet.cli.screen import Screen, visible

MARKS = {"ok": ("✓", "32"), "warning": ("!", "33"), "problem": ("✗", "1;31"), "skipped": ("-", "2")}


def show_all(topics: Sequence[Topic], screen: Screen) -> None:
    """Print a heading for each topic, a line with advice below it for each thing found, and a summary."""
    lines: list[str] = []
    for topic in topics:
        lines.append(screen.coloured(topic.name, "1"))
        lines += (line for found in topic.found for line in _lines(found, screen))
    screen.print("\n".join([*lines, "", summary([found for topic in topics for found in topic.found])]))


def _lines(found: Found, screen: Screen) -> Iterator[str]:
    mark, style = MARKS[found.grade]
    yield f"  {screen.coloured(mark, style)} {_flat(found.text)}"
    if found.advice:
        yield f"      {_flat(found.advice)}"


def _flat(text: str) -> str:
    return visible(" ".join(text.split()))


def summary(found: Sequence[Found]) -> str:
    """How many problems and warnings there are."""
    by = Counter(each.grade for each in found)
    parts = [counted(by[what], what) for what in ("problem", "warning") if by[what]]
    return " and ".join(parts) or "everything is in order"


def as_data(topics: Sequence[Topic]) -> dict[str, Any]:
    """All that was found, with the numbers of problems and warnings, as data that JSON can hold."""
    found = [each for topic in topics for each in topic.found]
    by = Counter(each.grade for each in found)
    return {
        "problems": by["problem"],
        "warnings": by["warning"],
        "found": [
            {"topic": topic.name, "grade": each.grade, "text": each.text, "advice": each.advice or None, **each.data}
            for topic in topics
            for each in topic.found
        ],
    }


@contextmanager
def waiting(screen: Screen, number: int) -> Iterator[Callable[[int], None]]:
    """While the block runs, show on a terminal how many of the services have answered: call `step(done)` after each answer."""

    def step(done: int) -> None:
        if screen.errors_are_terminal:
            screen.errors.write(f"\r\x1b[Kasking the services: {done} of {number}")
            screen.errors.flush()

    step(0)
    try:
        yield step
    finally:
        if screen.errors_are_terminal:
            screen.errors.write("\r\x1b[K")
            screen.errors.flush()
