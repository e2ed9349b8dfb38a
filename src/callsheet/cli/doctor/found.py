"""What a check found, and what the checks of one topic found together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Grade = Literal["ok", "warning", "problem", "skipped"]


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that was looked at: how it is, and what to do about it. `data` is for programs: milliseconds, dates."""

    grade: Grade
    text: str
    advice: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


class Topic(NamedTuple):
    """What was found under one heading."""

    name: str
    found: tuple[Found, ...]


def ok(text: str, advice: str = "", /, **data: Any) -> Found:
    """It is as it should be."""
    return Found("ok", text, advice, data)


def warning(text: str, advice: str = "", /, **data: Any) -> Found:
    """It works, and may surprise."""
    return Found("warning", text, advice, data)


def problem(text: str, advice: str = "", /, **data: Any) -> Found:
    """It does not work."""
    return Found("problem", text, advice, data)


def skipped(text: str, advice: str = "", /, **data: Any) -> Found:
    """It was not looked at; the text says why."""
    return Found("skipped", text, advice, data)


def counted(number: int, what: str) -> str:
    """`1 service`, `2 services`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
