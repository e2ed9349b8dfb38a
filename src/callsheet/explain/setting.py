"""One setting of an explanation, as plain data without secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from callsheet.sheet import Provenance
from callsheet.sheet.provenance import BUILT_IN


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting by its dotted name: its `value` as plain data (seconds, bytes, `***` for a secret), the same `written` in
    the sheet's words, where it came from, and what it is for.

    In an outline of a sheet a value may be unknown: then it is None, `written` is its `${NAME}`, and `origin.unread` says why.
    """

    name: str
    value: Any
    written: str
    origin: Provenance
    why: str

    @property
    def is_changed(self) -> bool:
        """Whether the setting is not built-in: the sheet, a variable or code gave it."""
        return self.origin.where != BUILT_IN

    def as_dict(self) -> dict[str, Any]:
        """The setting as plain data for JSON; the key `unknown` is there only if the value is unknown."""
        origin = {"where": self.origin.where, "variables": list(self.origin.variables)}
        found = {"value": self.value, "written": self.written, "origin": origin, "why": self.why}
        return found | ({"unknown": self.origin.unread} if self.origin.unread else {})
