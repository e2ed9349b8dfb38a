"""Reads and writes JSON, by pydantic-core."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic_core import PydanticSerializationError, SchemaSerializer, core_schema, from_json, to_json

from callsheet.unset import holds_unset, without_unset

MEDIA_TYPE = "application/json"
DECIMAL_MARKS = (b'"NaN"', b'"sNaN"', b'Infinity"')
SET_ONLY = SchemaSerializer(core_schema.any_schema(), core_schema.CoreConfig(ser_json_inf_nan="constants"))
"""Serializes as `to_json` does, which cannot leave out the fields of a model that were not set."""
NO_JSON_FORM = "NaN and Infinity have no JSON form (RFC 8259 6)"


def loads(content: bytes | str) -> Any:
    """The parsed document. Raises ValueError with the place; NaN and Infinity are not JSON (RFC 8259 6)."""
    return from_json(without_mark(content) if isinstance(content, bytes) else content, allow_inf_nan=False)


def without_mark(content: bytes) -> bytes:
    """The document without a byte order mark, which senders must not add and readers may ignore (RFC 8259 8.1)."""
    return content.removeprefix(BOM_UTF8)


def dumps(value: Any, *, exclude_unset: bool = False) -> bytes:
    """The value as compact JSON in UTF-8, without what is UNSET; with `exclude_unset`, models without the fields that were not set.

    Raises ValueError if a part of it has no JSON form, such as NaN or Infinity.
    """
    try:
        if exclude_unset:
            content = SET_ONLY.to_json(value, by_alias=True, exclude_unset=True)
        else:
            content = to_json(value, inf_nan_mode="constants", by_alias=True)
    except PydanticSerializationError as error:
        if holds_unset(value):
            return dumps(without_unset(value), exclude_unset=exclude_unset)
        raise ValueError(str(error)) from None
    refuse_nan(content)
    # pydantic writes a Decimal as a string, even NaN and Infinity.
    if any(mark in content for mark in DECIMAL_MARKS) and has_odd_decimal(value):
        raise ValueError(NO_JSON_FORM)
    return content


def has_odd_decimal(value: Any) -> bool:
    """Whether plain data contain a Decimal that is NaN or infinite."""
    if isinstance(value, Decimal):
        return not value.is_finite()
    if isinstance(value, Mapping):
        return any(has_odd_decimal(part) for part in value.values())
    return isinstance(value, list | tuple | set) and any(has_odd_decimal(part) for part in value)


def refuse_nan(content: bytes) -> None:
    """Raise ValueError if a document, otherwise valid JSON, contains NaN or Infinity as a value."""
    if b"NaN" not in content and b"Infinity" not in content:
        return
    try:
        loads(content)
    except ValueError:
        raise ValueError(NO_JSON_FORM) from None
