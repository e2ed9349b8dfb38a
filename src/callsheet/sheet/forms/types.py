"""Types on the sheet: `module:Type`, a name under `schemas`, a parameter type, or a JSON Schema mapping."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from callsheet.errors import SheetError
from callsheet.secret import Secret
from callsheet.sheet.forms.header_text import key_text
from callsheet.sheet.forms.reading import FormOf, JsonSchema, Reading, Spot, misfit
from callsheet.sheet.forms.scalars import written_text
from callsheet.sheet.tree.findings import Misfit, did_you_mean, one_of
from callsheet.sheet.tree.node import ListNode, MappingNode, Node, Scalar, is_null
from callsheet.values.typeref import PARAMETER_TYPES, TypeRef

_IMPORT = r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*"
IMPORTED = re.compile(_IMPORT)
IMPORT = re.compile(rf"{_IMPORT}|list\[\s*{_IMPORT}\s*\]")
LISTED = re.compile(r"(?:[Ll]ist|[Aa]rray|[Ss]equence|tuple)\[([\w.:]{1,60})(?:, ?\.\.\.)?\]|([\w.:]{1,60})\[\]")
DOTTED = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\.([A-Z]\w*)")
STATUS = re.compile(r"[1-5][0-9][0-9]|[1-5]xx|default")
EXPECTED = "a type: `module:Type`, `list[module:Type]`, a name under `schemas`, a word such as `object`, or a JSON Schema mapping"
VALUES = ("enum", "const", "default", "examples", "example")
"""Keywords whose values are data, and no schemas."""
JSON_TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")
TYPE_SCHEMA: JsonSchema = {"type": ["string", "object"]}


def data_of(node: Node, spot: Spot, reading: Reading) -> Any:
    """The node as plain Python data: examples, JSON Schemas."""
    if isinstance(node, MappingNode):
        return {key_text(key, spot): data_of(value, spot.under(key.text), reading) for key, value in node.entries}
    if isinstance(node, ListNode):
        return [data_of(item, spot, reading) for item in node.items]
    if not isinstance(node, Scalar) or isinstance(node.value, Secret):
        raise misfit(node, spot, "plain data")
    return reading.filled(node).value


def type_ref(node: Node, spot: Spot, reading: Reading) -> TypeRef:
    """Read one type, as it is named on the sheet; nothing is imported."""
    if isinstance(node, MappingNode):
        ref = TypeRef("json_schema", json_schema(node, spot, reading), str(node.place), reading.schemas)
        return checked(ref, node, spot)
    if not isinstance(node, Scalar) or isinstance(node.value, Secret):
        raise misfit(node, spot, EXPECTED, _meant_by_list(node))
    value = reading.filled(node).value
    if isinstance(value, str):
        return _named(value, node, spot, reading)
    if value is None or isinstance(value, bool | int | float | bytes):
        raise misfit(node, spot, EXPECTED)
    return TypeRef("python", value, str(node.place))


TYPE = FormOf(type_ref, TYPE_SCHEMA)


def _named(text: str, node: Scalar, spot: Spot, reading: Reading) -> TypeRef:
    where = str(node.place)
    if ":" in text:
        if not IMPORT.fullmatch(text):
            raise misfit(node, spot, "a type as `package.module:Type` or `list[package.module:Type]`", _respelt(text))
        return TypeRef("import", text, where)
    if text in PARAMETER_TYPES:
        return TypeRef("name", text, where)
    if text in reading.schemas:
        written = reading.schemas[text]
        if not isinstance(written, Mapping):
            return TypeRef("python", written, where)
        return checked(TypeRef("json_schema", written, where, reading.schemas), node, spot)
    if text in reading.schema_names:
        raise Misfit(node.place, f"{spot}: the schema `{text}` cannot be read", "see above")
    raise Misfit(node.place, f"{spot}: no type is called `{text[:60]}`", _respelt(text) or _known(text, reading))


def _meant_by_list(node: Node) -> str:
    """The hint for `[models:User]`, which YAML reads as a list of one text."""
    item = node.items[0] if isinstance(node, ListNode) and len(node.items) == 1 else None
    if isinstance(item, Scalar) and isinstance(item.value, str) and IMPORT.fullmatch(item.value):
        return f'did you mean "list[{item.value[:60]}]"?'
    return ""


def _respelt(text: str) -> str:
    """The hint for a type that is written as Python or another language writes it."""
    listed, dotted = LISTED.fullmatch(text), DOTTED.fullmatch(text)
    if listed:
        inner = listed[1] or listed[2]
        of = DOTTED.sub(r"\1:\2", inner)
        if ":" in of:
            return f"did you mean `list[{of}]`?"
        return f"write `list[module:{inner}]`, or in JSON Schema terms `{{type: array, items: {{...}}}}`"
    if dotted and len(text) <= 60:
        return f"did you mean `{dotted[1]}:{dotted[2]}`?"
    return ""


def _known(text: str, reading: Reading) -> str:
    schemas = f"`schemas` has {one_of(reading.schema_names)}" if reading.schema_names else "there are no `schemas`"
    named = text if re.fullmatch(r"[A-Z][A-Za-z0-9]{0,60}", text) else "Type"
    close = did_you_mean(text, [*reading.schema_names, *PARAMETER_TYPES], cutoff=0.7)
    return close or f"write `module:{named}` or one of {one_of(PARAMETER_TYPES)}; {schemas}"


def checked(ref: TypeRef, node: Node, spot: Spot) -> TypeRef:
    """The type itself. Its JSON Schema is compiled as for a call, so that a mistake in it is found when the sheet is read."""
    from callsheet.values.json_schema import SchemaCodec  # noqa: PLC0415 - only for sheets that hold JSON Schemas

    try:
        SchemaCodec(ref)
    except SheetError as error:
        raise Misfit(node.place, f"{spot}: {error.findings[0].message.removeprefix(f'{ref.where}: ')}") from None
    return ref


def json_schema(node: MappingNode, spot: Spot, reading: Reading) -> dict[str, Any]:
    """A JSON Schema as plain data; its types and references are checked."""
    for key, value in _keywords(node):
        if key == "type" and isinstance(value, Scalar | ListNode):
            _check_types(value, spot, reading)
        if key == "$ref" and isinstance(value, Scalar):
            _check_reference(value, spot, reading)
        if key == "pattern" and isinstance(value, Scalar) and isinstance(value.value, str):
            _check_pattern(value, spot)
    data: dict[str, Any] = data_of(_texts_as_written(node), spot, reading)
    return data


def _texts_as_written(node: Node) -> Node:
    """The schema, with the values of each text in it as they are written: of `{type: string, const: 1.10}` the text `1.10`."""
    if isinstance(node, ListNode):
        return replace(node, items=tuple(map(_texts_as_written, node.items)))
    if not isinstance(node, MappingNode):
        return node
    kind = node.get("type")
    is_text = isinstance(kind, Scalar) and kind.value == "string"
    inner = ((key, _as_text(value) if is_text and key.text in VALUES else value) for key, value in node.entries)
    return replace(node, entries=tuple((key, _texts_as_written(value)) for key, value in inner))


def _as_text(node: Node) -> Node:
    if isinstance(node, ListNode):
        return replace(node, items=tuple(map(_as_text, node.items)))
    text = written_text(node) if isinstance(node, Scalar) else None
    return replace(node, value=text) if isinstance(node, Scalar) and text is not None else node


def _keywords(node: MappingNode) -> Iterator[tuple[str, Node]]:
    """Every keyword of a schema and of the schemas inside; names of properties are no keywords."""
    for key, value in node.entries:
        yield key.text, value
        if key.text in ("properties", "patternProperties", "$defs", "dependentSchemas"):
            inner = [v for _, v in value.entries] if isinstance(value, MappingNode) else []
        elif key.text in VALUES:
            inner = []
        else:
            inner = [value, *(value.items if isinstance(value, ListNode) else ())]
        for schema in inner:
            if isinstance(schema, MappingNode):
                yield from _keywords(schema)


def _check_types(node: Scalar | ListNode, spot: Spot, reading: Reading) -> None:
    for item in node.items if isinstance(node, ListNode) else (node,):
        if isinstance(item, Scalar) and reading.filled(item).value not in JSON_TYPES:
            raise misfit(item, spot.under("type"), one_of(JSON_TYPES), did_you_mean(item.text, JSON_TYPES))


def _check_reference(node: Scalar, spot: Spot, reading: Reading) -> None:
    match = re.fullmatch(r"#/schemas/([^/]+)(/.*)?", node.text)
    if node.text.startswith("#/schemas/") and (match is None or match[1] not in reading.schema_names):
        names = one_of(reading.schema_names) if reading.schema_names else "nothing"
        raise Misfit(node.place, f"{spot}: `$ref` names a schema that is not there", f"`schemas` has {names}")
    if not node.text.startswith("#"):
        raise Misfit(node.place, f"{spot}: `$ref` leaves the sheet", "write `#/schemas/NAME`; nothing is fetched")


def _check_pattern(node: Scalar, spot: Spot) -> None:
    try:
        re.compile(node.value)
    except re.error:
        raise Misfit(
            node.place, f"{spot}: `pattern` is no regular expression", "mend it, or put it in single quotes"
        ) from None


def returns(node: Node, spot: Spot, reading: Reading) -> TypeRef | dict[int | str, TypeRef | None]:
    """Read a type, or a mapping from status to type or null."""
    if not isinstance(node, MappingNode) or not _is_by_status(node):
        return type_ref(node, spot, reading)
    by_status: dict[int | str, TypeRef | None] = {}
    for key, value in node.entries:
        try:
            status = _status(key, spot)
            by_status[status] = None if is_null(value) else type_ref(value, spot.under(key.text), reading)
        except Misfit as wrong:
            reading.findings.add(wrong)
    return by_status


_BY_STATUS = {"type": "object", "patternProperties": {f"^({STATUS.pattern})$": {"type": ["string", "object", "null"]}}}
RETURNS = FormOf(returns, {"anyOf": [TYPE_SCHEMA, _BY_STATUS]})


def _is_by_status(node: MappingNode) -> bool:
    """Whether a mapping is by status, and no JSON Schema: it has a key that begins with a digit, or `default` alone."""
    keys = [key.text for key, _ in node.entries]
    return any(key[:1].isdigit() for key in keys) or keys == ["default"]


def _status(key: Scalar, spot: Spot) -> int | str:
    if not STATUS.fullmatch(key.text):
        raise Misfit(key.place, f"{spot}: expected a status such as `200`, `2xx` or `default`")
    return int(key.text) if key.text.isdigit() else key.text
