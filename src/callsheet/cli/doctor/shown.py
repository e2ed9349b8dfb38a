"""How the doctor shows what was found: as lines for a person, as data for a program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from callsheet.cli.doctor.found import Found, Topic, counted
from callsheet.cli.screen import Screen, visible

MARKS = {"ok": ("✓", "32"), "warning": ("!", "33"), "problem": ("✗", "1;31"), "skipped": ("-", "2")}


def show_all(topics: Sequence[Topic], screen: Screen) -> None:
    """A heading for each topic, a line for each thing found, what to do about it below, and a line that sums up."""
    lines: list[str] = []
    for topic in topics:
        lines += [
            _coloured(topic.name, "1", screen),
            *(line for found in topic.found for line in _lines(found, screen)),
        ]
    screen.print("\n".join([*lines, "", summary([found for topic in topics for found in topic.found])]))


def _lines(found: Found, screen: Screen) -> Iterator[str]:
    mark, style = MARKS[found.grade]
    yield f"  {_coloured(mark, style, screen)} {_flat(found.text)}"
    if found.advice:
        yield f"      {_flat(found.advice)}"


def _flat(text: str) -> str:
    return visible(" ".join(text.split()))


def _coloured(text: str, style: str, screen: Screen) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if screen.has_colour else text


def summary(found: Sequence[Found]) -> str:
    """How many problems and warnings there are."""
    by = Counter(each.grade for each in found)
    parts = [
        counted(number, what) for what, number in (("problem", by["problem"]), ("warning", by["warning"])) if number
    ]
    return " and ".join(parts) if parts else "everything is in order"


def as_data(topics: Sequence[Topic]) -> dict[str, Any]:
    """The same for a program."""
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
    """While the block runs, show on a terminal how many of the services have answered: call `step(done)` after each."""

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
