"""Idempotency keys: by which a service knows that a POST is the one it has had before.

One key is made, or taken from the caller, before the call, and so stands in all of its attempts.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from callsheet.errors import ArgumentError
from callsheet.http.headers import check_field
from callsheet.plan.plan import Given
from callsheet.settings.idempotency_key import IdempotencyKey

KEYED_METHODS = frozenset({"POST", "PATCH"})
"""The others may be sent twice as they are (RFC 9110 9.2.2)."""
PRINTABLE = re.compile(r"[\x20-\x7e]+\Z")


def keying(settings: IdempotencyKey | None, method: str) -> Callable[[Given], Given] | None:
    """What gives the calls of an operation their key; None where they need none."""
    if settings is None or method not in KEYED_METHODS:
        return None
    return _made if settings.source == "auto" else _demanded


def _made(given: Given) -> Given:
    return given if given.idempotency_key is not None else given._replace(idempotency_key=str(uuid.uuid4()))


def _demanded(given: Given) -> Given:
    if given.idempotency_key is None:
        raise ArgumentError("idempotency_key: missing; the sheet says that the caller gives it (idempotency_key.from)")
    return given


def key_field(key: str, settings: IdempotencyKey) -> tuple[str, str]:
    """The header field of a key, quoted as a structured string (RFC 9651 3.3.3) where that is wanted. Raises ArgumentError."""
    check_field(settings.header, key)
    if not PRINTABLE.match(key):
        raise ArgumentError("idempotency_key: expected printable ASCII text that is not empty")
    if not settings.quoted:
        return settings.header, key
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return settings.header, f'"{escaped}"'
