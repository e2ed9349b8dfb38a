"""Readers of `form`, `multipart` and `content`, the bodies of an operation that are not JSON."""

from __future__ import annotations

from callsheet.sheet.forms.reading import JsonSchema, Reading, Spot, misfit
from callsheet.sheet.forms.scalars import Text
from callsheet.sheet.forms.types import TYPE_SCHEMA, type_ref
from callsheet.sheet.tree.findings import Misfit
from callsheet.sheet.tree.node import MappingNode, Node
from callsheet.sheet.words.operation import Location, Parameter
from callsheet.sheet.words.parameters import Declarations
from callsheet.values.typeref import PARAMETER_TYPES, TypeRef

EXPECTED = "a mapping from field name to type, or the name of a type that has fields"
TCHAR = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
MEDIA_TYPE = rf"{TCHAR}/{TCHAR}( *;[ -~]*[!-~])?"
"""RFC 9110 8.3.1."""


class BodyFields:
    """The fields of a form or multipart body; there must be at least one."""

    def __init__(self, location: Location) -> None:
        self._declarations = Declarations(location)

    def read(self, node: Node, spot: Spot, reading: Reading) -> tuple[Parameter, ...]:
        """The fields in the order of the sheet."""
        if isinstance(node, MappingNode) and not node.entries:
            raise Misfit(node.place, f"{spot}: no fields", "name one at least: `{name: string}`")
        return self._declarations.read(node, spot, reading)

    def schema(self) -> JsonSchema:
        """The JSON Schema of the values that are read."""
        return {**self._declarations.schema(), "minProperties": 1}


FIELDS = BodyFields("multipart")


class FormFields:
    """The fields of a form, or the name of a type with such fields."""

    def __init__(self) -> None:
        self._fields = BodyFields("form")

    def read(self, node: Node, spot: Spot, reading: Reading) -> tuple[Parameter, ...] | TypeRef:
        """The fields in the order of the sheet, or the type."""
        if isinstance(node, MappingNode):
            return self._fields.read(node, spot, reading)
        ref = type_ref(node, spot, reading)
        if ref.kind == "name" and ref.value != "object":
            raise misfit(node, spot, EXPECTED)
        return ref

    def schema(self) -> JsonSchema:
        """The JSON Schema of the values that are read."""
        without_fields = [word for word in PARAMETER_TYPES if word != "object"]
        named: JsonSchema = {**TYPE_SCHEMA, "type": "string", "not": {"enum": without_fields}}
        return {"anyOf": [named, self._fields.schema()]}


CONTENT = Text(
    "a media type such as `text/csv`", MEDIA_TYPE, json_schema={"type": "string", "pattern": rf"^{MEDIA_TYPE}$|\$\{{"}
)
