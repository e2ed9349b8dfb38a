"""Forms of single values."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from callsheet.secret import Secret
from callsheet.sheet.forms.quantities import (
    octets,
    per_second,
    rate,
    seconds,
    share,
    spelled_number,
    spelled_octets,
    spelled_seconds,
    spelled_share,
)
from callsheet.sheet.forms.reading import Form, FormOf, JsonSchema, Reading, Spot, misfit
from callsheet.sheet.tree.findings import Misfit, did_you_mean, one_of
from callsheet.sheet.tree.node import ListNode, Node, Scalar

VARIABLE_SCHEMA: JsonSchema = {"type": "string", "pattern": r"\$\{"}
"""A text with `${...}`, which may stand for a value of any type."""


def scalar(node: Node, spot: Spot, reading: Reading, expected: str) -> Scalar:
    """The node as one value, its variables filled in."""
    if not isinstance(node, Scalar) or isinstance(node.value, Secret):
        raise misfit(node, spot, expected)
    return reading.filled(node)


def text_or_secret(node: Node, spot: Spot, reading: Reading, expected: str) -> str:
    """The text of a node, its variables filled in; a secret given in Python is revealed."""
    if isinstance(node, Scalar) and isinstance(node.value, Secret):
        return node.value.reveal()
    filled = scalar(node, spot, reading, expected)
    if not isinstance(filled.value, str):
        raise misfit(filled, spot, expected)
    return filled.value


def written_text(node: Scalar) -> str | None:
    """A text; a number, or true or false, as the sheet spells it; None for anything else."""
    if isinstance(node.value, str):
        return node.value
    if isinstance(node.value, bool):
        return str(node.value).lower()
    return node.text if isinstance(node.value, int | float) else None


def is_respelled(node: Scalar) -> bool:
    """Whether a number was written in another way than it is written by default: `1.10`, `01234`, `1e3`, `0x1F`."""
    return isinstance(node.value, int | float) and not isinstance(node.value, bool) and str(node.value) != node.text


@dataclass(frozen=True, slots=True)
class Text:
    """A text that matches `pattern`; `expected` describes it in messages. Its schema is `string` unless given."""

    expected: str = "a text"
    pattern: str | None = None
    may_be_empty: bool = False
    json_schema: JsonSchema = field(default_factory=lambda: {"type": "string"})

    def read(self, node: Node, spot: Spot, reading: Reading) -> str:
        """The text."""
        filled = scalar(node, spot, reading, self.expected)
        text = written_text(filled) if filled.through else filled.value
        if not isinstance(text, str) or not (text or self.may_be_empty):
            raise misfit(filled, spot, self.expected, "write it in quotes" if written_text(filled) else "")
        if self.pattern and not re.fullmatch(self.pattern, text):
            raise misfit(filled, spot, self.expected)
        return text

    def schema(self) -> JsonSchema:
        """The JSON Schema of the values that are read."""
        return self.json_schema


@dataclass(frozen=True, slots=True)
class WholeNumber:
    """A whole number between two bounds."""

    least: int
    most: int

    def read(self, node: Node, spot: Spot, reading: Reading) -> int:
        """The number."""
        expected = f"a whole number from {self.least:,} to {self.most:,}"
        filled = scalar(node, spot, reading, expected)
        value = filled.value
        if isinstance(value, bool) or not isinstance(value, int) or not self.least <= value <= self.most:
            raise misfit(filled, spot, expected)
        return value

    def schema(self) -> JsonSchema:
        """The JSON Schema of the values that are read."""
        number = {"type": "integer", "minimum": self.least, "maximum": self.most}
        return {"anyOf": [number, VARIABLE_SCHEMA]}


def switch(node: Node, spot: Spot, reading: Reading) -> bool:
    """Read true or false."""
    filled = scalar(node, spot, reading, "true or false")
    if not isinstance(filled.value, bool):
        raise misfit(filled, spot, "true or false")
    return filled.value


SWITCH = FormOf(switch, {"anyOf": [{"type": "boolean"}, VARIABLE_SCHEMA]})


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount with a unit, or a plain number. `spell` writes a value as a sheet does."""

    parse: Callable[[object], Any]
    expected: str
    pattern: str
    number: JsonSchema | None = field(default_factory=lambda: {"type": "number", "exclusiveMinimum": 0})
    spell: Callable[[Any], str] | None = None

    def read(self, node: Node, spot: Spot, reading: Reading) -> Any:
        """Seconds, bytes, a share or a rate."""
        filled = scalar(node, spot, reading, self.expected)
        value = self.parse(filled.value)
        if value is None:
            raise misfit(filled, spot, self.expected)
        return value

    def schema(self) -> JsonSchema:
        """The JSON Schema of the values that are read."""
        text = {"type": "string", "pattern": self.pattern}
        return {"anyOf": [*([self.number] if self.number else []), text, VARIABLE_SCHEMA]}


