"""Items to the arguments of a declared operation: typed text becomes a value of the declared type.

What does not fit is passed on as it was typed: the operation's own check says what is wrong, all at once, in one form.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, get_type_hints, is_typeddict

from pydantic import BaseModel, TypeAdapter, ValidationError

from callsheet.cli.items import Item, shown
from callsheet.declare.operation import Location, Operation, Parameter
from callsheet.errors import ArgumentError, SheetError
from callsheet.sheet.findings import nearest, one_of
from callsheet.values.codec import resolve
from callsheet.values.text import PYTHON_TYPES, Texter, python_type
from callsheet.values.typeref import TypeRef

Convert = Callable[[list[str]], Any]


class Typed(NamedTuple):
    """What the items of a command line stand for."""

    arguments: dict[str, Any]
    headers: dict[str, str]


def typed(operation: Operation, items: Iterable[Item]) -> Typed:
    """Arguments and further headers. Raises ArgumentError."""
    taken = Names(operation)
    texts: dict[str, list[str]] = {}
    converts: dict[str, Convert] = {}
    arguments: dict[str, Any] = {}
    headers: dict[str, str] = {}
    for item in items:
        if item.kind == "header" and item.value is None:
            continue
        if item.kind == "header" and not taken.is_parameter(item.name, "header"):
            headers[item.name] = item.value
        elif item.kind == "json":
            arguments[taken.argument(item.name)] = item.value
        else:
            name, converts[name] = taken.taking(item)
            texts.setdefault(name, []).append(item.value)
    twice = texts.keys() & arguments.keys()
    if twice:
        raise ArgumentError(f"`{min(twice)}` is given both with `=` and with `:=`; give it one way")
    return Typed(arguments | {name: converts[name](found) for name, found in texts.items()}, headers)


class Names:
    """What an operation takes, by the names a person may use: `X-Request-Id` is also `x_request_id`."""

    def __init__(self, operation: Operation) -> None:
        self._parameters = {(p.location, name): p for p in operation.parameters for name in _spellings(p)}
        self._operation = operation
        self._fields: dict[str, Any] | None = None

    def is_parameter(self, name: str, location: Location) -> bool:
        """Whether the operation declares it there."""
        return (location, _folded(name, location)) in self._parameters

    def argument(self, name: str) -> str:
        """The name that the call takes it under."""
        parameter = self._anywhere(name)
        return parameter.argument if parameter else name

    def taking(self, item: Item) -> tuple[str, Convert]:
        """The argument an item gives, and how its texts become a value."""
        if item.kind == "field":
            parameter = self._anywhere(item.name)
            return (parameter.argument, _of_parameter(parameter)) if parameter else (item.name, self._of_field(item))
        location: Location = "header" if item.kind == "header" else "query"
        parameter = self._parameters.get((location, _folded(item.name, location)))
        if parameter is None:
            known = [p.name for p in self._operation.parameters if p.location == location]
            close = nearest(item.name, known)
            hint = f"did you mean `{close}`?" if close else f"it declares {one_of(known)}"
            raise ArgumentError(f"item {shown(item.text)}: no {location} parameter of this name; {hint}")
        return parameter.argument, _of_parameter(parameter)

    def _anywhere(self, name: str) -> Parameter | None:
        locations: tuple[Location, ...] = ("path", "query", "header")
        found = (self._parameters.get((location, _folded(name, location))) for location in locations)
        return next((parameter for parameter in found if parameter), None)

    def _of_field(self, item: Item) -> Convert:
        if self._fields is None:
            self._fields = field_types(self._operation.json) if self._operation.json else {}
        return _of_type(self._fields.get(item.name, Any))


def _spellings(parameter: Parameter) -> tuple[str, str]:
    return _folded(parameter.name, parameter.location), parameter.argument


def _folded(name: str, location: Location) -> str:
    return name.lower() if location == "header" else name


def _of_parameter(parameter: Parameter) -> Convert:
    kind = parameter.type.value
    is_array = (kind.get("type") if isinstance(kind, Mapping) else kind) == "array"

    def value_of(texts: list[str]) -> Any:
        given = texts if is_array or len(texts) > 1 else texts[0]
        try:
            return Texter(parameter.type).value_of(given)
        except ValueError:
            return given

    return value_of


def _of_type(declared: Any) -> Convert:
    adapter: TypeAdapter[Any] = TypeAdapter(declared)

    def value_of(texts: list[str]) -> Any:
        for read, shape in ((adapter.validate_strings, texts[0]), (adapter.validate_python, texts))[len(texts) > 1 :]:
            try:
                return read(shape)
            except ValidationError:
                continue
        return texts[0] if len(texts) == 1 else texts

    return value_of


def field_types(ref: TypeRef) -> dict[str, Any]:
    """The types of a body's fields, as far as they are declared, by each name a field is given under."""
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
    """A parameter's type where the schema is as simple as one; text as it was typed where it is not."""
    kind = spec.get("type") if isinstance(spec, Mapping) else None
    if not isinstance(kind, str) or kind not in PYTHON_TYPES:
        return Any
    try:
        return python_type({key: spec[key] for key in ("type", "items") if key in spec})
    except (KeyError, TypeError, SheetError):
        return Any
