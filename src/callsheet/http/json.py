"""JSON in and out, by pydantic-core."""

from __future__ import annotations

from typing import Any

from pydantic_core import PydanticSerializationError, from_json, to_json

MEDIA_TYPE = "application/json"


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
        loads(content)
    return content
