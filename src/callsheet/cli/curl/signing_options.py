"""`--curl` and `--dry-run`: what stands there of a signature, which is made anew for each request that leaves."""

from __future__ import annotations

import os
from collections.abc import Mapping

from callsheet.auth.aws import TOLD_THE_DIGEST
from callsheet.auth.body_digest import digest
from callsheet.cli.curl.shell_words import Piece, Variable, VariableNames, joined
from callsheet.http.request import Request
from callsheet.settings.settings import AuthSettings, SignSettings


def sign_words(sign: SignSettings | None, request: Request, names: VariableNames) -> list[list[Piece]]:
    """The options that make curl sign for AWS; none for signatures that curl cannot make."""
    if sign is None or sign.kind != "aws":
        return []
    options = sign.options
    provider = f"aws:amz:{options['region']}:{options['service']}"
    keys, token = _credentials(options["credentials"], names)
    words: list[list[Piece]] = [["--aws-sigv4 ", joined([provider])], ["--user ", joined(keys)]]
    if token:
        words.append(["--header ", joined(["X-Amz-Security-Token: ", *token])])
    if options["service"] in TOLD_THE_DIGEST and not request.is_upload:
        # Not every curl tells it by itself.
        words.append(["--header ", joined([f"X-Amz-Content-SHA256: {digest(request).hex()}"])])
    return words


def _credentials(written: object, names: VariableNames) -> tuple[list[Piece], list[Piece]]:
    """User and password to curl, and the session token."""
    if not isinstance(written, Mapping) or "access_key" not in written:
        token: list[Piece] = [Variable("AWS_SESSION_TOKEN")] if os.environ.get("AWS_SESSION_TOKEN") else []
        return [Variable("AWS_ACCESS_KEY_ID"), ":", Variable("AWS_SECRET_ACCESS_KEY")], token
    found = {name: names.word(secret.reveal(), name) for name, secret in written.items()}
    return [*found["access_key"], ":", *found["secret_key"]], found.get("session_token", [])


def remark(sign: SignSettings | None, *, is_curl: bool) -> str:
    """What is to be said of a signature that is not shown; empty where nothing is missing."""
    if sign is None or (is_curl and sign.kind == "aws"):
        return ""
    return f"the signature (sign.{sign.kind}) is made when a request leaves, and is not shown here"


def remark_of_function(auth: AuthSettings | None) -> str:
    """What is to be said of a function that is not asked; empty where there is none."""
    if auth is None or auth.kind != "python":
        return ""
    return "what the function of `auth: python` adds is not shown here: it is asked when a request leaves"
