"""How parameters are read: those under `path`, `query` and `header`, and the fields of `form` and `multipart`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from callsheet.secret import Secret
from callsheet.sheet.forms.header_text import checked_line, header_name, header_value, key_text
from callsheet.sheet.forms.reading import FormOf, JsonSchema, Reading, Spot, is_function, misfit
from callsheet.sheet.forms.record import Key, check_keys
from callsheet.sheet.forms.scalars import SWITCH, Text, is_respelled, switch, written_text
from callsheet.sheet.forms.types import data_of
from callsheet.sheet.forms.variables import has_reference
from callsheet.sheet.tree.findings import Misfit, did_you_mean, one_of
from callsheet.sheet.tree.node import ListNode, MappingNode, Node, Scalar, is_null
from callsheet.sheet.words.operation import Location, Parameter
from callsheet.values.text import python_type, spelled
from callsheet.values.typeref import FILE, PARAMETER_TYPES, TypeRef

FORMATS = {"date": "date", "datetime": "date-time", "uuid": "uuid"}
BOUNDS = {
    "minimum": ("integer", "number"), "maximum": ("integer", "number"),
    "exclusiveMinimum": ("integer", "number"), "exclusiveMaximum": ("integer", "number"),
    "multipleOf": ("integer", "number"), "minLength": ("string",), "maxLength": ("string",), "pattern": ("string",),
    "minItems": ("array",), "maxItems": ("array",), "items": ("array",), "format": ("string",),
}  # fmt: skip
"""Each term, and the types whose values it can restrict."""


DATA = FormOf(data_of, {})
KEYS = (
    Key("type", Text(one_of(PARAMETER_TYPES)), "the type of its value"),
    *(Key(name, DATA) for name in ("enum", *BOUNDS)),
    Key("description", Text(), "shown on the docs page"),
    Key("required", SWITCH, "path parameters always are"),
    Key("default", DATA, "what the server assumes; not sent"),
    Key("value", DATA, "always sent, and cannot be given"),
    Key("secret", SWITCH, "its value is never shown"),
)


@dataclass(frozen=True, slots=True)
class Declarations:
    """The parameters declared for one location: the path, the query, the headers, or a body's fields, one at least."""

    location: Location

    @property
    def _is_body(self) -> bool:
        return self.location in ("form", "multipart")

    @property
    def _words(self) -> tuple[str, ...]:
        return (*PARAMETER_TYPES, FILE) if self.location == "multipart" else PARAMETER_TYPES

    def read(self, node: Node, spot: Spot, reading: Reading) -> tuple[Parameter, ...]:
        """The parameters in the order of the sheet."""
        if not isinstance(node, MappingNode):
            raise misfit(node, spot, "a mapping from parameter name to type")
        if self._is_body and not node.entries:
            raise Misfit(node.place, f"{spot}: no fields", "name one at least: `{name: string}`")
        parameters = []
        for key, value in node.entries:
            try:
                if not is_null(value):
                    parameters.append(self._parameter(key, value, spot, reading))
            except Misfit as wrong:
                reading.findings.add(wrong)
        return tuple(parameters)

    def schema(self) -> JsonSchema:
        """The JSON Schema of the values that are read."""
        types: JsonSchema = {"enum": list(self._words)}
        terms = {key.name: key.form.schema() for key in KEYS if key.form} | {"type": types}
        full: JsonSchema = {"type": "object", "properties": terms, "additionalProperties": False}
        some: JsonSchema = {"minProperties": 1} if self._is_body else {}
        return {"type": "object", "additionalProperties": {"anyOf": [types, full, {"type": "null"}]}, **some}

    def _parameter(self, key: Scalar, node: Node, spot: Spot, reading: Reading) -> Parameter:
        name = header_name(key, spot) if self.location == "header" else key_text(key, spot)
        spot = spot.under(name)
        if not isinstance(node, MappingNode):
            ref = _type(node, spot, reading, self._words)
            return Parameter(name, self.location, ref, self.location == "path", where=str(key.place))
        check_keys(node, KEYS, "parameter", spot, reading.findings)
        terms = {k.text: v for k, v in node.entries if not is_null(v)}
        ref = _type_of(terms, node, spot, reading, self._words)
        return Parameter(
            name,
            self.location,
            ref,
            required=self._is_required(terms, spot, reading),
            **self._given(terms, ref, spot, reading),
            secret=_switched("secret", terms, spot, reading),
            description=_described(terms, spot, reading),
            where=str(key.place),
        )

    def _is_required(self, terms: Mapping[str, Node], spot: Spot, reading: Reading) -> bool:
        if self.location != "path":
            return _switched("required", terms, spot, reading)
        if "required" in terms and not _switched("required", terms, spot, reading):
            raise misfit(terms["required"], spot.under("required"), "true", "a path parameter is always required")
        return True

    def _given(self, terms: Mapping[str, Node], ref: TypeRef, spot: Spot, reading: Reading) -> dict[str, Any]:
        """`value` or `default`, if one of them is written."""
        given: dict[str, Any] = {}
        if "default" in terms:
            given["default"] = _as_written(terms["default"], ref.value, spot.under("default"), reading)
        value = terms.get("value")
        if value is None:
            return given
        if "default" in terms:
            raise Misfit(
                value.place, f"{spot}: `value` and `default`", "`value` is always sent, `default` never: keep one"
            )
        is_secret = _switched("secret", terms, spot, reading)
        if self.location == "header" and isinstance(value, Scalar) and not is_secret:
            given["value"] = header_value(value, spot, reading)
        elif isinstance(value, Scalar) and (is_secret or _comes_from_outside(value)):
            secret = reading.secret(value, spot.under("value"))
            given["value"] = secret if self._is_body else checked_line(secret, value, spot)
        else:
            plain = isinstance(value, Scalar) and type(value.value) is int and not is_respelled(value)
            kind = None if plain else ref.value
            given["value"] = _as_written(value, kind, spot.under("value"), reading)
        return given


