"""The records of what the doctor found: one thing, and all of one topic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Grade = Literal["ok", "warning", "problem", "skipped"]


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome of looking at one thing, with advice. `data` are figures for programs, such as milliseconds or dates."""

    grade: Grade
    text: str
    advice: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


class Topic(NamedTuple):
    """What was found under one heading."""

    name: str
    found: tuple[Found, ...]


def ok(text: str, advice: str = "", /, **data: Any) -> Found:
    """Found in order."""
    return Found("ok", text, advice, data)


def warning(text: str, advice: str = "", /, **data: Any) -> Found:
    """Found to work, but with something that may surprise."""
    return Found("warning", text, advice, data)


def problem(text: str, advice: str = "", /, **data: Any) -> Found:
    """Found not to work."""
    return Found("problem", text, advice, data)


def skipped(text: str, advice: str = "", /, **data: Any) -> Found:
    """Not looked at, for the reason that the text gives."""
    return Found("skipped", text, advice, data)


def counted(number: int, what: str) -> str:
    """A number with its noun: `1 service`, `2 services`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
