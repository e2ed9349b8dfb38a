"""The secrets of a curl command: each value has one variable, and stands nowhere as text."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from callsheet.cli.curl_pieces import REFERENCE, Piece, Variable, joined, made_name

SHORTEST_INSIDE = 4
"""A secret shorter than this is looked for as a whole text only: `ab` is inside of too much."""


@dataclass(slots=True)
class Secrets:
    """Which variable stands for which value. `on_sheet` is what the variables that a sheet names hold, where they are set."""

    service: str
    on_sheet: Mapping[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    @classmethod
    def beside(cls, text: str, service: str, variables: Mapping[str, str]) -> Secrets:
        """None yet, for a service of this sheet."""
        return cls(service, {name: variables[name] for name in REFERENCE.findall(text) if variables.get(name)})

    def name(self, value: str, what: str) -> str:
        """The variable of a value: the sheet's own where one holds it, else one named after the service and `what`."""
        if value not in self.names:
            same = (name for name, held in self.on_sheet.items() if held == value)
            self.names[value] = next(same, None) or self._fresh(made_name(what), value)
        return self.names[value]

    def _fresh(self, what: str, value: str) -> str:
        service = made_name(self.service)
        name = fresh = what if what == service or what.startswith(f"{service}_") else f"{service}_{what}"
        count = 1
        while fresh in self.names.values() or self.on_sheet.get(fresh, value) != value:
            count += 1
            fresh = f"{name}_{count}"
        return fresh

    def reference(self, value: str, what: str) -> str:
        """`${NAME}` of a value."""
        return "${" + self.name(value, what) + "}"

    def hold(self, text: str) -> bool:
        """Whether any secret stands in a text."""
        return any(isinstance(piece, Variable) for piece in self.pieces(text))

    def put(self, text: str) -> str:
        """The text as a sheet takes it: `${NAME}` for a secret, and `$${` for what is no reference."""
        return "".join(
            "${" + piece.name + "}" if isinstance(piece, Variable) else piece.replace("${", "$${")
            for piece in self.pieces(text)
        )

    def word(self, text: str) -> str:
        """The text as one word of a shell command."""
        return joined(self.pieces(text))

    def pieces(self, text: str) -> list[Piece]:
        """The text, cut where secrets stand in it."""
        if text in self.names:
            return [Variable(self.names[text])] if text else []
        spelled = {spelling: name for value, name in self.names.items() for spelling in spellings(value)}
        if not spelled:
            return [text]
        longest_first = sorted(spelled, key=len, reverse=True)
        cut = re.split(f"({'|'.join(map(re.escape, longest_first))})", text)
        return [Variable(spelled[part]) if at % 2 else part for at, part in enumerate(cut) if part]


def spellings(value: str) -> set[str]:
    """How a value may stand inside of a longer text."""
    if len(value) < SHORTEST_INSIDE:
        return set()
    return {value, quote(value, safe=""), quote(value), json.dumps(value)[1:-1]}
