"""The request as it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from callsheet.http.headers import Headers
from callsheet.secret import MASK, Secret
from callsheet.secret.credential_names import names_a_credential

if TYPE_CHECKING:
    from callsheet.http.body import Body

CREDENTIALS = frozenset({"authorization", "proxy-authorization", "cookie"})
"""Fields that are never shown, because their value is a credential even if it is no Secret."""


class Origin(NamedTuple):
    """Where a request goes (RFC 9110 4.3.1): scheme, host (an address without brackets), port."""

    scheme: str
    host: str
    port: int


def origin_of(url: str) -> Origin:
    """The origin of an absolute http or https URL."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Origin(parts.scheme, parts.hostname or "", port)


class Request:
    """One request, as it is sent. `plus` and `with_headers` make changed copies.

    `url` is safe to show: a secret in its query reads `***`, and only `wire_url` has the text. `secrets` are masked wherever
    the service sends them back. `is_stream`: the body of the answer is read by the caller as it comes. `origin` is worked out
    from the URL unless it is given. A pickled request has no body and no secret.
    """

    __slots__ = ("_origin", "body", "headers", "is_stream", "is_upload", "method", "secrets", "url", "wire_url")

    def __init__(
        self,
        method: str,
        url: str,
        headers: Headers,
        body: Body | None = None,
        *,
        wire_url: str | None = None,
        secrets: tuple[Secret, ...] = (),
        is_stream: bool = False,
        origin: Origin | None = None,
    ) -> None:
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.wire_url: str = url if wire_url is None else wire_url
        self.secrets = secrets
        self.is_stream = is_stream
        self.is_upload: bool = body is not None and body.content is None
        """Whether the body is a ReadBody, which is read while it is sent."""
        self._origin = origin

    @property
    def origin(self) -> Origin:
        """Scheme, host and port of the URL."""
        if self._origin is None:
            self._origin = origin_of(self.wire_url)
        return self._origin

    @property
    def is_transfer(self) -> bool:
        """Whether its body or the answer's is read as it goes. Its time depends on its size, so no limit on one attempt holds."""
        return self.is_stream or self.is_upload

    def plus(self, name: str, value: str | Secret) -> Request:
        """A copy of the request with this header field, which replaces fields of its name."""
        return self.with_headers(self.headers.plus(name, value))

    def with_headers(self, headers: Headers, *secrets: Secret) -> Request:
        """A copy of the request with these header fields; `secrets`, too, are masked wherever the service sends them back."""
        return Request(
            self.method,
            self.url,
            headers,
            self.body,
            wire_url=self.wire_url,
            secrets=(*self.secrets, *secrets) if secrets else self.secrets,
            is_stream=self.is_stream,
            origin=self._origin,
        )

    @property
    def masks(self) -> tuple[Secret, ...]:
        """The secrets that are masked wherever the service sends them back, including credentials in plain header fields."""
        own = [value for name, value in self.headers.fields if isinstance(value, str) and names_a_credential(name)]
        return (*self.secrets, *(Secret(word) for value in own for word in (value, *value.split()) if word))

    def redacted(self) -> Request:
        """A copy without the body and with secrets masked, for errors and answers to carry."""
        return Request(self.method, self.url, Headers(_shown(self.headers)))

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.url}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return Request, (self.method, self.url, Headers(_shown(self.headers)))


def _shown(headers: Headers) -> list[tuple[str, str]]:
    return [(name, MASK if name.lower() in CREDENTIALS else value) for name, value in headers.multi_items()]
