"""A request that a FakeTransport was sent, for a test to look at."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.transports.asgi.connection_scope import fields_of


@dataclass(frozen=True)
class Sent:
    """A request that a FakeTransport was sent, as it would stand on the wire, with every secret in it.

    `at` is when it was sent, in seconds of the clock. `shown_url` is the URL with its secrets masked.
    """

    method: str
    url: str = field(repr=False)
    headers: Headers = field(repr=False)
    content: bytes = field(repr=False)
    at: float = 0.0
    shown_url: str = ""

    @property
    def path(self) -> str:
        """The path, percent-encoded as it was sent."""
        return urlsplit(self.url).path

    @property
    def query(self) -> list[tuple[str, str]]:
        """Names and values of the query, in order."""
        return parse_qsl(urlsplit(self.url).query, keep_blank_values=True)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as parsed JSON. Raises ValueError if it is none."""
        return json.loads(self.content)


def sent_of(request: Request, content: bytes, at: float) -> Sent:
    """The request as it would stand on the wire, sent at the moment `at` of the clock."""
    fields = fields_of(request, urlsplit(request.wire_url).netloc)
    headers = Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in fields)
    return Sent(request.method, request.wire_url, headers, content, at, request.url)
