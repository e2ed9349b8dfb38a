"""Readers of `form`, `multipart` and `content`, the bodies of an operation that are not JSON."""

from __future__ import annotations

from callsheet.sheet.forms.reading import FormOf, JsonSchema, Reading, Spot, misfit
from callsheet.sheet.forms.scalars import Text
from callsheet.sheet.forms.types import TYPE_SCHEMA, type_ref
from callsheet.sheet.tree.node import MappingNode, Node
from callsheet.sheet.words.operation import Parameter
from callsheet.sheet.words.parameters import Declarations
from callsheet.values.typeref import PARAMETER_TYPES, TypeRef

EXPECTED = "a mapping from field name to type, or the name of a type that has fields"
TCHAR = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
MEDIA_TYPE = rf"{TCHAR}/{TCHAR}( *;[ -~]*[!-~])?"
"""RFC 9110 8.3.1."""


FIELDS = Declarations("multipart")
FORM_FIELDS = Declarations("form")


def form_fields(node: Node, spot: Spot, reading: Reading) -> tuple[Parameter, ...] | TypeRef:
    """Read the fields of a form in the order of the sheet, or the name of a type with such fields."""
    if isinstance(node, MappingNode):
        return FORM_FIELDS.read(node, spot, reading)
    ref = type_ref(node, spot, reading)
    if ref.kind == "name" and ref.value != "object":
        raise misfit(node, spot, EXPECTED)
    return ref


def form_schema() -> JsonSchema:
    """The JSON Schema of what `form_fields` reads."""
    without_fields = [word for word in PARAMETER_TYPES if word != "object"]
    return {"anyOf": [{**TYPE_SCHEMA, "type": "string", "not": {"enum": without_fields}}, FORM_FIELDS.schema()]}


FORM = FormOf(form_fields, form_schema())
CONTENT = Text(
    "a media type such as `text/csv`", MEDIA_TYPE, json_schema={"type": "string", "pattern": rf"^{MEDIA_TYPE}$|\$\{{"}
)
