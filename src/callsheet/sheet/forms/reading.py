"""What every form reads a value with, and how it reports that a value does not fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from callsheet.process.exposure import exposed_mode
from callsheet.secret import Secret
from callsheet.secret.sources import PLAIN_FUNCTION, problem_of_asked
from callsheet.sheet.forms.variables import Filled, Variables, has_reference
from callsheet.sheet.tree.core_schema import resolve
from callsheet.sheet.tree.findings import Findings, Misfit
from callsheet.sheet.tree.node import ListNode, MappingNode, Node, Scalar, is_null

JsonSchema = dict[str, Any]
LITERAL = "a secret written out on the sheet"
LONGEST_SHOWN = 60
SHELL_VARIABLE = re.compile(r"(Bearer |Basic |Token )?\$([A-Z]+(?:_[A-Z]+)*)")
"""A variable as a shell writes it. A name with digits is left out: it might be a password that begins with a dollar."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Which value is being read: `timeout.total` of service `shop`."""

    owner: str
    path: str = ""

    def under(self, name: str) -> Spot:
        """A value inside this one."""
        return Spot(self.owner, f"{self.path}.{name}" if self.path else name)

    @property
    def inside(self) -> str:
        """The spot in a message about a key in it: "in service `shop`"."""
        return f"in {self}" if str(self) else "here"

    def __str__(self) -> str:
        quoted = f"`{self.path}`" if self.path else ""
        return f"{quoted} of {self.owner}" if quoted and self.owner else quoted or self.owner


@dataclass(frozen=True, slots=True)
class Unread:
    """In an outline, the place-holder for a value that cannot be read because a variable has no value; `why` says so."""

    why: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of a sheet: what was found, the variables, and the names that values may refer to."""

    findings: Findings
    variables: Variables
    schema_names: Collection[str] = ()
    schemas: dict[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where relative paths begin."""
        return self.variables.folder

    def filled(self, node: Scalar) -> Scalar:
        """The scalar with its `${...}` replaced; the new text is typed as if it had been written there."""
        if not isinstance(node.value, str) or "${" not in node.text:
            return node
        filled = self.variables.fill(node)
        self._warn_of_odd(filled, node)
        text = filled.text()
        value: Any = resolve(text) if filled.through and text else text
        return Scalar(value, text, node.place, hidden=node.hidden, through=filled.through)

    def unread(self, node: Node, wrong: Misfit) -> Unread:
        """The place-holder, in an outline, for a value that cannot be read with the variables of this process."""
        return Unread(self.variables.missing(node) or wrong.message)

    def secret(self, node: Scalar, spot: Spot) -> Secret:
        """The scalar as a secret. Warns of a secret written out in a file, and of a variable that ends in a line break."""
        if isinstance(node.value, Secret):
            return node.value
        if is_function(node):
            problem = problem_of_asked(node.value)
            if problem:
                raise Misfit(node.place, f"{spot}: {problem}", PLAIN_FUNCTION)
            return Secret(node.value)
        if isinstance(node.value, bool) or not isinstance(node.value, str | int | float):
            raise misfit(node, spot, "a text")
        filled = self.variables.fill(node, is_secret=True)
        if not filled.through:
            self._warn_of_literal(node, spot)
        for name in filled.trimmed:
            message = f"{spot}: what `${{{name}}}` holds ends in a line break, which is cut off"
            self.findings.warn(Misfit(node.place, message, "set the variable without it"))
        self._warn_of_odd(filled, node)
        return filled.secret()

    def _warn_of_odd(self, filled: Filled, node: Scalar) -> None:
        for name, why in filled.odd:
            self.findings.warn(Misfit(node.place, f"what `${{{name}}}` holds {why}", "set the variable without"))

    def _warn_of_literal(self, node: Scalar, spot: Spot) -> None:
        if node.place.line:
            hint = "write `${NAME}` and set the variable, or `${file:PATH}`"
            shell = SHELL_VARIABLE.fullmatch(node.text)
            hint = f'did you mean "{shell[1] or ""}${{{shell[2]}}}"? a variable is written in braces' if shell else hint
            exposed = exposed_mode(Path(node.place.name))
            told = f", and others on this machine can read it (mode {exposed})" if exposed else ""
            hint += f"; until then: chmod 600 {node.place.name}" if exposed else ""
            self.findings.warn(Misfit(node.place, f"{spot}: {LITERAL}{told}", hint))


def is_function(node: Node) -> bool:
    """Whether the value is a function, to be asked for the secret. A type is callable, but no such function."""
    return isinstance(node, Scalar) and callable(node.value) and not isinstance(node.value, type)


class Form(Protocol):
    """The form of a value: how it is read, and its JSON Schema for editors."""

    def read(self, node: Node, spot: Spot, reading: Reading) -> Any:
        """The value; raises Misfit, or notes several in the reading's findings."""

    def schema(self) -> JsonSchema:
        """The values that are read, in JSON Schema terms."""


@dataclass(frozen=True, slots=True)
class FormOf:
    """The form of a value that one function reads; its JSON Schema is always the same."""

    reader: Callable[[Node, Spot, Reading], Any]
    json_schema: JsonSchema

    def read(self, node: Node, spot: Spot, reading: Reading) -> Any:
        """The value, as the function reads it."""
        return self.reader(node, spot, reading)

    def schema(self) -> JsonSchema:
        """The schema that was given."""
        return self.json_schema


def found(node: Node) -> str:
    """What a node holds, for a message. A value that may be a credential is described, never quoted."""
    if isinstance(node, MappingNode):
        return "a mapping"
    if isinstance(node, ListNode):
        return "a list"
    if not isinstance(node, Scalar):
        return "several values"
    if node.through:
        return f"what {' and '.join(f'`${{{name}}}`' for name in node.through)} holds"
    return _kind(node) if node.hidden else _shown(node)


def _kind(node: Scalar) -> str:
    names = {str: "a text", bool: "true or false", int: "a number", float: "a number", type(None): "nothing"}
    return names.get(type(node.value), "something else")


def _shown(node: Scalar) -> str:
    value = node.value
    if value is None:
        return "nothing"
    if not isinstance(value, str | int | float):
        return f"a Python {type(value).__name__}"
    text = node.text if len(node.text) <= LONGEST_SHOWN else f"{node.text[: LONGEST_SHOWN - 3]}..."
    if "@" in text or "://" in text or not text.isprintable():
        return "another text"
    if text == "":
        return "an empty text"
    quoted = isinstance(value, str) and not isinstance(resolve(text), str)
    return f"the text `{text}`" if quoted else f"`{text}`"


def misfit(node: Node, spot: Spot, expected: str, hint: str = "") -> Misfit:
    """The finding that a node does not hold what was expected."""
    return Misfit(node.place, f"{spot}: expected {expected}, found {found(node)}", hint or _forgotten_quotes(node))


def _forgotten_quotes(node: Node) -> str:
    """The hint for `get: {id}`, which YAML reads as a mapping with an empty value."""
    if isinstance(node, MappingNode) and node.entries and all(is_null(value) for _, value in node.entries):
        return "did you forget the quotes?"
    return ""


def refuse_references(node: Scalar, spot: Spot) -> None:
    """Refuse `${...}`, and secrets, in `defaults`: every service would send them."""
    if isinstance(node.value, Secret) or (isinstance(node.value, str) and has_reference(node.text)):
        hint = "a credential belongs to one service: write it there"
        raise Misfit(node.place, f"{spot}: `${{...}}` is not allowed in `defaults`", hint)
