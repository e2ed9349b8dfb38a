"""Form bodies: `application/x-www-form-urlencoded`, as the URL standard serialises it (WHATWG URL 5.2).

Nested fields follow the widespread bracket notation: `{"card": {"number": 1}}` is `card[number]=1`, a list of plain
values repeats its name, a list of mappings counts: `items[0][id]=7`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote_plus

from callsheet.values.text import text_of

MEDIA_TYPE = "application/x-www-form-urlencoded"

Fields = Mapping[str, Any] | Iterable[tuple[str, Any]]


def form(fields: Fields) -> bytes:
    """The encoded form. What is None is left out. Raises ValueError for text that has no UTF-8 form."""
    return "&".join(f"{_encoded(name)}={_encoded(text)}" for name, text in flat(fields)).encode("ascii")


def flat(fields: Fields) -> Iterator[tuple[str, str]]:
    """Name and text of each field, nested ones spelt with brackets."""
    pairs = fields.items() if isinstance(fields, Mapping) else fields
    for name, value in pairs:
        yield from _flat(str(name), value)


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{name}[{key}]", inner)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            is_nested = isinstance(inner, Mapping | list | tuple)
            yield from _flat(f"{name}[{index}]" if is_nested else name, inner)
    elif isinstance(value, bytes):
        yield name, value.decode("utf-8")
    else:
        yield name, text_of(value)


def _encoded(text: str) -> str:
    try:
        return quote_plus(text, safe="*")
    except UnicodeEncodeError:
        raise ValueError("it holds half a surrogate pair, which has no UTF-8 form") from None
