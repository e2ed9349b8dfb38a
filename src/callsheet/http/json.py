"""JSON in and out, by pydantic-core."""

from __future__ import annotations

from typing import Any

from pydantic_core import PydanticSerializationError, from_json, to_json

MEDIA_TYPE = "application/json"
NO_JSON_FORM = "NaN and Infinity have no JSON form (RFC 8259 6)"


def loads(content: bytes | str) -> Any:
    """The parsed document. Raises ValueError with the place; NaN and Infinity are not JSON (RFC 8259 6)."""
    return from_json(content, allow_inf_nan=False)


def dumps(value: Any) -> bytes:
    """The value as compact JSON in UTF-8. Raises ValueError for what has no JSON form, NaN and Infinity among it."""
    try:
        content = to_json(value, inf_nan_mode="constants", by_alias=True)
    except PydanticSerializationError as error:
        raise ValueError(str(error)) from None
    if b"NaN" in content or b"Infinity" in content:
        _refuse_nan(content)
    return content


def _refuse_nan(content: bytes) -> None:
    try:
        loads(content)
    except ValueError:
        raise ValueError(NO_JSON_FORM) from None
