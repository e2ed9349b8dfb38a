"""`verify_jwt`: for webhooks that a service signs, and for tests of the tokens that we send.

RFC 7519 7.2, and what RFC 8725 asks for: the caller chooses the algorithms, never the token; each must fit the key; `none` is
not accepted.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from callsheet.auth.jwt_keys import ALGORITHMS, Unfit, family, require_pyjwt, verifying_key
from callsheet.bare_frames import bared
from callsheet.errors import AuthError, UsageError
from callsheet.secret import Secret

LONGEST = 64 * 1024
"""Characters of a token: servers commonly take less in all header fields together."""

LATEST = 1e300
"""Seconds: a larger number could not be reckoned with."""


class _Asked(NamedTuple):
    """The arguments of `verify_jwt` that its claims are checked against."""

    issuer: str | Collection[str] | None
    audience: str | Collection[str] | None
    leeway: float
    requires: Collection[str]
    now: float


@bared
def verify_jwt(
    token: str,
    key: str | bytes | Secret,
    algorithms: Sequence[str],
    *,
    issuer: str | Collection[str] | None = None,
    audience: str | Collection[str] | None = None,
    leeway: float = 0.0,
    requires: Collection[str] = ("exp",),
    now: float | None = None,
) -> dict[str, Any]:
    """Verify a JWT (RFC 7519 7.2, RFC 8725) and give its claims: its signature, times, issuer and audience are right.

    `key` is the shared secret for HS256, HS384 and HS512, else the public key in PEM. `algorithms` are those to accept, all
    for one kind of key. `leeway` is how many seconds the clocks may differ. `requires` names claims that the token must
    have. `now` is a Unix timestamp, by default the time of day. Without `audience`, a token that names one is refused.

    Raises AuthError for a token that must not be trusted, UsageError for algorithms or a key that can verify none.
    """
    _check_kinds(token, key, leeway)
    asked = _Asked(issuer, audience, leeway, requires, time.time() if now is None else now)
    return _verified(token, key, algorithms, asked)


def _verified(token: str, key: str | bytes | Secret, algorithms: Sequence[str], asked: _Asked) -> dict[str, Any]:
    require_pyjwt()
    verifier = _verifier(_checked(algorithms), key)
    if isinstance(verifier, Unfit):
        hint = f"; {verifier.hint}" if verifier.hint else ""
        raise UsageError(f"verify_jwt: the key cannot be used: {verifier.message}{hint}")
    claims = _json_object(_payload(token, verifier, algorithms))
    _check_times(claims, asked.now, asked.leeway)
    issuer, audience = asked.issuer, asked.audience
    missing = [name for name in asked.requires if claims.get(name) is None]
    if missing:
        raise AuthError(f"JWT: it has no `{missing[0]}`")
    if issuer is not None and not _names(issuer) & _names(claims.get("iss")):
        raise AuthError("JWT: it is of another issuer")
    if ("aud" in claims or audience is not None) and not _names(audience) & _names(claims.get("aud")):
        raise AuthError("JWT: it is meant for another audience")
    return claims


def _check_kinds(token: Any, key: Any, leeway: Any) -> None:
    """Raise AuthError for a token that is no text, since it comes from outside, and UsageError for other wrong arguments."""
    if not isinstance(token, str):
        raise AuthError(f"JWT: expected a text of three parts, found {type(token).__name__}")
    if not isinstance(key, str | bytes | Secret):
        raise UsageError(f"verify_jwt: expected the key as text, bytes or a Secret, found {type(key).__name__}")
    if isinstance(leeway, bool) or not isinstance(leeway, int | float):
        raise UsageError(f"verify_jwt: expected leeway as a number of seconds, found {type(leeway).__name__}")


def _checked(algorithms: Sequence[str]) -> Sequence[str]:
    if isinstance(algorithms, str) or not algorithms:
        raise UsageError("verify_jwt: expected a list of algorithms, such as algorithms=['RS256']")
    unknown = [name for name in algorithms if name not in ALGORITHMS]
    if unknown:
        raise UsageError(f"verify_jwt: {unknown[0]!r} is no algorithm for signatures; expected {', '.join(ALGORITHMS)}")
    if len({family(name) for name in algorithms}) > 1:
        raise UsageError("verify_jwt: these algorithms take keys of different kinds; name those that the key is for")
    return algorithms


def _verifier(algorithms: Sequence[str], key: str | bytes | Secret) -> Any:
    """The key in the form that PyJWT verifies with; Unfit if it does not fit each of the algorithms."""
    text = key.reveal() if isinstance(key, Secret) else key
    octets = text.encode() if isinstance(text, str) else text
    found = [verifying_key(algorithm, octets) for algorithm in algorithms]
    return next((each for each in found if isinstance(each, Unfit)), found[0])


def _payload(token: str, verifier: Any, algorithms: Sequence[str]) -> bytes:
    """The signed bytes of a token. Raises AuthError unless the signature is right."""
    import jwt  # noqa: PLC0415 - loaded where a JWT is used

    if len(token) > LONGEST or not all(map(_is_base64url, token.split("."))):
        raise AuthError("JWT: expected a text of three parts")
    try:
        found = jwt.api_jws.PyJWS().decode_complete(token, verifier, algorithms=list(algorithms))
    except jwt.InvalidSignatureError:
        problem = "its signature does not fit the key"
    except jwt.InvalidAlgorithmError:
        problem = f"it is not signed with {' or '.join(algorithms)}"
    except (jwt.PyJWTError, ValueError, TypeError, NotImplementedError):
        problem = "it cannot be read as a signed token"
    else:
        # A critical extension that is not understood must be refused (RFC 7515 4.1.11); we understand none.
        _json_object(_decoded(token.partition(".")[0]), "header")
        problem = "it has an extension (`crit`) that is not known" if "crit" in found["header"] else ""
        if not problem:
            payload: bytes = found["payload"]
            return payload
    raise AuthError(f"JWT: {problem}")


def _is_base64url(part: str) -> bool:
    """Whether a part is written as RFC 7515 2 does, without padding: else one token could be written in several ways."""
    try:
        return base64.urlsafe_b64encode(_decoded(part)).rstrip(b"=").decode() == part
    except ValueError:
        return False


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _json_object(document: bytes, what: str = "claims") -> dict[str, Any]:
    """The object, in UTF-8 (RFC 7519 7.2). A name must not stand in it twice (RFC 7515 5.2, RFC 7519 4)."""
    try:
        found = json.loads(document.decode("utf-8"), object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise AuthError(f"JWT: its {what} {'are' if what == 'claims' else 'is'} no JSON object")
    return found


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name twice")
    return found


def _check_times(claims: dict[str, Any], now: float, leeway: float) -> None:
    for name in ("exp", "nbf", "iat"):
        value = claims.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise AuthError(f"JWT: its `{name}` is no number")
        if value is not None and abs(value) > LATEST:
            raise AuthError(f"JWT: its `{name}` is no time")
    if claims.get("exp") is not None and not now < claims["exp"] + leeway:
        raise AuthError("JWT: it has expired")
    if claims.get("nbf") is not None and not now >= claims["nbf"] - leeway:
        raise AuthError("JWT: it is not valid yet")


def _names(value: Any) -> set[str]:
    """The texts of a claim, or of an argument, which may be one text or several."""
    if isinstance(value, str):
        return {value}
    return (
        {each for each in value if isinstance(each, str)}
        if isinstance(value, list | tuple | set | frozenset)
        else set()
    )
