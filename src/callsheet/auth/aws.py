"""AWS Signature Version 4, made by botocore; the request itself is sent by our own transport.

botocore is given a URL whose path and query are spelled as AWS spells them when it verifies the signature, which may differ
from the wire: S3 decodes a path before it encodes it again, all other services encode it once more.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from callsheet.auth.aws_credentials import CredentialChain, Credentials, WrittenCredentials
from callsheet.auth.body_digest import Digests
from callsheet.auth.components import RequestTarget, fields_of, settled, target_of
from callsheet.call import Attempt
from callsheet.errors import ArgumentError, UsageError
from callsheet.http.request import Request
from callsheet.secret import Secret
from callsheet.verdicts import Ticket

MISSING = 'AWS signatures are made by botocore: pip install "callsheet[aws]"'
S3 = frozenset({"s3", "s3-outposts", "s3-object-lambda"})
"""Services whose paths are encoded once, and whose bodies need not be signed."""
TOLD_THE_DIGEST = S3 | {"glacier", "aoss"}
"""Services that require the digest of the body in a header as well."""
UNSIGNED = "UNSIGNED-PAYLOAD"
ALGORITHM = "AWS4-HMAC-SHA256"
UNRESERVED = "-_.~"
NOT_SIGNED = frozenset({"content-length", "accept", "accept-encoding"})
"""Fields that a proxy may change on the way, which would break a signature over them."""


class AWSSigner:
    """Signs requests for one AWS service in one region. `options` are those of the sheet's `sign: {aws: ...}`."""

    prepares = True
    waits_for = "AWS credentials, or the digest of its body"

    def __init__(self, options: Mapping[str, Any], *, wall_clock: Callable[[], float]) -> None:
        require_botocore()
        from botocore.auth import (  # type: ignore[import-untyped]  # noqa: PLC0415 - where requests are signed so
            S3SigV4Auth,
            SigV4Auth,
        )
        from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]  # noqa: PLC0415

        self._request: Any = AWSRequest
        self._is_s3 = options["service"] in S3
        self._tells_digest = options["service"] in TOLD_THE_DIGEST
        self._auth: Any = S3SigV4Auth if self._is_s3 else SigV4Auth
        self._scope = (options["service"], options["region"])
        self._signs_payload = options["payload"] == "signed"
        self._digests = Digests("AWS signs the digest of the body")
        self.credentials = _credentials(options["credentials"], wall_clock)

    def forget(self) -> None:
        """Start over in a forked child, where the threads of the parent do not run."""
        self._digests.forget()
        self.credentials.forget()

    def awaited(self, attempt: Attempt) -> Ticket | None:
        """A ticket to wait for before signing, or None. Raises ArgumentError for a body that cannot be signed, AuthError."""
        if not self._is_unsigned(attempt.request):
            ticket = self._digests.awaited(attempt)
            if ticket is not None:
                return ticket
        return self.credentials.awaited(attempt)

    def signed(self, request: Request, now: float) -> Request:
        """The request with its signature. Raises ArgumentError for one that has another, AuthError without credentials."""
        if request.headers.has("authorization"):
            raise ArgumentError(
                "the request cannot be signed: it has a header `Authorization`, where the signature of AWS belongs; "
                "write `auth: off`, or leave the header out"
            )
        credentials = self.credentials.now()
        moment = f"{datetime.fromtimestamp(int(now), UTC):%Y%m%dT%H%M%SZ}"
        digest = UNSIGNED if self._is_unsigned(request) else self._digests.of(request).hex()
        fields: list[tuple[str, str | Secret]] = [("X-Amz-Date", moment)]
        if self._tells_digest:
            fields.append(("X-Amz-Content-SHA256", digest))
        token = () if credentials.token is None else (Secret(credentials.token),)
        fields += [("X-Amz-Security-Token", each) for each in token]
        request = settled(request)
        request = request.with_headers(request.headers.with_fields(fields))
        proof, signature = self._proof(request, credentials, moment, digest)
        return request.with_headers(request.headers.plus("Authorization", proof), signature, *token)

    def _is_unsigned(self, request: Request) -> bool:
        """Whether the signature leaves the body out, as S3 allows over TLS."""
        return (
            self._is_s3
            and not self._signs_payload
            and request.body is not None
            and request.body.content is None
            and request.origin.scheme == "https"
        )

    def _proof(self, request: Request, credentials: Credentials, moment: str, digest: str) -> tuple[Secret, Secret]:
        auth = self._auth(credentials, *self._scope)
        auth.payload = lambda _: digest  # botocore would read the body, which it does not have
        seen = self._seen(request, moment)
        text = auth.string_to_sign(seen, auth.canonical_request(seen))
        signature = auth.signature(text, seen)
        names = auth.signed_headers(auth.headers_to_sign(seen))
        head = f"{ALGORITHM} Credential={auth.scope(seen)}, SignedHeaders={names}, Signature="
        return Secret(head, signature), Secret(signature)

    def _seen(self, request: Request, moment: str) -> Any:
        """The request as a record of botocore."""
        target = target_of(request)
        seen = self._request(method=request.method, url=canonical_url(target, is_s3=self._is_s3))
        for name, value in fields_of(request, target):
            if name.lower().startswith("x-amz-") and not value.isascii():
                raise ArgumentError(
                    f"the request cannot be signed: `{name}` holds a character outside ASCII; encode it"
                )
            if name.lower() not in NOT_SIGNED and value.isascii():
                seen.headers.add_header(name, value)
        seen.context["timestamp"] = moment
        return seen


def canonical_url(target: RequestTarget, *, is_s3: bool) -> str:
    """The URL to give to botocore: the query in AWS's spelling; for S3, the path too."""
    path = quote(unquote_to_bytes(target.path), safe="/" + UNRESERVED) if is_s3 else target.path
    query = "" if not target.query else f"?{canonical_query(target.query)}"
    return f"{target.scheme}://{target.authority}{path}{query}"


def canonical_query(query: str) -> str:
    """The query in AWS's spelling: names and values decoded as in a form, and encoded again. botocore sorts them."""
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return "&".join(f"{_encoded(name)}={_encoded(value)}" for name, _, value in pairs)


def _encoded(text: str) -> str:
    return quote(unquote_to_bytes(text.replace("+", " ")), safe=UNRESERVED)


def _credentials(written: Any, wall_clock: Callable[[], float]) -> WrittenCredentials | CredentialChain:
    if isinstance(written, Mapping) and "access_key" in written:
        return WrittenCredentials(written)
    return CredentialChain(written.get("profile") if isinstance(written, Mapping) else None, wall_clock=wall_clock)


def require_botocore() -> None:
    """Raise UsageError unless botocore is installed."""
    if importlib.util.find_spec("botocore") is None:
        raise UsageError(MISSING)
