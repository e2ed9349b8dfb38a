"""Operations on the sheet: how the request and the result of one are read and checked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from callsheet.sheet.forms.reading import FormOf, Reading, Spot, Unread, misfit
from callsheet.sheet.forms.record import Key, check_keys, read_keys
from callsheet.sheet.forms.scalars import SWITCH, ListOf, Text, scalar
from callsheet.sheet.forms.types import RETURNS, TYPE, data_of
from callsheet.sheet.tree.findings import Misfit, Noted, did_you_mean, nearest, one_of
from callsheet.sheet.tree.node import MappingNode, Node, Scalar, entries, is_null
from callsheet.sheet.words.addresses import PATH_TEMPLATE, parameters_of
from callsheet.sheet.words.bodies import CONTENT, FIELDS, FORM
from callsheet.sheet.words.cache import check_cache
from callsheet.sheet.words.fallback import check_stream
from callsheet.sheet.words.operation import BODIES, MISSING, STREAMS, Operation, Parameter, Stream
from callsheet.sheet.words.parameters import Declarations
from callsheet.values.typeref import PARAMETER_TYPES, TypeRef

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
OUTSIDE_BODY = ("path", "query", "header")


def _examples(node: Node, spot: Spot, reading: Reading) -> Any:
    """The examples, any data, by name."""
    if not isinstance(node, MappingNode):
        raise misfit(node, spot, "a mapping from a name to an example")
    return data_of(node, spot, reading)


def _stream(node: Node, spot: Spot, reading: Reading) -> bool | Stream:
    """Whether the answer is read as it comes, or what it is then made of."""
    filled = scalar(node, spot, reading, "true or false")
    if isinstance(filled.value, bool) or filled.value in STREAMS:
        return cast(bool | Stream, filled.value)
    close = did_you_mean(filled.value, STREAMS) if isinstance(filled.value, str) and not filled.hidden else ""
    raise misfit(filled, spot, "true or false", close or f"or what it is made of: {one_of(STREAMS)}")


_STREAM = FormOf(_stream, {"anyOf": [*SWITCH.schema()["anyOf"], {"enum": list(STREAMS)}]})
OWN_KEYS = (
    *(
        Key(method, PATH_TEMPLATE, f"the path of a {method.upper()} request, such as `/users/{{id}}`")
        for method in METHODS
    ),
    Key("summary", Text(may_be_empty=True), "one line, shown on the docs page"),
    Key("description", Text(may_be_empty=True), "shown on the docs page"),
    Key("tags", ListOf(Text(), "texts"), "for grouping on the docs page"),
    Key("deprecated", SWITCH, "do not use it any more"),
    Key("examples", FormOf(_examples, {"type": "object"}), "examples by name, for the docs page"),
    Key("path", Declarations("path"), "types of the path's parameters"),
    Key("query", Declarations("query"), "parameters in the query"),
    Key("header", Declarations("header"), "parameters in headers"),
    Key("cookie"),
    Key("json", TYPE, "the type of the JSON body", is_replaced_whole=True),
    Key("form", FORM, "the fields of a form body, or a type that has them", is_replaced_whole=True),
    Key("multipart", FIELDS, "the fields and files of a multipart body", is_replaced_whole=True),
    Key("content", CONTENT, "the media type of a body that is sent as it is", is_replaced_whole=True),
    Key("returns", RETURNS, "the type of the result, or a mapping from status to type", is_replaced_whole=True),
    Key("safe", SWITCH, "whether a call only reads; else what its method says"),
    Key("stream", _STREAM, "a call gives the answer to be read as it comes, or as its lines, JSON lines or events"),
)


def read_operation(
    key: Scalar, node: MappingNode, settings: tuple[Key, ...], spot: Spot, reading: Reading
) -> Operation | None:
    """The operation; None if its method or path cannot be read."""
    keys = (*OWN_KEYS, *settings)
    check_keys(node, keys, "operation", spot, reading.findings)
    read = read_keys(node, OWN_KEYS, spot, reading)
    values = {name: written.value for name, written in read.items() if not isinstance(written.value, Unread)}
    layer = read_keys(node, settings, spot, reading)
    _warn_of_types(node, spot, reading)
    _warn_of_type_of_body(node, values, spot, reading)
    try:
        method, template = _method(key, node, keys, spot)
    except Misfit as wrong:
        reading.findings.add(wrong)
        return None
    if method not in values:
        return None
    in_path = _in_path(values[method], values.get("path", ()), str(template.place))
    parameters = (*in_path, *values.get("query", ()), *values.get("header", ()))
    others = {name: value for name, value in values.items() if name not in (*METHODS, *OUTSIDE_BODY)}
    where = str(key.place)
    operation = Operation(key.text, method.upper(), values[method], parameters, **others, where=where, layer=layer)
    _check_path(operation, values.get("path", ()), node, spot, reading)
    _check_arguments(operation, node, template, spot, reading)
    _check_content(operation, node, spot, reading)
    _check_together(operation, node, spot, reading)
    is_stream = bool(operation.stream)
    check_cache(
        layer, operation.method, is_safe=operation.safe, streams=is_stream, spot=spot, findings=reading.findings
    )
    return operation


def _warn_of_type_of_body(node: MappingNode, values: dict[str, Any], spot: Spot, reading: Reading) -> None:
    """Warn of a `Content-Type` under `headers`: the type of the body itself is sent instead."""
    body = next((name for name in BODIES if name in values), None)
    for key, _ in entries(node.get("headers")):
        if body is not None and key.text.lower() == "content-type":
            message = f"{spot.under(f'headers.{key.text}')} is not sent: `{body}` has a type of its own"
            reading.findings.warn(Misfit(key.place, message, "`header: {Content-Type: {value: ...}}` sets another"))


def _warn_of_types(node: MappingNode, spot: Spot, reading: Reading) -> None:
    """Warn of `params: {page: integer}`: it sends the word `integer`, and was meant to declare a parameter."""
    for name, declared in (("params", "query"), ("headers", "header")):
        for key, value in entries(node.get(name)):
            if isinstance(value, Scalar) and value.value in PARAMETER_TYPES:
                message = f"{spot.under(f'{name}.{key.text}')} is sent as the text `{value.value}`"
                hint = f"a parameter is declared under `{declared}`"
                reading.findings.warn(Misfit(value.place, message, hint))


def _method(key: Scalar, node: MappingNode, keys: tuple[Key, ...], spot: Spot) -> tuple[str, Node]:
    """The method of an operation, and the node of its path template."""
    written = [(method, value) for method, value in node.entries if method.text in METHODS and not is_null(value)]
    unknown = {name.text for name, _ in node.entries} - {each.name for each in keys} if not written else ()
    if any(nearest(name, METHODS) for name in unknown):
        raise Noted(key.place)  # as an unknown key, with the method that was meant
    if not written:
        raise Misfit(key.place, f"{spot}: no method", f"write one of {one_of(METHODS)} with the path: `get: /users`")
    *others, (method, template) = written
    if others:
        beside = one_of(other.text for other, _ in others)
        raise Misfit(method.place, f"{spot}: `{method.text}` beside {beside}", "an operation has one method")
    return method.text, template


def _in_path(path: str, declared: Iterable[Parameter], where: str) -> list[Parameter]:
    """The parameters that the path names. One that is not declared is a string."""
    known = {parameter.name: parameter for parameter in declared}
    text = TypeRef("name", "string", where)
    names = parameters_of(path)
    return [known.get(name) or Parameter(name, "path", text, required=True, where=where) for name in names]


def _key_of(parameter: Parameter, node: MappingNode) -> Scalar | None:
    """The key that declares a parameter; None for one that only the path names."""
    declared = node.get(parameter.location)
    return declared.key(parameter.name) if isinstance(declared, MappingNode) else None


def _check_path(
    operation: Operation, declared: Iterable[Parameter], node: MappingNode, spot: Spot, reading: Reading
) -> None:
    names = set(parameters_of(operation.path))
    for parameter in declared:
        if parameter.name not in names and (key := _key_of(parameter, node)):
            short = f"`{operation.method.lower()}: {operation.path}`"
            template = short if len(operation.path) < 80 else "the path"
            message = f"{spot.under('path')}: `{parameter.name}` is not in {template}"
            hint = f"write `{{{parameter.name}}}` into the path, or move it to `query`"
            reading.findings.add(Misfit(key.place, message, hint))


def _check_arguments(operation: Operation, node: MappingNode, template: Node, spot: Spot, reading: Reading) -> None:
    taken: dict[str, Parameter] = {}
    for parameter in (*operation.parameters, *operation.fields):
        if parameter.value is not MISSING:
            continue
        other = taken.setdefault(parameter.argument, parameter)
        if other is not parameter:
            message = (
                f"{spot}: `{other.name}` in {other.location} and `{parameter.name}` in {parameter.location} "
                f"are both given as `{parameter.argument}`"
            )
            hint = "a call could not tell them apart: rename or remove one, or fix one with `value`"
            reading.findings.add(Misfit((_key_of(parameter, node) or template).place, message, hint))


def _check_content(operation: Operation, node: MappingNode, spot: Spot, reading: Reading) -> None:
    for parameter in operation.parameters if operation.content is not None else ():
        is_given = parameter.argument == "content" and parameter.value is MISSING
        if is_given and (key := _key_of(parameter, node)):
            message = f"{spot}: `{parameter.name}` in {parameter.location} and the body are both given as `content`"
            reading.findings.add(Misfit(key.place, message, "rename it, or fix it with `value`"))


def _check_together(operation: Operation, node: MappingNode, spot: Spot, reading: Reading) -> None:
    bodies = [key for key, _ in node.entries if key.text in BODIES and getattr(operation, key.text) is not None]
    for key in bodies[1:]:
        message = f"{spot}: `{key.text}` beside `{bodies[0].text}`"
        reading.findings.add(Misfit(key.place, message, "a request has one body: keep one"))
    if not operation.stream:
        return
    stream, returns = node.key("stream"), operation.returns
    if stream is not None and returns is not None:
        hint = "what is read as it comes has no typed result: keep one"
        reading.findings.add(Misfit(stream.place, f"{spot}: `stream` beside `returns`", hint))
    check_stream(operation.layer, spot, reading.findings)