def _as_written(node: Node, kind: Any, spot: Spot, reading: Reading) -> Any:
    """Plain data of a type, in which a number is sent as it was written. Where that type is a text, it is that text."""
    terms = kind if isinstance(kind, Mapping) else {"type": kind}
    if isinstance(node, ListNode):
        return [_as_written(item, terms.get("items"), spot, reading) for item in node.items]
    data = data_of(node, spot, reading)
    if not isinstance(node, Scalar):
        return data
    filled = reading.filled(node)
    text = written_text(filled) if terms.get("type") == "string" and "format" not in terms else None
    return spelled(data, filled.text) if text is None else text


def _comes_from_outside(value: Scalar) -> bool:
    """Whether a value is a secret even without `secret: true`: it comes from a variable, a function or a Secret."""
    if isinstance(value.value, Secret) or is_function(value):
        return True
    return isinstance(value.value, str) and has_reference(value.text)


def _switched(name: str, terms: Mapping[str, Node], spot: Spot, reading: Reading) -> bool:
    return name in terms and switch(terms[name], spot.under(name), reading)


def _described(terms: Mapping[str, Node], spot: Spot, reading: Reading) -> str:
    node = terms.get("description")
    return Text(may_be_empty=True).read(node, spot.under("description"), reading) if node else ""


def _type(node: Node, spot: Spot, reading: Reading, words: tuple[str, ...]) -> TypeRef:
    value = reading.filled(node).value if isinstance(node, Scalar) and not isinstance(node.value, Secret) else None
    if isinstance(value, str) and value in words:
        return TypeRef("name", value, str(node.place))
    if isinstance(node, Scalar) and value is not None and not isinstance(value, str | bool | int | float | bytes):
        return TypeRef("python", value, str(node.place))
    close = did_you_mean(value, words) if isinstance(value, str) else ""
    raise misfit(node, spot, one_of(words), close or "or a mapping such as `{type: string, enum: [a, b]}`")


def _type_of(
    terms: Mapping[str, Node], node: MappingNode, spot: Spot, reading: Reading, words: tuple[str, ...]
) -> TypeRef:
    kind = (
        _type(terms["type"], spot.under("type"), reading, words)
        if "type" in terms
        else TypeRef("name", "string", str(node.place))
    )
    _refuse_of_files(kind, terms, spot)
    schema = {name: data_of(terms[name], spot.under(name), reading) for name in BOUNDS if name in terms}
    if "enum" in terms:
        one = {"type": "array", "items": schema.get("items") if kind.value == "array" else {"type": kind.value}}
        schema["enum"] = _as_written(terms["enum"], one, spot.under("enum"), reading)
    if not schema or kind.kind == "python":
        return kind
    for name in schema:
        if name in BOUNDS and kind.value not in BOUNDS[name]:
            raise Misfit(
                terms[name].place, f"{spot}: `{name}` says nothing of a value of type `{kind.value}`", "remove it"
            )
    schema = {"type": kind.value, **schema}
    if kind.value in FORMATS:
        schema |= {"type": "string", "format": FORMATS[kind.value]}
    if "enum" in schema and not (isinstance(schema["enum"], list) and schema["enum"]):
        raise misfit(terms["enum"], spot.under("enum"), "a list of the values that are allowed")
    _check_builds(schema, terms, spot)
    return TypeRef("json_schema", schema, str(node.place))


def _refuse_of_files(kind: TypeRef, terms: Mapping[str, Node], spot: Spot) -> None:
    for name in ("value", "default", "secret", "enum") if kind.value == FILE else ():
        if name in terms:
            raise Misfit(terms[name].place, f"{spot}: `{name}` says nothing of a file", "remove it")


def _check_builds(schema: Mapping[str, Any], terms: Mapping[str, Node], spot: Spot) -> None:
    """Refuse terms that Pydantic can make no type of: it is made here as the first call would make it."""
    from pydantic import TypeAdapter  # noqa: PLC0415 - only for parameters with terms
    from pydantic.errors import PydanticUserError  # noqa: PLC0415
    from pydantic_core import SchemaError  # noqa: PLC0415

    try:
        TypeAdapter(python_type(schema))
    except (PydanticUserError, TypeError, ValueError, KeyError, SchemaError):
        names = [name for name in terms if name in ("enum", *BOUNDS)]
        raise Misfit(
            terms[names[0]].place, f"{spot}: {one_of(names)} cannot be used as written", "see JSON Schema 2020-12"
        ) from None
