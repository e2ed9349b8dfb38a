"""Words of a shell command, with `$NAME` where a secret stands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

SCHEMES = ("Bearer ", "Basic ", "Token ")
PLAIN = re.compile(r"[A-Za-z0-9 _.,:;/@%+=-]*")
REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)")


@dataclass(slots=True)
class VariableNames:
    """The shell variables for secrets: the sheet's own variable if one holds the secret, else one named after its place."""

    service: str
    by_value: Mapping[str, str] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)

    def word(self, secret: str, place: str) -> list[Piece]:
        """The secret as pieces of a shell word; a scheme such as `Bearer ` before it stays readable."""
        for prefix in ("", *SCHEMES, f"{place}="):
            rest = secret[len(prefix) :]
            if secret.startswith(prefix) and rest in self.by_value:
                return [prefix, Variable(self._use(self.by_value[rest], rest))]
        prefix = next((scheme for scheme in SCHEMES if secret.startswith(scheme)), "")
        rest = secret[len(prefix) :]
        return [prefix, Variable(self._use(made_name(f"{self.service}_{place}"), rest))]

    def _use(self, name: str, secret: str) -> str:
        return free_name(name, lambda fresh: self.used.setdefault(fresh, secret) != secret)


@dataclass(frozen=True, slots=True)
class Variable:
    """A shell variable inside a word."""

    name: str


Piece = str | Variable


def names_in(text: str, variables: Mapping[str, str], service: str) -> VariableNames:
    """The variables that a sheet's text refers to, by the values that they hold."""
    found = dict.fromkeys(REFERENCE.findall(text))
    return VariableNames(service, {variables[name]: name for name in reversed(found) if variables.get(name)})


def made_name(place: str) -> str:
    """The name of a variable, made from that of a header or a parameter."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", place).strip("_").upper()
    return f"_{name}" if name[:1].isdigit() else name or "SECRET"


def free_name(name: str, is_taken: Callable[[str], bool]) -> str:
    """The name, or with `_2`, `_3` ... behind it the first that is not taken."""
    fresh, count = name, 1
    while is_taken(fresh):
        count += 1
        fresh = f"{name}_{count}"
    return fresh


def joined(pieces: list[Piece]) -> str:
    """The pieces as one shell word: in double quotes if its text needs no escapes, else with the text in single quotes."""
    literal = "".join(piece for piece in pieces if isinstance(piece, str))
    if all(isinstance(piece, str) for piece in pieces):
        return shlex.quote(literal)
    if PLAIN.fullmatch(literal):
        return '"' + "".join(piece if isinstance(piece, str) else f"${{{piece.name}}}" for piece in pieces) + '"'
    parts = (shlex.quote(piece) if isinstance(piece, str) else f'"${{{piece.name}}}"' for piece in pieces if piece)
    return "".join(parts)
