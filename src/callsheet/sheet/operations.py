"""One operation on the sheet: read and checked, not yet an Operation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from callsheet.sheet.addresses import PathTemplate, parameters_of
from callsheet.sheet.bodies import FIELDS, FormFields, MediaType
from callsheet.sheet.fallback import check_stream
from callsheet.sheet.findings import Misfit, one_of
from callsheet.sheet.node import MappingNode, Node, Scalar, entries
from callsheet.sheet.parameters import Data, Declarations, ParameterSheet, argument_name
from callsheet.sheet.reading import JsonSchema, Reading, Spot, Unread, misfit
from callsheet.sheet.record import Key, Layer, check_keys, read_keys
from callsheet.sheet.scalars import ListOf, Switch, Text
from callsheet.sheet.types import Returns, Type
from callsheet.values.typeref import PARAMETER_TYPES, TypeRef

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
LOCATIONS = ("path", "query", "header")
BODIES = ("json", "form", "multipart", "content")


class Examples:
    """A mapping from name to any data."""

    def read(self, node: Node, spot: Spot, reading: Reading) -> Any:
        """Name -> example."""
        if not isinstance(node, MappingNode):
            raise misfit(node, spot, "a mapping from a name to an example")
        return Data().read(node, spot, reading)

    def schema(self) -> JsonSchema:
        """The same in JSON Schema terms."""
        return {"type": "object"}


OWN_KEYS = (
    *(
        Key(method, PathTemplate(), f"the path of a {method.upper()} request, such as `/users/{{id}}`")
        for method in METHODS
    ),
    Key("summary", Text(may_be_empty=True), "one line, shown on the docs page"),
    Key("description", Text(may_be_empty=True), "shown on the docs page"),
    Key("tags", ListOf(Text(), "texts"), "for grouping on the docs page"),
    Key("deprecated", Switch(), "do not use it any more"),
    Key("examples", Examples(), "examples by name, for the docs page"),
    Key("path", Declarations("path"), "types of the path's parameters"),
    Key("query", Declarations("query"), "parameters in the query"),
    Key("header", Declarations("header"), "parameters in headers"),
    Key("cookie"),
    Key("json", Type(), "the type of the JSON body", is_replaced_whole=True),
    Key("form", FormFields(), "the fields of a form body, or a type that has them", is_replaced_whole=True),
    Key("multipart", FIELDS, "the fields and files of a multipart body", is_replaced_whole=True),
    Key("content", MediaType(), "the media type of a body that is sent as it is", is_replaced_whole=True),
    Key("returns", Returns(), "the type of the result, or a mapping from status to type", is_replaced_whole=True),
    Key("stream", Switch(), "whether a call gives the answer to be read as it comes"),
)


@dataclass(frozen=True, slots=True)
class OperationSheet:
    """One operation as it stands on the sheet: its request, its result, and its own settings (`layer`)."""

    name: str
    method: str
    path: str
    parameters: tuple[ParameterSheet, ...] = ()
    json: TypeRef | None = None
    form: tuple[ParameterSheet, ...] | TypeRef | None = None
    multipart: tuple[ParameterSheet, ...] | None = None
    content: str | None = None
    returns: TypeRef | Mapping[int | str, TypeRef | None] | None = None
    stream: bool = False
    summary: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    deprecated: bool = False
    examples: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""
    layer: Layer = field(default_factory=dict, repr=False)

    @property
    def fields(self) -> tuple[ParameterSheet, ...]:
        """The fields of its form or multipart body."""
        return fields_of(self.form, self.multipart)

    @property
    def arguments(self) -> frozenset[str]:
        """The names by which a call gives its parameters and fields."""
        return frozenset(argument_name(p.name, p.location) for p in (*self.parameters, *self.fields))


def read_operation(
    key: Scalar, node: MappingNode, settings: tuple[Key, ...], spot: Spot, reading: Reading
) -> OperationSheet | None:
    """The operation; None if its method or path cannot be told."""
    known = (*OWN_KEYS, *settings)
    check_keys(node, known, "operation", spot, reading.findings)
    read = read_keys(node, OWN_KEYS, spot, reading)
    values = {name: written.value for name, written in read.items() if not isinstance(written.value, Unread)}
    layer = read_keys(node, settings, spot, reading)
    _warn_of_types(node, spot, reading)
    _warn_of_type_of_body(node, values, spot, reading)
    try:
        method = _method(key, node, spot)
        if method not in values:
            return None
        parameters = _parameters(values, node, method, spot, reading)
        _check_together(values, node, spot, reading)
        if values.get("stream"):
            check_stream(layer, spot, reading.findings)
    except Misfit as wrong:
        reading.findings.add(wrong)
        return None
    plain = {name: value for name, value in values.items() if name not in (*METHODS, *LOCATIONS)}
    facts: dict[str, Any] = {"where": str(key.place), "layer": layer}
    return OperationSheet(key.text, method.upper(), values[method], parameters, **plain, **facts)


def _warn_of_type_of_body(node: MappingNode, values: dict[str, Any], spot: Spot, reading: Reading) -> None:
    """A body has a type of its own, which counts above one of `headers`."""
    body = next((name for name in BODIES if name in values), None)
    for key, _ in entries(node.get("headers")):
        if body is not None and key.text.lower() == "content-type":
            message = f"{spot.under(f'headers.{key.text}')} is not sent: `{body}` has a type of its own"
            reading.findings.warn(Misfit(key.place, message, "`header: {Content-Type: {value: ...}}` sets another"))


def _warn_of_types(node: MappingNode, spot: Spot, reading: Reading) -> None:
    """`params: {page: integer}` sends the word, and was meant to declare a parameter."""
    for name, declared in (("params", "query"), ("headers", "header")):
        for key, value in entries(node.get(name)):
            if isinstance(value, Scalar) and value.value in PARAMETER_TYPES:
                message = f"{spot.under(f'{name}.{key.text}')} is sent as the text `{value.value}`"
                hint = f"a parameter is declared under `{declared}`"
                reading.findings.warn(Misfit(value.place, message, hint))


def _method(key: Scalar, node: MappingNode, spot: Spot) -> str:
    written = [k for k, value in node.entries if k.text in METHODS and not _is_nothing(value)]
    if not written:
        raise Misfit(key.place, f"{spot}: no method", f"write one of {one_of(METHODS)} with the path: `get: /users`")
    if len(written) > 1:
        others = one_of(k.text for k in written[:-1])
        raise Misfit(written[-1].place, f"{spot}: `{written[-1].text}` beside {others}", "an operation has one method")
    return written[0].text


def _check_together(values: Mapping[str, Any], node: MappingNode, spot: Spot, reading: Reading) -> None:
    bodies = [(key, key.text) for key, _ in node.entries if key.text in BODIES and key.text in values]
    for key, name in bodies[1:]:
        message = f"{spot}: `{name}` beside `{bodies[0][1]}`"
        reading.findings.add(Misfit(key.place, message, "a request has one body: keep one"))
    stream, returns = node.key("stream"), node.key("returns")
    if values.get("stream") and stream and returns and "returns" in values:
        hint = "what is read as it comes has no typed result: keep one"
        reading.findings.add(Misfit(stream.place, f"{spot}: `stream` beside `returns`", hint))


def _is_nothing(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def _parameters(
    values: Mapping[str, Any], node: MappingNode, method: str, spot: Spot, reading: Reading
) -> tuple[ParameterSheet, ...]:
    declared: dict[str, ParameterSheet] = {p.name: p for p in values.get("path", ())}
    names = parameters_of(values[method])
    for parameter in declared.values():
        if parameter.name not in names and parameter.node:
            template = f"`{method}: {values[method]}`" if len(values[method]) < 80 else "the path"
            message = f"{spot.under('path')}: `{parameter.name}` is not in {template}"
            reading.findings.add(
                Misfit(
                    parameter.node.place, message, f"write `{{{parameter.name}}}` into the path, or move it to `query`"
                )
            )
    template_node = node.get(method)
    where = str(template_node.place) if template_node else ""
    text = TypeRef("name", "string", where)
    path = [declared.get(name) or ParameterSheet(name, "path", text, required=True, where=where) for name in names]
    parameters = (*path, *values.get("query", ()), *values.get("header", ()))
    fields = fields_of(values.get("form"), values.get("multipart"))
    _check_arguments((*parameters, *fields), template_node, spot, reading)
    if "content" in values:
        _check_content(parameters, spot, reading)
    return parameters


def fields_of(form: Any, multipart: tuple[ParameterSheet, ...] | None) -> tuple[ParameterSheet, ...]:
    """The declared fields of a body."""
    return (*(form if isinstance(form, tuple) else ()), *(multipart or ()))


def _check_content(parameters: tuple[ParameterSheet, ...], spot: Spot, reading: Reading) -> None:
    for parameter in parameters:
        named = argument_name(parameter.name, parameter.location)
        if named == "content" and "value" not in parameter.given and parameter.node is not None:
            message = f"{spot}: `{parameter.name}` in {parameter.location} and the body are both given as `content`"
            reading.findings.add(Misfit(parameter.node.place, message, "rename it, or fix it with `value`"))


def _check_arguments(
    parameters: tuple[ParameterSheet, ...], template: Node | None, spot: Spot, reading: Reading
) -> None:
    taken: dict[str, ParameterSheet] = {}
    for parameter in parameters:
        if "value" in parameter.given:
            continue
        argument = argument_name(parameter.name, parameter.location)
        other = taken.setdefault(argument, parameter)
        node = parameter.node or template
        if other is not parameter and node is not None:
            message = (
                f"{spot}: `{other.name}` in {other.location} and `{parameter.name}` in {parameter.location} "
                f"are both given as `{argument}`"
            )
            hint = "a call could not tell them apart: rename or remove one, or fix one with `value`"
            reading.findings.add(Misfit(node.place, message, hint))
