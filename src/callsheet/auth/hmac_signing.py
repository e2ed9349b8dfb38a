"""HMAC over parts of a request (RFC 2104), as many services ask for it, each with a layout of its own.

What is signed: the `components` in their order, joined by `separator`, as bytes. Method, path and query are those on the
wire, text is UTF-8, a header's value Latin-1, and the body is its bytes after compression.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from callsheet.auth.body_digest import Digests
from callsheet.auth.components import RequestTarget, check_readable, fields_of, pieces_of, settled, target_of
from callsheet.auth.kept_key import KeptKey, shared_secret
from callsheet.call import Attempt
from callsheet.errors import ArgumentError
from callsheet.http.request import Request
from callsheet.secret import Secret
from callsheet.verdicts import Ticket

ALGORITHMS = ("sha256", "sha384", "sha512")
ENCODINGS: Mapping[str, Callable[[bytes], str]] = {
    "hex": bytes.hex,
    "base64": lambda octets: base64.b64encode(octets).decode(),
    "base64url": lambda octets: base64.urlsafe_b64encode(octets).decode(),
}
TIMES: Mapping[str, Callable[[float], str]] = {
    "seconds": lambda now: str(int(now)),
    "milliseconds": lambda now: str(int(now * 1000)),
    "iso": lambda now: f"{datetime.fromtimestamp(int(now * 1000) / 1000, UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z",
}
SHORTEST_KEY = 16
"""Bytes (128 bits), which cannot be guessed. The length of the hash is not required: the service chooses the key."""
COMPONENTS: Mapping[str, Callable[[Request, RequestTarget], str]] = {
    "method": lambda request, target: request.method,
    "path": lambda request, target: target.path,
    "query": lambda request, target: target.query or "",
    "target": lambda request, target: target.in_origin_form,
    "url": lambda request, target: target.url,
    "host": lambda request, target: target.authority,
}
COMPONENT = re.compile(
    rf"{'|'.join(COMPONENTS)}|timestamp|nonce|body|body_sha256|text:.+|header:[!#$%&'*+\-.^_`|~0-9A-Za-z]+", re.DOTALL
)
PLACES = re.compile(r"\{(signature|timestamp|nonce)\}")


class HMACSigner:
    """Signs with a secret that the service has, too. `options` are the sheet's; `new_nonce` makes a nonce."""

    waits_for = "the digest of its body"

    def __init__(self, options: Mapping[str, Any], *, new_nonce: Callable[[], str]) -> None:
        self._options = options
        self._components: tuple[str, ...] = options["components"]
        self._key = KeptKey(options["key"], lambda secret: shared_secret(secret, options["key_encoding"], SHORTEST_KEY))
        self._new_nonce = new_nonce
        self._digests = Digests("`body_sha256` is among the components of its signature")
        self._has_digest = "body_sha256" in self._components
        self.prepares = self._has_digest or "body" in self._components

    def forget(self) -> None:
        """Begin anew in a forked child."""
        self._digests.forget()

    def awaited(self, attempt: Attempt) -> Ticket | None:
        """A ticket to wait for before signing, or None. Raises ArgumentError for a body that can be read only once."""
        if self._has_digest:
            return self._digests.awaited(attempt)
        check_readable(attempt.request, "`body` is among the components of its signature")
        return None

    def signed(self, request: Request, now: float) -> Request:
        """The request with its signature. Raises ArgumentError for a missing header, AuthError without a key."""
        options, request = self._options, settled(request)
        told = {"timestamp": TIMES[options["timestamp"]](now), "nonce": self._new_nonce()}
        found = hmac.new(self._key.now(), digestmod=options["algorithm"])
        for octets in self._signed_bytes(request, told):
            found.update(octets)
        signature = ENCODINGS[options["encoding"]](found.digest())
        fields: list[tuple[str, str | Secret]] = [
            (options[name], told[what])
            for name, what in (("timestamp_header", "timestamp"), ("nonce_header", "nonce"))
            if name in options
        ]
        fields.append((options["header"], _laid_out(options["value"], told, signature)))
        return request.with_headers(request.headers.with_fields(fields), Secret(signature))

    def _signed_bytes(self, request: Request, told: Mapping[str, str]) -> Iterator[bytes]:
        target = target_of(request)
        separator = self._options["separator"].encode()
        for position, component in enumerate(self._components):
            if position:
                yield separator
            if component == "body":
                yield from pieces_of(request)
            else:
                yield self._part(component, request, target, told)

    def _part(self, component: str, request: Request, target: RequestTarget, told: Mapping[str, str]) -> bytes:
        if component in COMPONENTS:
            return COMPONENTS[component](request, target).encode()
        if component in told:
            return told[component].encode()
        if component == "body_sha256":
            return self._digests.of(request).hex().encode()
        kind, _, rest = component.partition(":")
        return rest.encode() if kind == "text" else _field(rest, request, target)


def _field(name: str, request: Request, target: RequestTarget) -> bytes:
    values = [value for known, value in fields_of(request, target) if known.lower() == name.lower()]
    if not values:
        raise ArgumentError(
            f"the request cannot be signed: it has no header `{name}`, which is among the components of its signature; "
            "give it, or set it under `headers`"
        )
    return ", ".join(values).encode("latin-1")


def _laid_out(value: str, told: Mapping[str, str], signature: str) -> Secret:
    """The header's value, with the signature and what is told beside it filled in."""
    texts = {**told, "signature": signature}
    return Secret(*(texts[part] if index % 2 else part for index, part in enumerate(PLACES.split(value))))
