"""Codecs, which turn values of declared types into JSON bodies, and bodies into typed results."""

from __future__ import annotations

import dataclasses
import importlib
import math
from typing import Any, Protocol

from pydantic import BaseModel, PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from callsheet.errors import SheetError
from callsheet.http.json import NO_JSON_FORM, dumps, loads, may_overflow, refuse_nan, unwritable
from callsheet.values.json_schema import SchemaCodec
from callsheet.values.mismatch import Mismatch
from callsheet.values.text import python_type
from callsheet.values.typeref import TypeRef


class Codec(Protocol):
    """Encodes and decodes one declared type. `fields` are the field names that its objects may have; None allows any."""

    fields: frozenset[str] | None

    def encode(self, value: Any) -> bytes:
        """The value as JSON, after a strict check. Raises Mismatch."""

    def encode_fields(self, fields: dict[str, Any]) -> bytes:
        """An object given field by field, as JSON. Raises Mismatch."""

    def decode(self, content: bytes) -> Any:
        """The typed value of a JSON document. Raises Mismatch."""


def codec_for(ref: TypeRef) -> Codec:
    """The codec of a declared type. Raises SheetError for a type that cannot be imported or validated."""
    if ref.kind == "json_schema":
        return SchemaCodec(ref)
    try:
        return TypeCodec(resolve(ref))
    except PydanticUserError as error:
        raise SheetError(f"{ref.where}: {ref} cannot be validated: {str(error).splitlines()[0]}") from None


def resolve(ref: TypeRef) -> Any:
    """The Python type that a reference names. Raises SheetError for one that cannot be imported."""
    if ref.kind == "python":
        return ref.value
    if ref.kind == "name":
        return python_type(ref.value)
    return list[imported(listed, ref.where)] if (listed := listed_in(ref.value)) else imported(ref.value, ref.where)  # type: ignore[misc]


def listed_in(text: str) -> str:
    """The `module:Type` in `list[module:Type]`; empty for any other text."""
    return text[len("list[") : -1].strip() if text.startswith("list[") and text.endswith("]") else ""


def imported(text: str, where: str) -> Any:
    """Import what `module:name` names. Raises SheetError saying what is missing."""
    module_name, _, name = text.partition(":")
    try:
        found: Any = importlib.import_module(module_name)
    except ImportError as error:
        raise SheetError(f"{where}: `{text}`: cannot import {module_name!r}: {error}") from None
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise SheetError(f"{where}: `{text}`: importing {module_name!r} raised {what}") from error
    for step in name.split("."):
        if not hasattr(found, step):
            raise SheetError(f"{where}: `{text}`: module {module_name!r} has no {name!r}")
        found = getattr(found, step)
    return found


class TypeCodec:
    """The codec of a type that Pydantic knows: a model, dataclass, TypedDict or builtin.

    It calls the adapter's validator and serializer directly: the adapter's own methods cost 1 us more each.
    """

    def __init__(self, declared: Any) -> None:
        self._adapter: TypeAdapter[Any] = TypeAdapter(declared)
        self.fields = field_names(declared)

    def encode(self, value: Any) -> bytes:
        """The value as JSON, after a strict check. A model is sent with its defaults, a dict without. Raises Mismatch."""
        if type(value) is dict and self.fields is not None and not self.fields.issuperset(value):
            unknown = sorted(map(str, value.keys() - self.fields))
            raise Mismatch([{"loc": (name,), "msg": "unknown field"} for name in unknown])
        return self._dump(self._checked(value), exclude_unset=isinstance(value, dict | list))

    def encode_fields(self, fields: dict[str, Any]) -> bytes:
        """An object given field by field, as JSON. Fields that are None are left out. Raises Mismatch."""
        return self._dump(self._checked(fields), exclude_none=True)

    def _dump(self, value: Any, **options: bool) -> bytes:
        serializer = self._adapter.serializer
        try:
            content = serializer.to_json(value, by_alias=True, **options)  # type: ignore[arg-type]
        except PydanticSerializationError as error:
            raise Mismatch([{"loc": (), "msg": unwritable(error)}]) from None
        if b"null" in content:
            _refuse_nan(serializer.to_python(value))
        return content

    def _checked(self, value: Any) -> Any:
        try:
            return self._adapter.validator.validate_python(value, strict=True, by_alias=True, by_name=True)
        except ValidationError as error:
            first = error
        try:
            return self._adapter.validator.validate_json(dumps(value), strict=True, by_alias=True, by_name=True)
        except (ValidationError, ValueError) as error:
            first = error if isinstance(error, ValidationError) else first
        raise Mismatch(_errors(first)) from None

    def decode(self, content: bytes) -> Any:
        """The typed value of a JSON document. Raises Mismatch."""
        try:
            value = self._adapter.validator.validate_json(content)
            refuse_nan(content)
            if may_overflow(content):
                loads(content)
        except ValidationError as error:
            errors = _errors(error)
            raise Mismatch(errors, is_not_json=errors[0]["type"] == "json_invalid") from None
        except ValueError as error:
            raise Mismatch([{"loc": (), "msg": str(error)}], is_not_json=True) from None
        return value


def _refuse_nan(value: Any, *where: Any) -> None:
    """Raise Mismatch for NaN and Infinity, which Pydantic would write as null, another value."""
    if isinstance(value, float) and not math.isfinite(value):
        raise Mismatch([{"loc": where, "msg": NO_JSON_FORM}])
    if isinstance(value, dict):
        for name, each in value.items():
            _refuse_nan(each, *where, name)
    elif isinstance(value, list | tuple | set | frozenset):
        for index, each in enumerate(value):
            _refuse_nan(each, *where, index)


def _errors(error: ValidationError) -> list[dict[str, Any]]:
    return [dict(found) for found in error.errors(include_url=False, include_input=False, include_context=False)]


def field_names(declared: Any) -> frozenset[str] | None:
    """The names, and aliases, of the fields that objects of a type may have; None if they may have any."""
    if isinstance(declared, type) and issubclass(declared, BaseModel):
        if declared.model_config.get("extra") == "allow":
            return None
        aliases = {name for field in declared.model_fields.values() for name in (field.alias, field.validation_alias)}
        return frozenset(declared.model_fields).union(name for name in aliases if isinstance(name, str))
    if dataclasses.is_dataclass(declared):
        return frozenset(field.name for field in dataclasses.fields(declared))
    if hasattr(declared, "__required_keys__"):  # a TypedDict, of typing or of typing_extensions
        return frozenset(declared.__required_keys__ | declared.__optional_keys__)
    return None
