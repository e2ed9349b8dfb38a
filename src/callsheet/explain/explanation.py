"""An explanation: the settings that apply to an operation, and why. It is plain data without secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from callsheet.explain.layout import (
    WIDTH,
    TextLine,
    pipeline_lines,
    reason_lines,
    remark_lines,
    settings_lines,
    worst_case_lines,
)
from callsheet.explain.setting import Setting
from callsheet.explain.worst_case import WorstCase
from callsheet.plan.order import PipelineStep

OFF = ("off", "none", "[]", "{}", "false")


@dataclass(frozen=True, slots=True)
class Explanation:
    """Every effective setting of an operation (None: of the service's undeclared requests) and where it came from, the
    pipeline in the order in which its policies are asked, and the worst case by arithmetic.

    `str()` lays it out for a person. `beside` are settings of the service that hold in addition to the operation's own;
    `varied` names the operations with settings of their own. `may_transfer`: whether calls may stream, or send files.
    """

    service: str
    operation: str | None
    environment: str | None
    method: str | None
    path: str | None
    settings: tuple[Setting, ...]
    beside: tuple[Setting, ...]
    pipeline: tuple[PipelineStep, ...]
    worst_case: WorstCase
    varied: tuple[str, ...]
    may_transfer: bool

    @property
    def label(self) -> str:
        """`service.operation`, or the service alone."""
        return f"{self.service}.{self.operation}" if self.operation else self.service

    def changed(self) -> Explanation:
        """The same explanation with only the settings that are not built-in."""
        settings, beside = (tuple(s for s in rows if s.is_changed) for rows in (self.settings, self.beside))
        return replace(self, settings=settings, beside=beside)

    def without_off(self) -> Explanation:
        """The same explanation without what is off: policies, and settings that nobody wrote and whose value is none."""
        settings, beside = (
            tuple(s for s in rows if s.is_changed or s.written not in OFF) for rows in (self.settings, self.beside)
        )
        return replace(
            self, settings=settings, beside=beside, pipeline=tuple(each for each in self.pipeline if each.on)
        )

    def as_dict(self) -> dict[str, Any]:
        """The explanation as plain data for JSON, with stable keys."""
        return {
            "service": self.service,
            "operation": self.operation,
            "environment": self.environment,
            "method": self.method,
            "path": self.path,
            "settings": {setting.name: setting.as_dict() for setting in self.settings},
            "beside": {setting.name: setting.as_dict() for setting in self.beside},
            "pipeline": [step._asdict() for step in self.pipeline],
            "worst_case": asdict(self.worst_case),
        }

    def __str__(self) -> str:
        return "\n".join(line.text for line in lines_of(self))

    def __repr__(self) -> str:
        return f"<Explanation {self.label}>"


def lines_of(explanation: Explanation, width: int = WIDTH) -> list[TextLine]:
    """The text of an explanation, line by line."""
    return list(_lines(explanation, lambda setting: (), width))


def lines_with_reasons(explanation: Explanation, width: int = WIDTH) -> list[TextLine]:
    """The same text, with a note below each setting: what it is for, and the reason for its default."""
    return list(_lines(explanation, reason_lines, width))


def _lines(explanation: Explanation, notes: Callable[[Setting], Iterable[TextLine]], width: int) -> Iterator[TextLine]:
    settings, beside = explanation.settings, explanation.beside
    yield TextLine(_title(explanation), "heading")
    yield TextLine("")
    yield from settings_lines(settings, beside, notes, width)
    yield from remark_lines((*settings, *beside), explanation.varied)
    yield TextLine("")
    yield from pipeline_lines(explanation.pipeline, width)
    yield TextLine("")
    yield from worst_case_lines(explanation.worst_case, may_transfer=explanation.may_transfer)


def _title(explanation: Explanation) -> str:
    what = f"{explanation.method} {explanation.path}" if explanation.method else "undeclared requests"
    where = f", environment {explanation.environment}" if explanation.environment else ""
    return f"{explanation.label}: {what}{where}"
