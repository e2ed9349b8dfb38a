"""`--curl` and `--dry-run`: curl's options for signing, and remarks about what is added only when a request leaves."""

from __future__ import annotations

import os
from collections.abc import Mapping

from callsheet.auth.aws import TOLD_THE_DIGEST
from callsheet.auth.body_digest import digest
from callsheet.cli.curl.shell_words import Piece, Variable, VariableNames, joined
from callsheet.http.request import Request
from callsheet.settings.settings import Settings, SignSettings


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
        # Not every curl sends this field by itself.
        words.append(["--header ", joined([f"X-Amz-Content-SHA256: {digest(request).hex()}"])])
    return words


def _credentials(written: object, names: VariableNames) -> tuple[list[Piece], list[Piece]]:
    """The keys as curl's `--user` takes them, and the session token."""
    if not isinstance(written, Mapping) or "access_key" not in written:
        token: list[Piece] = [Variable("AWS_SESSION_TOKEN")] if os.environ.get("AWS_SESSION_TOKEN") else []
        return [Variable("AWS_ACCESS_KEY_ID"), ":", Variable("AWS_SECRET_ACCESS_KEY")], token
    found = {name: names.word(secret.reveal(), name) for name, secret in written.items()}
    return [*found["access_key"], ":", *found["secret_key"]], found.get("session_token", [])


def remarks(settings: Settings, *, is_curl: bool) -> list[str]:
    """What has to be said of signatures and credentials that the request or curl command shown here does not have."""
    sign, auth = settings.sign, settings.auth
    told = []
    if sign is not None and not (is_curl and sign.kind == "aws"):
        told.append(f"the signature (sign.{sign.kind}) is made when a request leaves, and is not shown here")
    if auth is not None and auth.kind == "python":
        told.append("what the function of `auth: python` adds is not shown here: it is asked when a request leaves")
    return told
