"""Who the settings say we are, whatever token proves it this hour: two principals never see each other's stored answers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from callsheet.auth.constant import as_secret, constant_credential, secrets_in
from callsheet.errors import AuthError
from callsheet.secret import Secret
from callsheet.secret.credential_names import names_a_credential
from callsheet.settings.settings import AuthSettings, Settings, SignSettings


class Principal:
    """Who the settings say we are, read again for each call where a credential is a file, which may change."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._is_constant = all(secret.is_constant for secret in _proving(settings))
        self._told = principal_of(settings) if self._is_constant else None

    def now(self) -> str | None:
        """The principal of a call that is made now; None where it cannot be known."""
        if self._is_constant:
            return self._told
        try:
            return principal_of(self._settings)
        except AuthError:  # a file that cannot be read: sending says so
            return None


def principal_of(settings: Settings) -> str | None:
    """A text, with hashes in place of secrets, that is the same for the same principal; None where it cannot be known.

    A function of the user's may give another one's token at any call, so that only the sheet can say whose it is.
    """
    who = constant_credential(settings.auth).identity
    sign, tls = settings.sign, settings.tls
    if not who or any(secret.is_asked for secret in _proving(settings)) or is_found_by_chance(sign):
        return None
    told = [who, *_proofs(settings.auth)]
    for name, value in settings.headers.items():
        if isinstance(value, Secret) or names_a_credential(name):
            told.append(f"{name.lower()} {as_secret(value).fingerprint()}")
    if sign is not None:
        told.append(f"{sign.kind} {_of_secrets(sign.options)}")
    told += [_of_file(path) for path in (tls.cert, tls.key) if path is not None]
    return "\n".join(told)


def is_found_by_chance(sign: SignSettings | None) -> bool:
    """Whether the environment or the machine gives the credentials (AWS), which may be anybody's."""
    return sign is not None and sign.kind == "aws" and "access_key" not in (sign.options["credentials"] or {})


def _proving(settings: Settings) -> list[Secret]:
    """The secrets that prove who we are: those that are sent, and those by which tokens and signatures are made."""
    own = [value for value in settings.headers.values() if isinstance(value, Secret)]
    auth, sign = settings.auth, settings.sign
    if auth is not None:  # what is passed to a function of the user's does not count beside the identity
        own += secrets_in(auth.options.get("identity") if auth.kind == "python" else auth.options)
    return [*own, *secrets_in(sign.options if sign is not None else None)]


def _proofs(auth: AuthSettings | None) -> list[str]:
    """What the settings prove it with, where it is no token: a wrong password must not find what the right one is answered."""
    options = auth.options if auth is not None else {}
    return [_of_secrets(options[name]) for name in ("username", "password", "client_secret") if name in options]


def _of_secrets(options: object) -> str:
    """The fingerprints of the keys among some options."""
    if isinstance(options, Secret):
        return options.fingerprint()
    if isinstance(options, Mapping):
        return " ".join(f"{name}={_of_secrets(value)}" for name, value in sorted(options.items()) if value is not None)
    return str(options) if isinstance(options, str | int | bool) else ""


def _of_file(path: Path) -> str:
    """A certificate by its content, since another one may be put into its place."""
    try:
        content = path.read_bytes()
    except OSError:
        return str(path)
    return hashlib.sha256(content).hexdigest()
