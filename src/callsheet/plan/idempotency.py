"""Idempotency keys: a service recognises by its key a POST that it has received before.

The key is made, or taken from the caller, once before the call, so that all attempts of the call carry the same one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

from callsheet.errors import ArgumentError
from callsheet.http.headers import check_field
from callsheet.http.request import Request
from callsheet.settings.idempotency_key import IdempotencyKey

KEYED_METHODS = frozenset({"POST", "PATCH"})
"""The methods that need a key; requests by the others may be sent twice anyway (RFC 9110 9.2.2)."""
VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
PRINTABLE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?\Z")


def keying(settings: IdempotencyKey | None, method: str) -> Callable[[Request], str] | None:
    """A function that puts a key on a request whose caller gave none, and returns it. None if such requests need no key."""
    if settings is None or method not in KEYED_METHODS:
        return None
    return Keying(settings) if settings.source == "auto" else _demanded


class Keying:
    """Puts a new key on each request that has none."""

    def __init__(self, settings: IdempotencyKey) -> None:
        self._header = settings.header
        self._name = settings.header.lower()
        self._is_quoted = settings.quoted

    def __call__(self, request: Request) -> str:
        """The key that the request carries: a new one, unless its own header fields have one."""
        if request.headers.has(self._name):
            return request.headers[self._name]
        key = new_key()
        request.headers = request.headers.plus(self._header, f'"{key}"' if self._is_quoted else key)
        return key


def _demanded(request: Request) -> str:
    raise ArgumentError("idempotency_key: missing; the sheet says that the caller gives it (idempotency_key.from)")


def new_key() -> str:
    """A random UUID (RFC 9562 5.4), as `uuid.uuid4` would make it, at a third of the time."""
    digits = os.urandom(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{VARIANT[digits[16]]}{digits[17:20]}-{digits[20:]}"


def key_field(key: Any, settings: IdempotencyKey) -> tuple[str, str]:
    """The header field of a key, quoted as a structured string (RFC 9651 3.3.3) where that is wanted. Raises ArgumentError."""
    if not isinstance(key, str) or not PRINTABLE.match(key):
        check_field(settings.header, key)
        raise ArgumentError("idempotency_key: expected printable ASCII text that is not empty")
    if not settings.quoted:
        return settings.header, key
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return settings.header, f'"{escaped}"'
