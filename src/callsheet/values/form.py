"""Form bodies: `application/x-www-form-urlencoded`, as the URL standard serialises it (WHATWG URL 5.2).

Nested fields follow the widespread bracket notation: `{"card": {"number": 1}}` is `card[number]=1`, a list of plain
values repeats its name, a list that holds lists or mappings is numbered: `items[0][id]=7`. None, an empty list and an
empty mapping are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote_plus

from callsheet.unset import UNSET
from callsheet.values.text import text_of

MEDIA_TYPE = "application/x-www-form-urlencoded"
DEEPEST = 32
"""Levels of nesting. A deeper value probably holds itself, which would not end."""

Fields = Mapping[str, Any] | Iterable[tuple[str, Any]]
"""The fields of a form by name. A list repeats its name, a mapping adds `[key]` to it, None is left out."""


def form(fields: Fields) -> bytes:
    """The encoded form, without the fields that are None. Raises ValueError, naming the field, for a value without a text."""
    return "&".join(_pair(name, text) for name, text in flat(fields)).encode("ascii")


def flat(fields: Fields) -> Iterator[tuple[str, str]]:
    """Name and text of each field; nested names have brackets. Raises ValueError for a value without a text."""
    for name, value in pairs(fields):
        yield from _flat(text_of(name), value, DEEPEST)


def pairs(fields: Any) -> Iterable[tuple[str, Any]]:
    """Name and value of each field given. Raises ValueError for anything but a mapping or pairs."""
    if isinstance(fields, Mapping):
        return fields.items()
    if isinstance(fields, Iterable) and not isinstance(fields, str | bytes | bytearray):
        return map(_pair_of, fields)
    raise ValueError(
        f"expected a mapping or pairs, found {type(fields).__name__}; encoded bytes are given as `content`"
    )


def _pair_of(given: Any) -> tuple[str, Any]:
    if isinstance(given, tuple | list) and len(given) == 2:
        return given[0], given[1]
    raise ValueError(f"expected pairs of name and value, found {type(given).__name__} among them")


def _flat(name: str, value: Any, levels: int) -> Iterator[tuple[str, str]]:
    if not levels:
        raise ValueError(f"field {name[:60]!r}: nested deeper than {DEEPEST} levels")
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{name}[{text_of(key)}]", inner, levels - 1)
    elif isinstance(value, list | tuple):
        counts = any(isinstance(inner, Mapping | list | tuple) for inner in value)
        for index, inner in enumerate(value):
            yield from _flat(f"{name}[{index}]" if counts else name, inner, levels - 1)
    elif value is not None and value is not UNSET:
        yield name, _text(name, value)


def _text(name: str, value: Any) -> str:
    try:
        if isinstance(value, bytes | bytearray):
            return value.decode("utf-8")
        if isinstance(value, set | frozenset | Iterator):
            raise ValueError(f"expected text, a number or a list, found {type(value).__name__}")  # noqa: TRY301, TRY004 one class for all that has no form
        return text_of(value)
    except UnicodeDecodeError:
        raise ValueError(f"field {name!r}: bytes that are not UTF-8 have no form; send them as a file") from None
    except ValueError as error:
        raise ValueError(f"field {name!r}: {error}") from None


def _pair(name: str, text: str) -> str:
    try:
        return f"{_encoded(name)}={_encoded(text)}"
    except UnicodeEncodeError:
        raise ValueError(f"field {name!r}: it holds half a surrogate pair, which has no UTF-8 form") from None


def _encoded(text: str) -> str:
    return quote_plus(text, safe="*").replace("~", "%7E")
