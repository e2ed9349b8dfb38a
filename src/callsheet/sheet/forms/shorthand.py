"""Mappings that may also be written short: as a number, as a word, or as `off`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from callsheet.sheet.forms.reading import FormOf, JsonSchema, Reading, Spot, misfit
from callsheet.sheet.forms.record import Record, Written
from callsheet.sheet.forms.scalars import DURATION, VARIABLE_SCHEMA, scalar
from callsheet.sheet.tree.node import MappingNode, Node, Scalar


@dataclass(frozen=True, slots=True)
class OrOff:
    """A mapping, or `off`."""

    record: Record
    number_hint: str = ""

    def read(self, node: Node, spot: Spot, reading: Reading) -> Any:
        """The values of the mapping; None for `off`."""
        if isinstance(node, MappingNode):
            return self.record.read(node, spot, reading)
        expected = f"`off` or {self.record.expected}"
        filled = scalar(node, spot, reading, expected)
        if is_off(filled):
            return None
        is_number = isinstance(filled.value, int | float) and not isinstance(filled.value, bool)
        raise misfit(filled, spot, expected, self.number_hint if is_number else "")

    def schema(self) -> JsonSchema:
        """The JSON Schema of the values that are read."""
        return {"anyOf": [{"enum": ["off", False]}, self.record.schema()]}


def is_off(node: Node) -> bool:
    """Whether `off` or `false` was written."""
    return isinstance(node, Scalar) and (node.value is False or node.value == "off")


@dataclass(frozen=True, slots=True)
class OrNumber:
    """A mapping, or a number that stands for one of its keys."""

    record: Record
    key: str

    def read(self, node: Node, spot: Spot, reading: Reading) -> Any:
        """The values of the mapping."""
        return self.record.read(expanded(node, self.key), spot, reading)

    def schema(self) -> JsonSchema:
        """The JSON Schema of the values that are read."""
        form = next(key.form for key in self.record.keys if key.name == self.key)
        return {"anyOf": [form.schema(), self.record.schema()]} if form else self.record.schema()


@dataclass(frozen=True, slots=True)
class OrWord:
    """A mapping, the one word that stands for one of its keys, or `off`."""

    record: Record
    key: str
    word: str
    hint: str

    def read(self, node: Node, spot: Spot, reading: Reading) -> dict[str, Written] | None:
        """The values of the mapping; None for `off`."""
        if isinstance(node, MappingNode):
            return self.record.read(node, spot, reading)
        filled = scalar(node, spot, reading, self.record.expected)
        if is_off(filled):
            return None
        if filled.value != self.word:
            raise misfit(filled, spot, self.record.expected, self.hint)
        return {self.key: Written(self.word, node)}

    def schema(self) -> JsonSchema:
        """The JSON Schema of the values that are read."""
        return {"anyOf": [{"enum": ["off", False, self.word]}, VARIABLE_SCHEMA, self.record.schema()]}


def duration_or_off(node: Node, spot: Spot, reading: Reading) -> float | None:
    """Read a number of seconds; None for `off`."""
    expected = f"`off` or {DURATION.expected}"
    filled = scalar(node, spot, reading, expected)
    if is_off(filled):
        return None
    seconds: float | None = DURATION.parse(filled.value)
    if seconds is None:
        raise misfit(filled, spot, expected)
    return seconds


DURATION_OR_OFF = FormOf(duration_or_off, {"anyOf": [{"enum": ["off", False]}, *DURATION.schema()["anyOf"]]})


def gzip_or_off(node: Node, spot: Spot, reading: Reading) -> str | None:
    """Read the word `gzip`; None for `off`."""
    filled = scalar(node, spot, reading, "`off` or `gzip`")
    if not is_off(filled) and filled.value != "gzip":
        raise misfit(filled, spot, "`off` or `gzip`")
    return None if is_off(filled) else "gzip"


GZIP_OR_OFF = FormOf(gzip_or_off, {"anyOf": [{"enum": ["off", False, "gzip"]}, VARIABLE_SCHEMA]})


def expanded(node: Node, key: str) -> Node:
    """The mapping that a single value stands for: `{key: value}`. Mappings and null stay as they are."""
    if not isinstance(node, Scalar) or node.value is None:
        return node
    return MappingNode(((Scalar(key, key, node.place), node),), node.place)
