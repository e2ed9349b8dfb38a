"""Entries as bytes: JSON for everything but the body, which stays as it is. A file or a server may give back anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from callsheet.stores.base import Entry

NAMES = tuple(field.name for field in fields(Entry) if field.name != "body")
"""What the JSON lists, in this order."""


def packed_head(entry: Entry) -> bytes:
    """Everything but the body. ASCII, so that bytes of header fields that are no UTF-8 come back as they were."""
    return json.dumps([getattr(entry, name) for name in NAMES], separators=(",", ":")).encode("ascii")


def packed_vary(entry: Entry) -> bytes:
    """What tells the variants of a key apart."""
    return json.dumps(entry.vary, separators=(",", ":")).encode("ascii")


def unpacked(head: object, body: object) -> Entry | None:
    """The entry; None if this is none."""
    if not isinstance(head, bytes) or not isinstance(body, bytes):
        return None
    try:
        told = json.loads(head)
        if not isinstance(told, list) or len(told) != len(NAMES):
            return None
        values = {name: _READ[name](value) for name, value in zip(NAMES, told, strict=True)}
    except (ValueError, TypeError, RecursionError):
        return None
    return Entry(**values, body=body)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _time(value: Any) -> float:
    if type(value) not in (float, int):
        raise TypeError
    return float(value)


def _status(value: Any) -> int:
    if type(value) is not int or not 100 <= value < 1000:
        raise TypeError
    return value


def _mode(value: Any) -> str:
    if value not in ("http", "ttl"):
        raise TypeError
    return str(value)


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    return tuple((_text(name), _text(text)) for name, text in value)


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(map(_text, value))


_READERS: dict[str, Callable[[Any], Any]] = {
    "str": _text,
    "int": _status,
    "float": _time,
    "tuple[tuple[str, str], ...]": _pairs,
    "tuple[str, ...]": _texts,
}
_READ: dict[str, Callable[[Any], Any]] = {
    field.name: _READERS.get(str(field.type), _mode) for field in fields(Entry) if field.name != "body"
}
