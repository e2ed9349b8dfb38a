"""Tests of a value in a JSON body: `path`, with `equals` or `matches`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from callsheet.http.json_path import JSONPath
from callsheet.settings.envelope import BodyTest, JSONScalar
from callsheet.sheet.forms.reading import FormOf, JsonSchema, Reading, Spot, Unread, misfit
from callsheet.sheet.forms.record import Key, Layer, Record, Written, plain
from callsheet.sheet.forms.scalars import VARIABLE_SCHEMA, Text, scalar
from callsheet.sheet.tree.findings import Misfit, Noted
from callsheet.sheet.tree.flow import flow
from callsheet.sheet.tree.node import ListNode, MappingNode, Node, entries, is_null
from callsheet.sheet.tree.place import Place
from callsheet.values.pattern import Pattern

PATHS = "a dotted path such as `code` or `error.code`"
VALUES = "a text, a number, true, false, null, or a list of them"


def _path(node: Node, spot: Spot, reading: Reading) -> str:
    text = Text(PATHS).read(node, spot, reading)
    try:
        return JSONPath(text).text
    except ValueError as error:
        raise misfit(node, spot, PATHS, str(error)) from None


PATH = FormOf(_path, {"anyOf": [{"type": "string", "pattern": r"^(?![$/])[^.\[]+(\.[^.\[]+)*$"}, VARIABLE_SCHEMA]})


class ComparedValues:
    """The values to compare with: one JSON value that is no mapping, or a list of such values."""

    def read(self, node: Node, spot: Spot, reading: Reading) -> tuple[JSONScalar, ...]:
        """The values, one at least."""
        items = node.items if isinstance(node, ListNode) else (node,)
        if not items:
            raise misfit(node, spot, VALUES, "list one at least")
        return tuple(self._value(item, spot, reading) for item in items)

    def _value(self, node: Node, spot: Spot, reading: Reading) -> JSONScalar:
        value = scalar(node, spot, reading, VALUES).value
        if not isinstance(value, JSONScalar) or (isinstance(value, float) and not math.isfinite(value)):
            raise misfit(node, spot, VALUES)
        return value

    def schema(self) -> JsonSchema:
        """The JSON Schema of the values that are read."""
        value: JsonSchema = {"type": ["string", "number", "boolean", "null"]}
        return {"anyOf": [value, {"type": "array", "items": value, "minItems": 1}]}

    def spell(self, values: tuple[JSONScalar, ...]) -> str:
        """The values as they would be written."""
        return flow(one_or_list(values))


def one_or_list(values: tuple[Any, ...]) -> Any:
    """The values as they would be written: a single one needs no list around it."""
    return values[0] if len(values) == 1 else list(values)


def _pattern(node: Node, spot: Spot, reading: Reading) -> str:
    text = Text("a regular expression").read(node, spot, reading)
    try:
        Pattern(text)
    except ValueError as error:
        hint = "mend it, or put it in single quotes; it is read by Rust's regex, which never looks around or back"
        raise Misfit(node.place, f"{spot} is no regular expression: {error}", hint) from None
    return text


VALUE_KEYS = (
    Key("path", PATH, "where the value stands in the JSON body"),
    Key("equals", ComparedValues(), "it is this, or one of these"),
    Key("matches", FormOf(_pattern, {"type": "string"}), "a regular expression that is found in its text"),
)


@dataclass(frozen=True, slots=True)
class WholeRecord(Record):
    """A mapping that is read only if each of its values can be; otherwise what is missing in it would be noted as well."""

    def read(self, node: Node, spot: Spot, reading: Reading) -> dict[str, Written]:
        """Each key that was written, with its value."""
        values = Record.read(self, node, spot, reading)
        for key, value in entries(node):
            if key.value not in values and not is_null(value):
                raise Noted(node.place)
        return values


@dataclass(frozen=True, slots=True)
class ValueTests(WholeRecord):
    """A mapping with a test of a value. In it `equals: null` compares with null, instead of counting as not written."""

    def read(self, node: Node, spot: Spot, reading: Reading) -> dict[str, Written]:
        """Each key that was written, with its value."""
        values = WholeRecord.read(self, node, spot, reading)
        assert isinstance(node, MappingNode)
        null = node.get("equals")
        if null is not None and is_null(null):
            values["equals"] = Written((None,), null, node.key("equals"))
        return values


def unread_in(layer: Layer) -> Iterator[Unread]:
    """The values in a mapping, at any depth, that an outline could not read."""
    for written in layer.values():
        if isinstance(written.value, Unread):
            yield written.value
        elif isinstance(written.value, dict):
            yield from unread_in(written.value)


def body_test(values: Layer, spot: Spot, place: Place) -> BodyTest:
    """The test that a mapping at `place` describes. Raises Misfit if it has no `path`, or two ways to compare."""
    if "path" not in values:
        written = values.get("equals") or values.get("matches")
        hint = "write where the value stands: `path: error.code`"
        raise Misfit(place_of(written) if written else place, f"{spot}: `path` is missing", hint)
    if "equals" in values and "matches" in values:
        raise Misfit(place_of(values["matches"]), f"{spot}: `matches` beside `equals`", "keep one")
    given = plain(values)
    return BodyTest(given["path"], given.get("equals"), given.get("matches"))


def test_data(test: BodyTest) -> dict[str, Any]:
    """The test as it would be written."""
    equals = {} if test.equals is None else {"equals": one_or_list(test.equals)}
    matches = {} if test.matches is None else {"matches": test.matches}
    return {"path": test.path, **equals, **matches}


def place_of(written: Written) -> Place:
    """Where a value was written: the place of its key, or its own if it has none."""
    return (written.key or written.node).place
