"""Codecs, which turn values of declared types into JSON bodies, and bodies into typed results."""

from __future__ import annotations

import dataclasses
import importlib
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from callsheet.errors import SheetError
from callsheet.http.json import MARK_BYTES, NO_JSON_FORM, dumps, loads, may_overflow, refuse_nan, unmarked, unwritable
from callsheet.unset import unset_parts
from callsheet.values.json_schema import SchemaCodec
from callsheet.values.left_out import left_out, merged, names_of
from callsheet.values.mismatch import Mismatch
from callsheet.values.text import PYTHON_TYPES, python_type
from callsheet.values.typeref import TypeRef


class Codec(Protocol):
    """Encodes and decodes one declared type. `fields` are the field names that its objects may have; None allows any.

    `named` are those that the type names, even if it allows others.
    """

    fields: frozenset[str] | None
    named: frozenset[str]

    def encode(self, value: Any) -> bytes:
        """The value as JSON, after a strict check. Raises Mismatch."""

    def encode_fields(self, fields: dict[str, Any]) -> bytes:
        """An object given field by field, as JSON. Raises Mismatch."""

    def decode(self, content: bytes) -> Any:
        """The typed value of a JSON document. Raises Mismatch."""


def codec_for(ref: TypeRef, *, exclude_unset: bool = False) -> Codec:
    """The codec of a declared type. With `exclude_unset` it writes only what was set of models, as the body of a PATCH.

    Raises SheetError for a type that cannot be imported or validated.
    """
    if ref.kind == "json_schema":
        return SchemaCodec(ref, exclude_unset=exclude_unset)
    try:
        return TypeCodec(resolve(ref), exclude_unset=exclude_unset)
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
        is_absent = isinstance(error, ModuleNotFoundError) and error.name in (
            module_name,
            module_name.partition(".")[0],
        )
        looked = _looked(module_name, where) if is_absent else ""
        raise SheetError(f"{where}: `{text}`: cannot import {module_name!r}: {error}{looked}") from None
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise SheetError(f"{where}: `{text}`: importing {module_name!r} raised {what}") from error
    for step in name.split("."):
        if not hasattr(found, step):
            raise SheetError(f"{where}: `{text}`: module {module_name!r} has no {name!r}")
        found = getattr(found, step)
    return found


def _looked(module_name: str, where: str) -> str:
    """Where a module was looked for, and whether it is beside the sheet."""
    folders = [Path(each or ".").absolute() for each in sys.path]
    own = [Path(each) for each in (sys.base_prefix, sys.prefix)]
    others = dict.fromkeys(str(each) for each in folders if not any(each.is_relative_to(python) for python in own))
    beside = Path(where.partition(":")[0]).absolute().parent
    is_there = any((beside / name).exists() for name in (f"{module_name.replace('.', '/')}.py", module_name))
    hint = f"; it is in {beside}, beside the sheet: put that into PYTHONPATH" if is_there else ""
    return f"; looked in {', '.join([*others, 'the installed packages'])}{hint}"


class TypeCodec:
    """The codec of a type that Pydantic knows: a model, dataclass, TypedDict or builtin.

    It calls the adapter's validator and serializer directly: the adapter's own methods cost 1 us more each.
    """

    def __init__(self, declared: Any, *, exclude_unset: bool = False) -> None:
        self._adapter: TypeAdapter[Any] = TypeAdapter(declared)
        self._exclude_unset = exclude_unset
        self._has_defaults = declared != PYTHON_TYPES["object"]
        self.fields = field_names(declared)
        self.named = self.fields or frozenset(getattr(declared, "model_fields", ()))

    def encode(self, value: Any) -> bytes:
        """The value as JSON, after a strict check. A model is sent with its defaults, a dict as given. Raises Mismatch."""
        if type(value) is dict and self.fields is not None and not self.fields.issuperset(value):
            unknown = sorted(map(str, value.keys() - self.fields))
            raise Mismatch([{"loc": (name,), "msg": "unknown field"} for name in unknown])
        checked = self._checked(value)
        return self._dump(checked, self._left_out(checked, value))

    def encode_fields(self, fields: dict[str, Any]) -> bytes:
        """An object given field by field, as JSON, with the defaults of its type but None. Raises Mismatch."""
        checked = self._checked(fields)
        if self._exclude_unset:
            return self._dump(checked, self._left_out(checked, fields))
        content = self._dump(checked, None)
        unsent = self._left_out(checked, fields, lambda default: default is None) if b"null" in content else None
        return self._dump(checked, unsent) if unsent else content

    def _left_out(
        self, checked: Any, given: Any, drops: Callable[[Any], bool] = lambda _default: True
    ) -> dict[Any, Any] | None:
        return left_out(checked, given, drops) or None if self._has_defaults else None

    def _dump(self, value: Any, exclude: dict[Any, Any] | None) -> bytes:
        serializer = self._adapter.serializer
        try:
            content = serializer.to_json(value, by_alias=True, exclude_unset=self._exclude_unset, exclude=exclude)
        except PydanticSerializationError as error:
            unsent = merged(exclude or {}, unset_parts(value))
            if unsent == (exclude or {}):
                raise Mismatch([{"loc": (), "msg": unwritable(error)}]) from None
            return self._dump(value, unsent)
        if b"null" in content:
            _refuse_nan(serializer.to_python(value))
        return unmarked(content) if MARK_BYTES in content else content

    def _checked(self, value: Any) -> Any:
        try:
            return self._adapter.validator.validate_python(value, strict=True, by_alias=True, by_name=True)
        except ValidationError as error:
            first = error
        try:
            content = dumps(value, exclude_unset=self._exclude_unset)
            return self._adapter.validator.validate_json(content, strict=True, by_alias=True, by_name=True)
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
        return frozenset(name for own, field in declared.model_fields.items() for name in names_of(own, field))
    if dataclasses.is_dataclass(declared):
        return frozenset(field.name for field in dataclasses.fields(declared))
    if hasattr(declared, "__required_keys__"):  # a TypedDict, of typing or of typing_extensions
        return frozenset(declared.__required_keys__ | declared.__optional_keys__)
    return None
