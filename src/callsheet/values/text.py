"""Turns values into the text of a path, a query or a header, and text from a command line into values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError

from callsheet.http.json import AS_MARKED, dumps
from callsheet.secret import Secret
from callsheet.unset import UNSET
from callsheet.values.typeref import TypeRef

Texts = list[str]
"""The texts of one parameter. A list repeats the parameter's name; a single value is a list of one text."""

PYTHON_TYPES: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "date": date,
    "datetime": AwareDatetime,
    "uuid": UUID,
    "array": list[Any],
    "object": dict[str, Any],
}
FORMATS: dict[str, Any] = {"date": date, "date-time": AwareDatetime, "uuid": UUID}
CONSTRAINTS = {
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_length",
    "maxItems": "max_length",
    "pattern": "pattern",
}


def python_type(spec: Any) -> Any:
    """The Python type, with its bounds, of a parameter's type: a word of PYTHON_TYPES, or a JSON Schema mapping."""
    if not isinstance(spec, Mapping):
        return PYTHON_TYPES[spec] if isinstance(spec, str) else spec
    if "enum" in spec:
        return Literal[tuple(spec["enum"])]
    found = FORMATS.get(spec.get("format", "")) or PYTHON_TYPES[spec.get("type", "string")]
    if found == list[Any] and "items" in spec:
        found = list[python_type(spec["items"])]  # type: ignore[misc]
    bounds = {CONSTRAINTS[key]: value for key, value in spec.items() if key in CONSTRAINTS}
    return Annotated[found, Field(**bounds)] if bounds else found


PLAIN_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?")


class Spelled:
    """A number that is sent as `text`, the way in which it was written."""

    text = ""

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


class SpelledInt(Spelled, int):
    """A whole number."""


class SpelledFloat(Spelled, float):
    """Any other number."""


class SpelledDecimal(Spelled, Decimal):
    """A number of typed JSON, which is sent as it was typed in JSON, too."""

    __pydantic_serializer__ = AS_MARKED

    def __init__(self, text: str) -> None:
        self.text = text


def spelled(value: Any, text: str) -> Any:
    """The value; a number that is written in another way than usual (`1.10`, `01234`) is sent as it was written."""
    kind = {int: SpelledInt, float: SpelledFloat}.get(type(value))
    if kind is None or str(value) == text or not math.isfinite(value):
        return value
    made = kind(value)
    made.text = text
    return made


AS_GIVEN = (int, Decimal, SpelledInt, SpelledFloat, SpelledDecimal)
"""Numbers that Pydantic would turn into others, which are equal but read differently: 7 into 7.0, 1.10 into 1.1."""


class Texter:
    """Checks a value against a parameter's type and gives its text. Raises ValueError saying what was expected."""

    def __init__(self, ref: TypeRef) -> None:
        self.expected = describe(ref.value)
        self._is_plain_string = ref.value == "string"
        members = ref.value["enum"] if isinstance(ref.value, Mapping) and "enum" in ref.value else ()
        self._is_enum = bool(members)
        self._has_texts = self._is_enum and all(isinstance(member, str) for member in members)
        self._adapter: TypeAdapter[Any] = TypeAdapter(python_type(ref.value))

    def texts(self, value: Any) -> Texts:
        """The text of each value, strictly typed."""
        if self._is_plain_string and type(value) in (str, int, UUID, Decimal):
            return [text_of(value)]
        checked = self.checked(value)
        return [text_of(item) for item in checked] if isinstance(checked, list) else [text_of(checked)]

    def checked(self, value: Any) -> Any:
        """The value itself, after a strict check; of a list what is None or UNSET is left out. Raises ValueError."""
        if isinstance(value, list | tuple):
            value = [each for each in value if each is not None and each is not UNSET]
        if self._is_plain_string and type(value) in (int, UUID, Decimal):
            return value
        if self._has_texts and type(value) in AS_GIVEN:
            value = text_of(value)
        checked = self._checked(value)
        is_kept = self._is_enum or (type(checked) is type(value) and type(checked) is not list)
        return checked if is_kept else _as_given(value, checked)

    def _checked(self, value: Any) -> Any:
        try:
            return self._adapter.validate_python(value, strict=True)
        except ValidationError as error:
            first = error
        if isinstance(value, str | list):
            try:
                return self._adapter.validate_json(dumps(value), strict=True)
            except ValidationError as error:
                first = error
        raise ValueError(first.errors(include_url=False)[0]["msg"]) from None

    def value_of(self, typed: str | list[str]) -> Any:
        """The value of a text from the command line; a number is sent as it was typed. Raises ValueError."""
        try:
            value = self._adapter.validate_strings(typed)
            return spelled(value, typed) if isinstance(typed, str) and PLAIN_NUMBER.fullmatch(typed) else value
        except ValidationError:
            try:
                return self._adapter.validate_python(typed)
            except ValidationError as error:
                raise ValueError(error.errors(include_url=False)[0]["msg"]) from None


def _as_given(value: Any, checked: Any) -> Any:
    if isinstance(checked, list) and isinstance(value, list | tuple):
        return [_as_given(one, each) for one, each in zip(value, checked, strict=True)]
    return value if type(value) in AS_GIVEN else checked


PLAIN: set[Any] = {object.__str__, object.__repr__}
"""The methods of a class that defines no text of its own: they show a value's address in memory."""


def text_of(value: Any) -> str:
    """One value as text: `true`, RFC 3339 with offset, JSON for an object. Raises ValueError for a value without a text."""
    if isinstance(value, Enum):
        value = value.value
    writer = _WRITERS.get(type(value))
    if writer:
        return writer(value)
    if {type(value).__str__, type(value).__repr__} == PLAIN:
        raise ValueError(f"expected text, a number, a date or the like, found {type(value).__name__}")
    return str(value)


def _number(value: float | Decimal) -> str:
    if not Decimal(value).is_finite():
        raise ValueError("expected a finite number")
    return repr(value) if isinstance(value, float) else str(value)


def _moment(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError("expected a time with an offset (RFC 3339)")
    return value.isoformat()


def _no_text(value: object) -> str:
    """Refuse bytes and secrets, which `str` would turn into something else: `b'x'`, `***`."""
    raise ValueError(f"expected text, found {type(value).__name__}")


_WRITERS: dict[type, Callable[[Any], str]] = {
    bool: lambda value: "true" if value else "false",
    float: _number,
    Decimal: _number,
    datetime: _moment,
    date: date.isoformat,
    dict: lambda value: dumps(value).decode(),
    list: lambda value: dumps(value).decode(),
    bytes: _no_text,
    Secret: _no_text,
}


def describe(spec: Any) -> str:
    """A type in a few words, for messages: `integer`, `one of active, blocked`."""
    if isinstance(spec, str):
        return spec
    if not isinstance(spec, Mapping):
        return getattr(spec, "__name__", str(spec))
    if "enum" in spec:
        return "one of " + ", ".join(map(str, spec["enum"]))
    bounds = ", ".join(f"{key} {value}" for key, value in spec.items() if key in CONSTRAINTS)
    name = str(spec.get("format") or spec.get("type", "string"))
    return f"{name} ({bounds})" if bounds else name
