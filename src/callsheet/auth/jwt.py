"""JSON Web Tokens (RFC 7519) that we sign ourselves: one is made when it is needed, and used until shortly before it expires.

Signing takes up to some milliseconds with RSA, so all operations, threads and tasks with the same `auth` share a token. It is
not sent in the last tenth of its life, because clocks differ and requests take time.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from callsheet.auth.jwt_keys import Unfit, require_pyjwt, signing_key
from callsheet.call import Attempt
from callsheet.errors import AuthError
from callsheet.secret import Secret
from callsheet.verdicts import Refuse

LEFT_OVER = 0.1
"""The part of a token's life that is not used."""
BACKDATED = 30
"""Seconds by which `nbf` is in the past, so that a service whose clock is behind ours accepts a new token."""


class Token(NamedTuple):
    """A token: `field` as the header field has it, with its scheme, and `value` alone."""

    field: Secret
    value: Secret


class _Kept(NamedTuple):
    token: Token
    key: Secret
    made: float
    renewal: float
    expiry: float


class JWT:
    """The tokens of one `auth: {jwt: ...}`, one at a time; safe to use from any thread.

    `options` are those of the sheet. `wall_clock` gives the time of day, by which tokens begin and expire; `new_id` a `jti`.
    """

    def __init__(
        self, options: Mapping[str, Any], *, wall_clock: Callable[[], float], new_id: Callable[[], str]
    ) -> None:
        self.header: str = options.get("header", "Authorization")
        self._options = options
        self._key: Secret = options["secret"] if "secret" in options else options["key"]
        self._is_constant = self._key.is_constant
        self._wall_clock = wall_clock
        self._new_id = new_id
        scheme = options.get("scheme", "Bearer")
        self._prefix = f"{scheme} " if scheme else ""
        self.forget()

    def forget(self) -> None:
        """Start over in a forked child, which makes tokens of its own."""
        self._lock = threading.Lock()
        self._kept: _Kept | None = None
        self._tried: Secret | None = None
        self._signer: Any = None

    def ready(self, attempt: Attempt, now: float) -> Refuse | None:
        """None if there is a token, or one could be made; else a refusal with an AuthError."""
        try:
            self.token()
        except AuthError as error:
            return Refuse(error, by="auth")
        return None

    def at_hand(self) -> Token:
        """The token to send now. Raises AuthError if none can be made."""
        return self.token()

    def reject(self, token: Token) -> bool:
        """Drop a token that the service refused, so that the next request makes a new one."""
        with self._lock:
            if self._kept is not None and self._kept.token is token:
                self._kept = None
        return True

    def reject_again(self, token: Token) -> None:
        """Do nothing when the service also refuses the new token: making another costs no request."""

    def leave(self, attempt: Attempt) -> None:
        """Do nothing: no attempt waits for a token, since it is made at once."""

    def anew(self) -> Token:
        """A new token, for an endpoint that accepts each only once. Raises AuthError if none can be made."""
        with self._lock:
            self._kept = None
            return self._renewed(self._wall_clock())

    def token(self) -> Token:
        """The token to send now. Raises AuthError if none can be made and the last one has expired."""
        now = self._wall_clock()
        kept = self._kept
        if kept is not None and self._serves(kept, now):
            return kept.token
        with self._lock:
            # Read the clock again: another thread may have made a token since, which must not seem to be from the future.
            return self._renewed(self._wall_clock())

    def _serves(self, kept: _Kept, now: float) -> bool:
        """Whether a token is still to be sent: it is not near its end, and was signed with the present key."""
        if not kept.made <= now < kept.renewal:
            return False
        try:
            return self._is_constant or self._key.reveal() == kept.key.reveal()
        except AuthError:
            return False

    def _renewed(self, now: float) -> Token:
        kept = self._kept
        if kept is not None and self._serves(kept, now):
            return kept.token  # another thread made it meanwhile
        key = self._key_now()
        if key is None or key != self._tried:
            self._tried = key
            self._signer = Unfit("it cannot be read") if key is None else signing_key(self._options["algorithm"], key)
        if key is not None and not isinstance(self._signer, Unfit):
            self._kept = self._made(now, key)
            return self._kept.token
        # A mounted key may be seen half written: the last token serves until it expires.
        if kept is not None and kept.made <= now < kept.expiry:
            return kept.token
        raise AuthError(f"no JWT can be made, for the key cannot be used: {self._signer.message}", stopped_by="auth")

    def _key_now(self) -> Secret | None:
        """The key as it is now; None if it cannot be read."""
        if self._is_constant:
            return self._key
        try:
            return Secret(self._key.reveal())
        except AuthError:
            return None

    def _made(self, now: float, key: Secret) -> _Kept:
        options = self._options
        life = int(options["expires"])
        claims = self._claims(int(now), life)
        headers = {"kid": revealed(options["key_id"])} if "key_id" in options else {}
        text = signed(json.dumps(claims, separators=(",", ":")).encode(), self._signer, options["algorithm"], headers)
        expiry = int(now) + life
        token = Token(Secret(self._prefix + text), Secret(text))
        return _Kept(token, key, now, expiry - life * LEFT_OVER, expiry)

    def _claims(self, now: int, life: int) -> dict[str, Any]:
        options = self._options
        named = (("iss", "issuer"), ("sub", "subject"), ("aud", "audience"))
        return {
            **{claim: revealed(options[name]) for claim, name in named if name in options},
            "iat": now,
            "nbf": now - BACKDATED,
            "exp": now + life,
            "jti": self._new_id(),
            **revealed(options.get("claims", {})),
        }


def revealed(value: Any) -> Any:
    """The value as plain data, with its secrets revealed."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Mapping):
        return {name: revealed(inner) for name, inner in value.items()}
    return [revealed(item) for item in value] if isinstance(value, list | tuple) else value


def signed(payload: bytes, key: Any, algorithm: str, headers: Mapping[str, Any]) -> str:
    """The payload as a signed compact token (RFC 7515 7.1); `typ` is `JWT` unless `headers` say otherwise."""
    require_pyjwt()
    import jwt.api_jws  # noqa: PLC0415 - loaded where a JWT is used

    return jwt.api_jws.PyJWS().encode(payload, key, algorithm, headers=dict(headers))
