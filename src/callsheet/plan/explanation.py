"""What is in force for an operation and why, as plain data that can be shown and kept: no secret is in it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from callsheet.arithmetic.worst_case import WorstCase
from callsheet.plan.explained_text import text_of
from callsheet.plan.order import Step
from callsheet.sheet import Origin
from callsheet.sheet.origins import BUILT_IN


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting by its dotted name: its `value` as plain data (seconds, bytes, `***` for a secret), the same `written` in
    the sheet's words, where it came from, and what it is for.

    In an outline of a sheet a value may be unknown: then it is None, `written` is its `${NAME}`, and `origin.unread` says why.
    """

    name: str
    value: Any
    written: str
    origin: Origin
    why: str

    @property
    def is_changed(self) -> bool:
        """Whether anybody wrote it."""
        return self.origin.where != BUILT_IN

    def as_dict(self) -> dict[str, Any]:
        """The same for JSON; `unknown` is there only where the value is."""
        origin = {"where": self.origin.where, "variables": list(self.origin.variables)}
        found = {"value": self.value, "written": self.written, "origin": origin, "why": self.why}
        return found | ({"unknown": self.origin.unread} if self.origin.unread else {})


@dataclass(frozen=True, slots=True)
class Explanation:
    """Every effective setting of an operation (None: of the service's undeclared requests) and where it came from, the
    pipeline in the order in which its policies are asked, and the worst case by arithmetic.

    `str()` lays it out for a person. `beside` are settings of the service that hold in addition to the operation's own;
    `varied` names the operations with settings of their own; `may_transfer`: whether calls may stream, or send files.
    """

    service: str
    operation: str | None
    environment: str | None
    method: str | None
    path: str | None
    settings: tuple[Setting, ...]
    beside: tuple[Setting, ...]
    pipeline: tuple[Step, ...]
    worst_case: WorstCase
    varied: tuple[str, ...]
    may_transfer: bool

    @property
    def label(self) -> str:
        """`service.operation`, or the service alone."""
        return f"{self.service}.{self.operation}" if self.operation else self.service

    def changed(self) -> Explanation:
        """The same with those settings alone that somebody wrote."""
        settings, beside = (tuple(s for s in rows if s.is_changed) for rows in (self.settings, self.beside))
        return replace(self, settings=settings, beside=beside)

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data for JSON; its keys are stable."""
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
        return text_of(self)

    def __repr__(self) -> str:
        return f"<Explanation {self.label}>"
