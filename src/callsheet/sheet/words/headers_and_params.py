"""`headers` and `params`: what is sent with every request."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from callsheet.secret import Secret
from callsheet.sheet.forms.header_text import TOKEN, checked_line, header_name, header_value, key_text
from callsheet.sheet.forms.reading import FormOf, JsonSchema, Reading, Spot, is_function, misfit
from callsheet.sheet.forms.record import Written
from callsheet.sheet.forms.scalars import is_respelled, scalar
from callsheet.sheet.tree.findings import Misfit
from callsheet.sheet.tree.node import ListNode, MappingNode, Node, Scalar, is_null

ONE_VALUE: JsonSchema = {"type": ["string", "number", "boolean", "null"]}


def _headers(node: Node, spot: Spot, reading: Reading) -> dict[str, Written]:
    """Name in lower case -> (name, value), so that layers merge whatever the case of their names."""
    if not isinstance(node, MappingNode):
        raise misfit(node, spot, "a mapping from header name to value")
    fields: dict[str, Written] = {}
    for key, value in node.entries:
        try:
            name = header_name(key, spot)
            if name.lower() in fields:
                message = f"{spot}: the header `{name}` twice; names have no case"
                reading.findings.add(Misfit(key.place, message, "remove one"))
            elif not is_null(value):
                field = name, header_value(value, spot.under(name), reading)
                fields[name.lower()] = Written(field, value, key)
        except Misfit as wrong:
            reading.findings.add(wrong)
    return fields


HEADERS = FormOf(
    _headers, {"type": "object", "propertyNames": {"pattern": f"^{TOKEN.pattern}$"}, "additionalProperties": ONE_VALUE}
)


def _params(node: Node, spot: Spot, reading: Reading) -> dict[str, Written]:
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


_VALUES = {"anyOf": [ONE_VALUE, {"type": "array", "items": ONE_VALUE}]}
PARAMS = FormOf(_params, {"type": "object", "additionalProperties": _VALUES})


def _param(node: Node, spot: Spot, reading: Reading) -> Any:
    if isinstance(node, ListNode):
        return [_param(item, spot, reading) for item in node.items]
    if isinstance(node, Scalar) and (isinstance(node.value, Secret) or is_function(node)):
        return checked_line(reading.secret(node, spot), node, spot)
    filled = scalar(node, spot, reading, "a value or a list of values")
    if filled.through and isinstance(node, Scalar):
        return checked_line(reading.secret(node, spot), node, spot)
    if not isinstance(filled.value, str | int | float | bool | Decimal):
        raise misfit(filled, spot, "a value or a list of values")
    return filled.text if is_respelled(filled) else filled.value
