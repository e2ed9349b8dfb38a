"""The signer that carries out the sheet's `sign`."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from callsheet.auth.aws import AWSSigner
from callsheet.auth.hmac_signing import HMACSigner
from callsheet.auth.http_signature import HTTPSignature
from callsheet.secret import Secret
from callsheet.settings.settings import SignSettings

NONCE_BYTES = 16
"""128 random bits: no two are ever the same."""
AnySigner = HMACSigner | HTTPSignature | AWSSigner


def signer_of(sign: SignSettings, *, wall_clock: Callable[[], float]) -> AnySigner:
    """The signer of one kind. Raises UsageError if the library that it needs is not installed."""
    if sign.kind == "hmac":
        return HMACSigner(sign.options, new_nonce=new_nonce)
    if sign.kind == "http_signature":
        return HTTPSignature(sign.options, new_nonce=new_nonce)
    return AWSSigner(sign.options, wall_clock=wall_clock)


def unsent_keys(sign: SignSettings | None) -> tuple[Secret, ...]:
    """The private keys of a `sign`: never sent, so they cannot come back, and answers need not be searched for them."""
    if sign is None or sign.kind != "http_signature" or sign.options["algorithm"] == "hmac-sha256":
        return ()
    return (sign.options["key"],)


def new_nonce() -> str:
    """A number used once, in hex."""
    return secrets.token_hex(NONCE_BYTES)
