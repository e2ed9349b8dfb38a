"""What a request is known by in a store: keyed hashes (HMAC, RFC 2104), from which neither a URL nor a secret can be read."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from callsheet.http.caching.fields import normalized
from callsheet.http.caching.reuse import BYPASSING, CONDITIONS, Wishes, wishes_of
from callsheet.http.headers import Headers
from callsheet.http.request import Request, origin_of
from callsheet.secret import Secret
from callsheet.secret.credential_names import names_a_credential

SAYS_NOTHING = frozenset(
    {
        "user-agent", "accept-encoding", "cache-control", "pragma", "traceparent", "tracestate", "baggage", "content-length",
        "content-type", "idempotency-key", "x-request-id", "x-correlation-id", "request-id",
    }
    | CONDITIONS
)  # fmt: skip
"""Fields that no answer depends on, unless its `Vary` says so."""
PARTED = "\x1f"


class Asked(NamedTuple):
    """What the header fields of a request say to a cache.

    `wishes` are its directives; `bypasses` names a field for which the service must be asked; `conditions` whether the caller
    asks by a copy of its own. `proofs` are the credentials that this call gave, `rest` all other fields.
    """

    wishes: Wishes
    bypasses: str
    conditions: bool
    proofs: str
    rest: str


def asked_of(headers: Headers, constant: frozenset[tuple[str, str | Secret]]) -> Asked:
    """What the fields say; credentials that every request of the settings has (`constant`) are not this call's."""
    names = {name.lower() for name, _ in headers.fields}
    proofs: list[str] = []
    rest: list[str] = []
    for field in headers.fields:
        name, value = field[0].lower(), field[1]
        if isinstance(value, Secret) or names_a_credential(name):
            proofs += () if field in constant else (name, text_of(value))
        elif name not in SAYS_NOTHING:
            rest += (name, text_of(value))
    return Asked(
        wishes_of(headers.multi_items()),
        next(iter(sorted(BYPASSING & names)), ""),
        not CONDITIONS.isdisjoint(names),
        PARTED.join(proofs),
        PARTED.join(rest),
    )


def text_of(value: str | Secret) -> str:
    """The text of a field, for a hash alone."""
    return value if isinstance(value, str) else value.reveal()


def texts_of(headers: Headers, name: str) -> list[str]:
    """Every value of a field, those of secrets as well: for a hash, or to be compared."""
    return [text_of(value) for known, value in headers.fields if known.lower() == name.lower()]


def mac(key: bytes, *parts: str) -> str:
    """A keyed hash of some texts, in hex."""
    return hmac.digest(key, PARTED.join(parts).encode("utf-8", "surrogateescape"), "sha256").hex()


def place_of(url: str) -> str:
    """What a URL means, however it spells its origin. Raises ValueError for what is no URL of http."""
    parts = urlsplit(url)
    return f"{origin_of(url)}{parts.path or '/'}?{parts.query}"


def varied(key: bytes, names: tuple[str, ...], request: Request) -> tuple[tuple[str, str], ...]:
    """The fields of a request that an answer varies on: by name, a keyed hash of each."""
    return tuple((name, mac(key, name, _value_of(request.headers, name))) for name in names)


def _value_of(headers: Headers, name: str) -> str:
    texts = texts_of(headers, name)
    return normalized(texts) if texts else "\x00"


def body_text(request: Request) -> str:
    """The body as it counts for a key, with its media type: JSON with its names in order, anything else as it is."""
    body = request.body
    content = (body.content or b"") if body is not None else b""
    kind = request.headers.get("Content-Type") or getattr(body, "content_type", None) or ""
    if content and "json" in kind:
        try:
            told = json.loads(content, object_pairs_hook=_ordered, parse_float=_as_written)
            return f"{kind}{PARTED}{json.dumps(told, separators=(',', ':'))}"
        except (ValueError, RecursionError):
            pass
    return f"{kind}{PARTED}{content.decode('latin-1')}"


def _ordered(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object as a list of its members, so that a name that is given twice counts with both values."""
    return {"": sorted(pairs, key=_name)}


def _name(pair: tuple[str, Any]) -> str:
    return pair[0]


def _as_written(number: str) -> dict[str, str]:
    """A number that a float may not hold: it is told from any object, which has a list."""
    return {"": number}


def argument_text(arguments: Mapping[str, Any], name: str) -> str:
    """An argument of the call as it counts for a key."""
    value = arguments.get(name)
    if isinstance(value, Secret):
        return value.reveal()
    try:
        return json.dumps(value, sort_keys=True, default=_plain)
    except (TypeError, ValueError, RecursionError):
        return repr(value)


def _plain(value: Any) -> str:
    return value.reveal() if isinstance(value, Secret) else str(value)
