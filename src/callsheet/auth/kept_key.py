"""The key that a signer takes, made of a secret. It is made again when the secret is a mounted file that changes."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, NamedTuple

from callsheet.auth.jwt_keys import HOW_TO_MAKE, Unfit
from callsheet.errors import AuthError
from callsheet.secret import Secret

KEY_ENCODINGS = ("text", "base64", "hex")


def shared_secret(secret: Secret, encoding: str, least: int) -> bytes | Unfit:
    """The bytes of a secret that is written as text, in Base64 or in hex; Unfit if they are fewer than `least`."""
    text = secret.reveal()
    if "-----BEGIN " in text:
        return Unfit(
            "a key in PEM, and HMAC signs with a shared secret",
            "a key in PEM is for `http_signature: {algorithm: ed25519}`",
        )
    octets = _decoded(text, encoding)
    if octets is None:
        return Unfit(f"it is not {encoding}", "`key_encoding: text` takes it as it is")
    if len(octets) < least:
        return Unfit(f"too short: at least {least} bytes are needed", HOW_TO_MAKE["HMAC"])
    return octets


def _decoded(text: str, encoding: str) -> bytes | None:
    try:
        if encoding == "hex":
            return bytes.fromhex(text)
        if encoding == "base64":
            return base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return text.encode()


class _Made(NamedTuple):
    text: Secret
    key: Any


class KeptKey:
    """The key of one secret. `make` makes the key from the secret, or gives an Unfit."""

    def __init__(self, secret: Secret, make: Callable[[Secret], Any]) -> None:
        self._secret = secret
        self._make = make
        self._made: _Made | None = None

    def now(self) -> Any:
        """The present key; while the file holds no usable key, the last one. Raises AuthError if there was never one."""
        made = self._made
        if made is not None and self._secret.is_constant:
            return made.key
        try:
            text = self._secret.reveal()
        except AuthError as error:
            return self._last(str(error))
        if made is not None and text == made.text.reveal():
            return made.key
        key = self._make(Secret(text))
        if isinstance(key, Unfit):
            return self._last(key.message)
        self._made = _Made(Secret(text), key)
        return key

    def _last(self, why: str) -> Any:
        # A mounted file may be read while it is being written.
        if self._made is not None:
            return self._made.key
        raise AuthError(f"the request cannot be signed, for the key cannot be used: {why}", stopped_by="sign")
