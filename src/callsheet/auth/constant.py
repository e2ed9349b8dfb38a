"""The part of a credential that is the same for every request, computed before any is made.

For bearer, basic and api_key that is all of it. For kinds whose token changes (jwt, oauth2, python) it is the identity, and
the header that will carry the token.

RFC 6750 2.1 (Bearer), RFC 7617 2 (Basic, in UTF-8).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from callsheet.auth.jwt import revealed
from callsheet.errors import AuthError
from callsheet.secret import Derived, Secret
from callsheet.settings.settings import AuthSettings


@dataclass(frozen=True, slots=True)
class ConstantCredential:
    """What is added to each request, and whose credential it is.

    `identity`, a hash, tells credentials apart without showing them; it is empty where it cannot be known. `secrets` are sent,
    so every text that comes back is masked for them; `unsent` secrets are never sent. `later` names the headers that a policy
    fills in when the request is sent.
    """

    identity: str
    headers: tuple[tuple[str, Secret], ...] = ()
    params: tuple[tuple[str, Secret], ...] = ()
    secrets: tuple[Secret, ...] = field(default=(), repr=False)
    unsent: tuple[Secret, ...] = field(default=(), repr=False)
    later: tuple[str, ...] = ()


def constant_credential(auth: AuthSettings | None) -> ConstantCredential:
    """The constant part of the sheet's `auth`; empty for None."""
    if auth is None:
        return ConstantCredential("anonymous")
    return _KINDS[auth.kind](auth)


def _bearer(auth: AuthSettings) -> ConstantCredential:
    token = as_secret(auth.options["token"])
    return ConstantCredential(
        _identity("bearer", token), headers=(("Authorization", Secret("Bearer ", token)),), secrets=(token,)
    )


def _basic(auth: AuthSettings) -> ConstantCredential:
    username, password = as_secret(auth.options["username"]), as_secret(auth.options["password"])

    is_constant = username.is_constant and password.is_constant
    blob = Secret(Derived(_encoded, username, password))
    blob = blob.now() if is_constant else blob
    return ConstantCredential(
        _identity("basic", password if _is_empty(username) else username),
        headers=(("Authorization", Secret("Basic ", blob)),),
        secrets=(username if _is_empty(password) else password, blob),
    )


def _is_empty(secret: Secret) -> bool:
    return secret.is_constant and not secret.reveal()


def _encoded(username: str, password: str) -> str:
    """User name and password as `Basic` sends them (RFC 7617 2)."""
    if ":" in username:
        raise AuthError("the user name has a `:` in it, which would end it (RFC 7617 2)", stopped_by="auth")
    return base64.b64encode(f"{username}:{password}".encode()).decode()


def _api_key(auth: AuthSettings) -> ConstantCredential:
    value = as_secret(auth.options["value"])
    identity = _identity("api_key", value)
    if "header" in auth.options:
        return ConstantCredential(identity, headers=((auth.options["header"], value),), secrets=(value,))
    if "query" in auth.options:
        return ConstantCredential(identity, params=((auth.options["query"], value),), secrets=(value,))
    cookie = Secret(f"{auth.options['cookie']}=", value)
    return ConstantCredential(identity, headers=(("Cookie", cookie),), secrets=(value,))


def _jwt(auth: AuthSettings) -> ConstantCredential:
    options = auth.options
    key = options["secret"] if "secret" in options else options["key"]
    told = json.dumps({name: revealed(options[name]) for name in WHO if name in options}, sort_keys=True)
    identity = _identity("jwt", Secret(told, key))
    return ConstantCredential(identity, unsent=(key,) if "key" in options else (), later=(options["header"],))


def _oauth2(auth: AuthSettings) -> ConstantCredential:
    options = auth.options
    told = {name: _told(options[name]) for name in OAUTH2_WHO if name in options}
    secrets = tuple(secrets_in(options))
    return ConstantCredential(
        _identity("oauth2", Secret(json.dumps(told, sort_keys=True))), unsent=secrets, later=("Authorization",)
    )


def _told(value: Any) -> Any:
    """The value as plain data, with a fingerprint for each secret, since functions must not be asked before a call."""
    if isinstance(value, Secret):
        return value.fingerprint()
    if isinstance(value, Mapping):
        return {name: _told(inner) for name, inner in value.items()}
    return [_told(inner) for inner in value] if isinstance(value, list | tuple) else value


def secrets_in(value: Any) -> Iterator[Secret]:
    """The secrets among some options."""
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from secrets_in(inner)


def _python(auth: AuthSettings) -> ConstantCredential:
    # Only the function knows whose credential it is, unless the sheet says it.
    identity = auth.options.get("identity")
    told = "" if identity is None else _identity("python", as_secret(identity))
    return ConstantCredential(told, unsent=tuple(secrets_in(auth.options["options"])))


OAUTH2_WHO = ("token_url", "grant", "client_id", "scopes", "audience", "params", "refresh_token", "assertion")
WHO = ("algorithm", "issuer", "subject", "audience", "key_id", "claims")
_KINDS = {"bearer": _bearer, "basic": _basic, "api_key": _api_key, "jwt": _jwt, "oauth2": _oauth2, "python": _python}


def as_secret(value: str | Secret) -> Secret:
    """The value as a secret, if it is not one already."""
    return value if isinstance(value, Secret) else Secret(value)


def _identity(kind: str, secret: Secret) -> str:
    return f"{kind} {secret.fingerprint()}"
