"""`headers` and `params`: what is sent with every request."""

from __future__ import annotations

from typing import Any

from callsheet.secret import Secret
from callsheet.sheet.forms.header_text import TOKEN, checked_line, header_name, header_value, key_text
from callsheet.sheet.forms.reading import JsonSchema, Reading, Spot, is_function, misfit
from callsheet.sheet.forms.record import Written
from callsheet.sheet.forms.scalars import scalar
from callsheet.sheet.tree.findings import Misfit
from callsheet.sheet.tree.node import ListNode, MappingNode, Node, Scalar, is_null


class HeadersForm:
    """A mapping from name to value. Read as name in lower case -> (name, value), so that layers merge without case."""

    def read(self, node: Node, spot: Spot, reading: Reading) -> dict[str, Written]:
        """Name in lower case -> (name, value)."""
        if not isinstance(node, MappingNode):
            raise misfit(node, spot, "a mapping from header name to value")
        fields: dict[str, Written] = {}
        for key, value in node.entries:
            try:
                name = header_name(key, spot)
                _refuse_twice(name, key, fields, spot)
                if not is_null(value):
                    field = name, header_value(value, spot.under(name), reading)
                    fields[name.lower()] = Written(field, value, key)
            except Misfit as wrong:
                reading.findings.add(wrong)
        return fields

    def schema(self) -> JsonSchema:
        """The same in JSON Schema terms."""
        scalar_or_null = {"type": ["string", "number", "boolean", "null"]}
        return {
            "type": "object",
            "propertyNames": {"pattern": f"^{TOKEN.pattern}$"},
            "additionalProperties": scalar_or_null,
        }


def _refuse_twice(name: str, key: Scalar, fields: dict[str, Written], spot: Spot) -> None:
    if name.lower() in fields:
        raise Misfit(key.place, f"{spot}: the header `{name}` twice; names have no case", "remove one")


class ParamsForm:
    """A mapping from name to a value or a list of values, in the query of every request."""

    def read(self, node: Node, spot: Spot, reading: Reading) -> dict[str, Written]:
        """Name -> value or list of values."""
        if not isinstance(node, MappingNode):
            raise misfit(node, spot, "a mapping from name to value")
        values: dict[str, Written] = {}
        for key, value in node.entries:
            try:
                name = key_text(key, spot)
                if not is_null(value):
                    values[name] = Written(_param(value, spot.under(name), reading), value, key)
            except Misfit as wrong:
                reading.findings.add(wrong)
        return values

    def schema(self) -> JsonSchema:
        """The same in JSON Schema terms."""
        one: JsonSchema = {"type": ["string", "number", "boolean", "null"]}
        return {"type": "object", "additionalProperties": {"anyOf": [one, {"type": "array", "items": one}]}}


def _param(node: Node, spot: Spot, reading: Reading) -> Any:
    if isinstance(node, ListNode):
        return [_param(item, spot, reading) for item in node.items]
    if isinstance(node, Scalar) and (isinstance(node.value, Secret) or is_function(node)):
        return checked_line(reading.secret(node, spot), node, spot)
    filled = scalar(node, spot, reading, "a value or a list of values")
    if filled.through and isinstance(node, Scalar):
        return checked_line(reading.secret(node, spot), node, spot)
    if not isinstance(filled.value, str | int | float | bool):
        raise misfit(filled, spot, "a value or a list of values")
    return filled.value
