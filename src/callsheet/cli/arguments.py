"""Makes the arguments of a declared operation from the items of a command line.

Typed text becomes a value of the declared type. Text that does not fit is passed on as it was typed, so that the
operation's own check reports all problems at once.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, get_type_hints, is_typeddict

from pydantic import BaseModel, TypeAdapter, ValidationError

from callsheet.cli.items import ItemArgument, shown
from callsheet.cli.uploads import content_of, file_of
from callsheet.errors import ArgumentError, SheetError
from callsheet.sheet.tree.findings import did_you_mean, one_of
from callsheet.sheet.words.operation import LOCATIONS, Location, Operation, Parameter
from callsheet.values.codec import resolve
from callsheet.values.text import PYTHON_TYPES, Texter, python_type
from callsheet.values.typeref import FILE, TypeRef

OUTSIDE = ("path", "query", "header")
Convert = Callable[[list[str]], Any]
BRACKETS = re.compile(r"([^\[\]]+)((?:\[[^\[\]]+\])+)")
STEP = re.compile(r"\[([^\[\]]+)\]")


class Typed(NamedTuple):
    """The arguments, and the undeclared header fields, that the items of a command line give to a call."""

    arguments: dict[str, Any]
    headers: dict[str, str]


def typed(operation: Operation, items: Iterable[ItemArgument]) -> Typed:
    """Sort the items into arguments of the operation and header fields that it does not declare. Raises ArgumentError."""
    taken = ArgumentNames(operation)
    texts: dict[str, list[str]] = {}
    converts: dict[str, Convert] = {}
    arguments: dict[str, Any] = {}
    headers: dict[str, str] = {}
    given, nested = taken.nested_in(items)
    files: dict[str, list[Any]] = {}
    for item in given:
        if item.kind == "header" and item.value is None:
            continue
        if item.kind == "header" and not taken.is_parameter(item.name, "header"):
            headers[item.name] = item.value
        elif item.kind in ("file", "body"):
            files.setdefault(taken.file(item), []).append(_file_of(item, operation))
            if item.kind == "body" and item.value.media_type:
                headers.setdefault("Content-Type", item.value.media_type)
        elif item.kind == "json":
            arguments[taken.argument(item.name)] = item.value
        else:
            name, converts[name] = taken.taking(item)
            texts.setdefault(name, []).append(item.value)
    arguments |= {name: found[0] if len(found) == 1 else found for name, found in files.items()}
    twice = texts.keys() & arguments.keys() or nested.keys() & (texts.keys() | arguments.keys())
    if twice:
        raise ArgumentError(f"`{min(twice)}` is given in two ways (`=`, `:=`, `@`, `[...]`); give it one way")
    return Typed(arguments | nested | {name: converts[name](found) for name, found in texts.items()}, headers)


def gives_body(operation: Operation, items: Iterable[ItemArgument]) -> bool:
    """Whether any item is the body of the request, or a part of it."""
    taken = ArgumentNames(operation)
    return any(taken.is_of_body(item) for item in items)


def _file_of(item: ItemArgument, operation: Operation) -> Any:
    return content_of(item) if operation.content is not None else file_of(item)


class ArgumentNames:
    """The arguments of an operation by the names that a person may use: `X-Request-Id` is also `x_request_id`."""

    def __init__(self, operation: Operation) -> None:
        declared = (*operation.parameters, *operation.fields)
        self._parameters = {(p.location, name): p for p in declared for name in _spellings(p)}
        self._operation = operation
        self._fields: dict[str, Any] | None = None

    def is_parameter(self, name: str, location: Location) -> bool:
        """Whether the operation declares a parameter of this name in this location."""
        return (location, _folded(name, location)) in self._parameters

    def is_of_body(self, item: ItemArgument) -> bool:
        """Whether an item is not for the path, the query or a header."""
        found = self._anywhere(item.name) if item.kind in ("field", "json") else None
        return item.kind not in ("header", "query") and (found is None or found.location not in OUTSIDE)

    def argument(self, name: str) -> str:
        """The name of the argument in a call."""
        parameter = self._anywhere(name)
        return parameter.argument if parameter else name

    def file(self, item: ItemArgument) -> str:
        """The argument that takes a file. Raises ArgumentError."""
        operation = self._operation
        if operation.content is not None and item.name in ("", "content"):
            return "content"
        known = [field.name for field in operation.fields if field.type.value == FILE]
        if item.name in known:
            return self.argument(item.name)
        text = "`--json @file` sends it as JSON, " if operation.json is not None and not item.name else ""
        hint = f"it takes {one_of(known)}" if known else f"it takes no files; {text}`name=@file` sends a file's text"
        raise ArgumentError(f"item {shown(item.text)}: `{operation.name}` declares no such file; {hint}")

    def nested_in(self, items: Iterable[ItemArgument]) -> tuple[list[ItemArgument], dict[str, Any]]:
        """The items without those in brackets (`card[number]=1`), and the nested form fields that the latter give."""
        has_form = self._operation.form is not None or self._operation.multipart is not None
        plain: list[ItemArgument] = []
        nested: dict[str, Any] = {}
        for item in items:
            found = BRACKETS.fullmatch(item.name) if has_form and item.kind in ("field", "json") else None
            if found is None or self._anywhere(item.name):
                plain.append(item)
            else:
                _put(nested, [self.argument(found[1]), *STEP.findall(found[2])], item)
        return plain, nested

    def taking(self, item: ItemArgument) -> tuple[str, Convert]:
        """The argument that an item gives, and the function that makes a value of its texts. Raises ArgumentError."""
        if item.kind == "field":
            parameter = self._anywhere(item.name)
            return (parameter.argument, _of_parameter(parameter)) if parameter else (item.name, self._of_field(item))
        location: Location = "header" if item.kind == "header" else "query"
        parameter = self._parameters.get((location, _folded(item.name, location)))
        if parameter is None:
            known = [p.name for p in self._operation.parameters if p.location == location]
            hint = did_you_mean(item.name, known) or f"it declares {one_of(known)}"
            raise ArgumentError(f"item {shown(item.text)}: no {location} parameter of this name; {hint}")
        return parameter.argument, _of_parameter(parameter)

    def _anywhere(self, name: str) -> Parameter | None:
        found = (self._parameters.get((location, _folded(name, location))) for location in LOCATIONS)
        return next((parameter for parameter in found if parameter), None)

    def _of_field(self, item: ItemArgument) -> Convert:
        if self._fields is None:
            body = self._operation.json or self._operation.form
            self._fields = field_types(body) if isinstance(body, TypeRef) else {}
        return _of_type(self._fields.get(item.name, Any))


def _put(nested: dict[str, Any], steps: list[str], item: ItemArgument) -> None:
    inner = nested
    for step in steps[:-1]:
        inner = inner.setdefault(step, {})
        if not isinstance(inner, dict):
            raise ArgumentError(f"item {shown(item.text)}: {step!r} is given as a value, too; give it one way")
    if isinstance(inner.get(steps[-1]), dict):
        raise ArgumentError(f"item {shown(item.text)}: {steps[-1]!r} has fields of its own, too; give it one way")
    known = inner.get(steps[-1])
    inner[steps[-1]] = item.value if known is None else [*(known if isinstance(known, list) else [known]), item.value]


def _spellings(parameter: Parameter) -> tuple[str, str]:
    return _folded(parameter.name, parameter.location), parameter.argument


def _folded(name: str, location: Location) -> str:
    return name.lower() if location == "header" else name


def _of_parameter(parameter: Parameter) -> Convert:
    kind = parameter.type.value
    is_array = (kind.get("type") if isinstance(kind, Mapping) else kind) == "array"

    if kind == FILE:
        return lambda texts: texts[0] if len(texts) == 1 else texts

    def value_of(texts: list[str]) -> Any:
        """The value of a parameter; text that does not fit stays text. Raises ArgumentError if given too often."""
        if len(texts) > 1 and not is_array:
            times = "twice" if len(texts) == 2 else f"{len(texts)} times"
            raise ArgumentError(f"`{parameter.name}` is given {times}, and it is no array; give it once")
        given = texts if is_array else texts[0]
        try:
            return Texter(parameter.type).value_of(given)
        except ValueError:
            return given

    return value_of


def _of_type(declared: Any) -> Convert:
    adapter: TypeAdapter[Any] = TypeAdapter(declared)

    def value_of(texts: list[str]) -> Any:
        """The value of a field of the declared type; text that does not fit stays text."""
        for read, shape in ((adapter.validate_strings, texts[0]), (adapter.validate_python, texts))[len(texts) > 1 :]:
            try:
                return read(shape)
            except ValidationError:
                continue
        return texts[0] if len(texts) == 1 else texts

    return value_of


def field_types(ref: TypeRef) -> dict[str, Any]:
    """The declared types of a body's fields, by each name that a field may be given under."""
    if ref.kind == "json_schema":
        return _schema_types(ref.value)
    declared = resolve(ref)
    if isinstance(declared, type) and issubclass(declared, BaseModel):
        fields = declared.model_fields
        aliases = {field.alias: field.annotation for field in fields.values() if field.alias}
        return {name: field.annotation for name, field in fields.items()} | aliases
    if dataclasses.is_dataclass(declared) or is_typeddict(declared):
        return get_type_hints(declared)
    return {}


def _schema_types(schema: Any) -> dict[str, Any]:
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    return {name: _schema_type(spec) for name, spec in (properties or {}).items()}


def _schema_type(spec: Any) -> Any:
    """The Python type of a schema that has `type` and `items` only; Any, which keeps text as typed, for others."""
    kind = spec.get("type") if isinstance(spec, Mapping) else None
    if not isinstance(kind, str) or kind not in PYTHON_TYPES:
        return Any
    try:
        return python_type({key: spec[key] for key in ("type", "items") if key in spec})
    except (KeyError, TypeError, SheetError):
        return Any
