"""Idempotency keys: by which a service knows that a POST is the one it has had before.

One key is made, or taken from the caller, before the call, and so stands in all of its attempts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

from callsheet.errors import ArgumentError
from callsheet.http.headers import check_field
from callsheet.plan.plan import Given
from callsheet.settings.idempotency_key import IdempotencyKey

KEYED_METHODS = frozenset({"POST", "PATCH"})
"""The others may be sent twice as they are (RFC 9110 9.2.2)."""
KEY_AT = Given._fields.index("idempotency_key")
VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
PRINTABLE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?\Z")


def keying(settings: IdempotencyKey | None, method: str) -> Callable[[Given], Given] | None:
    """What gives the calls of an operation their key; None where they need none."""
    if settings is None or method not in KEYED_METHODS:
        return None
    return _made if settings.source == "auto" else _demanded


def _made(given: Given) -> Given:
    if given.idempotency_key is not None:
        return given
    before, after = given[:KEY_AT], given[KEY_AT + 1 :]
    return Given._make((*before, new_key(), *after))  # a third of what `_replace` takes


def new_key() -> str:
    """A random UUID (RFC 9562 5.4), as `uuid.uuid4` would make it, at a third of the time."""
    digits = os.urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{VARIANT[digits[16]]}{digits[17:20]}-{digits[20:]}"


def _demanded(given: Given) -> Given:
    if given.idempotency_key is None:
        raise ArgumentError("idempotency_key: missing; the sheet says that the caller gives it (idempotency_key.from)")
    return given


def key_field(key: Any, settings: IdempotencyKey) -> tuple[str, str]:
    """The header field of a key, quoted as a structured string (RFC 9651 3.3.3) where that is wanted. Raises ArgumentError."""
    if not isinstance(key, str) or not PRINTABLE.match(key):
        check_field(settings.header, key)
        raise ArgumentError("idempotency_key: expected printable ASCII text that is not empty")
    if not settings.quoted:
        return settings.header, key
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return settings.header, f'"{escaped}"'
