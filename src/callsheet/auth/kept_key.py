"""A key as signers take it, made of a secret that may be a mounted file: made once, and again when the file changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from callsheet.auth.keys import Unfit
from callsheet.errors import AuthError
from callsheet.secret import Secret


class _Made(NamedTuple):
    text: str
    key: Any


class KeptKey:
    """The key of one secret. `make` gives what signs, or Unfit."""

    def __init__(self, secret: Secret, make: Callable[[Secret], Any]) -> None:
        self._secret = secret
        self._make = make
        self._made: _Made | None = None

    def now(self) -> Any:
        """The key as it is now; the last one while the file holds none. Raises AuthError if it never held one."""
        made = self._made
        if made is not None and self._secret.is_constant:
            return made.key
        try:
            text = self._secret.reveal()
        except (OSError, ValueError):
            return self._last("it cannot be read")
        if made is not None and text == made.text:
            return made.key
        key = self._make(Secret(text))
        if isinstance(key, Unfit):
            return self._last(key.message)
        self._made = _Made(text, key)
        return key

    def _last(self, why: str) -> Any:
        # A mounted key may be seen half written.
        if self._made is not None:
            return self._made.key
        raise AuthError(f"the request cannot be signed, for the key cannot be used: {why}", stopped_by="sign")