DURATION = Quantity(
    seconds, "a duration from 1ms to 366 days, such as `5s`, `250ms` or a number of seconds",
    r"^[0-9]{1,15}(\.[0-9]{1,9})? ?(ms|s|m|h)?$", spell=spelled_seconds,
)  # fmt: skip
SIZE = Quantity(
    octets, "a size from 1 byte to 1 TiB, such as `10MiB`, `5MB` or a number of bytes",
    r"^[0-9]{1,15}(\.[0-9]{1,9})? ?(B|kB|KB|MB|GB|KiB|MiB|GiB)?$", spell=spelled_octets,
)  # fmt: skip
SHARE = Quantity(
    share, "a share from 0 to 1, such as `50%` or 0.5",
    r"^[0-9]{1,3}(\.[0-9]{1,9})? ?%$", {"type": "number", "minimum": 0, "maximum": 1},
    spell=spelled_share,
)  # fmt: skip
RATE = Quantity(
    rate, "a rate such as `50/s`, `1000/min` or `10/100ms`",
    r"^[0-9]{1,10} ?/ ?([0-9]{1,15}(\.[0-9]{1,9})? ?)?(ms|s|min|m|h|day|d)$",
    None,
)  # fmt: skip
PER_SECOND = Quantity(
    per_second, "a number per second, 0 or more",
    r"^[0-9]{1,9}(\.[0-9]{1,9})?$", {"type": "number", "minimum": 0},
    spell=spelled_number,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words. A word such as `1.2`, which YAML reads as a number, is compared as it was written."""

    words: tuple[str, ...]
    is_upper: bool = False

    def read(self, node: Node, spot: Spot, reading: Reading) -> str:
        """The word."""
        expected = one_of(self.words)
        filled = scalar(node, spot, reading, expected)
        text = written_text(filled)
        text = text.upper() if text and self.is_upper else text
        if text not in self.words:
            hint = did_you_mean(text, self.words) if text and not filled.hidden else ""
            raise misfit(filled, spot, expected, hint)
        return text

    def schema(self) -> JsonSchema:
        """The JSON Schema of the values that are read."""
        words: list[Any] = list(self.words)
        numbers = [float(word) for word in words if re.fullmatch(r"\d+\.\d+", word)]
        return {"anyOf": [{"enum": words + numbers}, VARIABLE_SCHEMA]}


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of values of one form."""

    form: Form
    expected: str

    def read(self, node: Node, spot: Spot, reading: Reading) -> tuple[Any, ...]:
        """The values; one that cannot be read is noted and left out."""
        if not isinstance(node, ListNode):
            raise misfit(node, spot, f"a list of {self.expected}")
        values = []
        for item in node.items:
            try:
                values.append(self.form.read(item, spot, reading))
            except Misfit as wrong:
                if reading.findings.overlooks(wrong):
                    raise
                reading.findings.add(wrong)
        return tuple(values)

    def schema(self) -> JsonSchema:
        """The JSON Schema of the values that are read."""
        return {"type": "array", "items": self.form.schema()}
