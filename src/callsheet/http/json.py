"""Reads and writes JSON, by pydantic-core."""

from __future__ import annotations

import math
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from decimal import Decimal
from secrets import token_hex
from typing import Any

from pydantic_core import PydanticSerializationError, SchemaSerializer, core_schema, from_json, to_json

from callsheet.unset import unset_parts

MEDIA_TYPE = "application/json"
DECIMAL_MARKS = (b'"NaN"', b'"sNaN"', b'Infinity"')
SET_ONLY = SchemaSerializer(core_schema.any_schema(), core_schema.CoreConfig(ser_json_inf_nan="constants"))
"""Serializes as `to_json` does, which cannot leave out the fields of a model that were not set."""
NO_JSON_FORM = "NaN and Infinity have no JSON form (RFC 8259 6)"
TOO_LARGE = "a number in it is beyond what a 64-bit float can hold (RFC 8259 6)"
HALF_A_PAIR = "half a surrogate pair, which has no UTF-8 form"
PARSED_SURROGATE = re.compile("lone leading surrogate in hex escape|unexpected end of hex escape")
"""What the parser says of an escape such as `\\ud83d` without its other half."""
ENCODED_SURROGATE = re.compile(rb"\xed[\xa0-\xbf]")
UNWRITTEN_SURROGATE = re.compile("UnicodeEncodeError: .*")
SHAPES = bytes({43: 43, 69: 101, 101: 101}.get(byte, 48 if 48 <= byte < 58 else 32) for byte in range(256))
"""Maps every digit to `0`, `E` to `e`, and every other byte but `+` and `e` to a space."""
EXPONENTS, LONG = (b"0e000", b"0e+000"), b"0" * 209
"""The shapes of a number that can be beyond a float: with three digits in its exponent, or 209 before it."""


Place = tuple[str | int, ...]
"""The keys and indexes that lead to a value in a document."""
MARK = token_hex(16)
MARK_BYTES = MARK.encode()
MARKED_NUMBER = re.compile(rb'"%s([-+.0-9Ee]+)"' % MARK_BYTES)
"""A number that is written as a text, since the writer would give it other digits; nobody can guess the mark."""


def marked(number: object) -> str:
    """A text that becomes a number with the digits of `str(number)` once its document is `unmarked`."""
    return f"{MARK}{number!s}"


AS_MARKED = SchemaSerializer(
    core_schema.any_schema(serialization=core_schema.plain_serializer_function_ser_schema(marked))
)
"""Writes a number `marked`: for `__pydantic_serializer__` of its class."""


def loads(content: bytes | str) -> Any:
    """The parsed document. Raises ValueError with the place; NaN and Infinity are not JSON, however they are spelled (RFC 8259 6)."""
    if isinstance(content, str):
        content = content.encode("utf-8", "surrogatepass")
    try:
        value = from_json(without_mark(content), allow_inf_nan=False)
    except ValueError as error:
        raise ValueError(told_plainly(str(error), content)) from None
    if may_overflow(content) and _is_infinite(value):
        raise ValueError(TOO_LARGE)
    return value


def may_overflow(content: bytes) -> bool:
    """Whether a document has digits that may be a number beyond the range of floats. Text with such digits may be taken for one."""
    shapes = content.translate(SHAPES)
    return EXPONENTS[0] in shapes or EXPONENTS[1] in shapes or (len(content) >= len(LONG) and LONG in shapes)


def _is_infinite(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(_is_infinite, value.values() if isinstance(value, dict) else value))
    return isinstance(value, float) and math.isinf(value)


def told_plainly(reason: str, content: bytes) -> str:
    """What the parser says is wrong with a document, in plain words where its own hide half a surrogate pair."""
    if reason.startswith("invalid unicode code point") and ENCODED_SURROGATE.search(content):
        return reason.replace("invalid unicode code point", HALF_A_PAIR)
    return PARSED_SURROGATE.sub(HALF_A_PAIR, reason)


def unwritable(error: PydanticSerializationError) -> str:
    """Why a value cannot be written as JSON."""
    return UNWRITTEN_SURROGATE.sub(f"a text holds {HALF_A_PAIR}", str(error))


def without_mark(content: bytes) -> bytes:
    """The document without a byte order mark, which senders must not add and readers may ignore (RFC 8259 8.1)."""
    return content.removeprefix(BOM_UTF8)


def dumps(value: Any, *, exclude_unset: bool = False, exclude: dict[Any, Any] | None = None) -> bytes:
    """The value as compact JSON in UTF-8, without what is UNSET; with `exclude_unset`, models without the fields that were not set.

    Raises ValueError if a part of it has no JSON form, such as NaN or Infinity.
    """
    try:
        if exclude_unset:
            content = SET_ONLY.to_json(value, by_alias=True, exclude_unset=True, exclude=exclude)
        else:
            content = to_json(value, inf_nan_mode="constants", by_alias=True, exclude=exclude)
    except PydanticSerializationError as error:
        if exclude is None and (unset := unset_parts(value)):
            return dumps(value, exclude_unset=exclude_unset, exclude=unset)
        raise ValueError(unwritable(error)) from None
    if MARK_BYTES in content:
        content = unmarked(content)
    refuse_nan(content)
    # pydantic writes a Decimal as a string, even NaN and Infinity.
    if any(mark in content for mark in DECIMAL_MARKS) and has_odd_decimal(value):
        raise ValueError(NO_JSON_FORM)
    return content


def with_numbers(value: Any, is_number: Callable[[Place], bool], *, exclude_unset: bool = False) -> bytes:
    """The value as JSON, in which a Decimal is a number with the same digits where `is_number` says so, else a text."""
    plain = SET_ONLY.to_python(value, by_alias=True, exclude_unset=exclude_unset)
    return dumps(_marked(plain, is_number, ()))


def unmarked(content: bytes) -> bytes:
    """The document with its marked numbers as numbers."""
    return MARKED_NUMBER.sub(rb"\1", content)


def _marked(value: Any, is_number: Callable[[Place], bool], where: Place) -> Any:
    if isinstance(value, Mapping):
        return {key: _marked(part, is_number, (*where, key)) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_marked(part, is_number, (*where, index)) for index, part in enumerate(value)]
    return marked(value) if isinstance(value, Decimal) and is_number(where) else value


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
