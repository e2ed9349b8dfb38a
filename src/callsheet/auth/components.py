"""The parts of a request that signatures cover, as they are on the wire: its target, header fields and body."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from callsheet.errors import ArgumentError
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.secret import Secret

STEP = 256 * 1024
"""Bytes of a body that are read at a time."""
DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class RequestTarget(NamedTuple):
    """Where a request goes. `authority` is what its Host field says, `path` is never empty, `query` is None without a `?`."""

    scheme: str
    authority: str
    path: str
    query: str | None

    @property
    def in_origin_form(self) -> str:
        """Path and query, as they stand in the request line (RFC 9112 3.2.1)."""
        return self.path if self.query is None else f"{self.path}?{self.query}"

    @property
    def url(self) -> str:
        """The whole URL."""
        return f"{self.scheme}://{self.authority}{self.in_origin_form}"


def settled(request: Request) -> Request:
    """The request with its secrets fixed: a mounted secret must not change between the signature and the sending."""
    headers = request.headers
    if headers.is_constant:
        return request
    fields = ((name, value if isinstance(value, str) else Secret(value.reveal())) for name, value in headers.fields)
    return request.with_headers(Headers(fields))


def target_of(request: Request) -> RequestTarget:
    """The target of a request, spelled as on the wire."""
    scheme, _, rest = request.wire_url.partition("#")[0].partition("://")
    before, mark, query = rest.partition("?")
    authority, _, path = before.partition("/")
    host = next((revealed(value) for name, value in request.headers.fields if name.lower() == "host"), None)
    return RequestTarget(
        scheme, host or authority.removesuffix(DEFAULT_PORTS[scheme]), f"/{path}", query if mark else None
    )


def fields_of(request: Request, target: RequestTarget) -> list[tuple[str, str]]:
    """The header fields that a signature can cover, secrets revealed: the request's own, Host and Content-Length."""
    fields = [(name, revealed(value)) for name, value in request.headers.fields]
    if not request.headers.has("host"):
        fields.append(("Host", target.authority))
    length = length_of(request)
    return fields if length is None else [*fields, ("Content-Length", str(length))]


def revealed(value: str | Secret) -> str:
    """The text of a header field."""
    return value if isinstance(value, str) else value.reveal()


def length_of(request: Request) -> int | None:
    """The Content-Length that the transport sends; None if it sends none, as for a body in chunks."""
    body: Any = request.body
    if body is None:
        return 0 if request.method in ("POST", "PUT", "PATCH") else None
    return body.length if body.content is None else len(body.content)


def has_content(request: Request) -> bool:
    """Whether there is a body that is not empty. A body that must be read to know it counts as not empty."""
    return request.body is not None and request.body.content != b""


def check_readable(request: Request, wanted: str) -> None:
    """Raise ArgumentError for a body that can be read only once; `wanted` says what would read it before it is sent."""
    body: Any = request.body
    if body is not None and body.content is None and body.is_read_once:
        raise ArgumentError(
            f"the body cannot be signed: {wanted}, and what comes from an iterator, or a file that cannot seek, "
            "can be read only once; give bytes, a Path or a file"
        )


def pieces_of(request: Request) -> Iterator[bytes]:
    """The bytes of the body, read before they are sent. Raises ArgumentError for a file that cannot be read."""
    body: Any = request.body
    if body is None:
        return
    if body.content is not None:
        yield body.content
        return
    source = body.open()
    try:
        while piece := source.read(STEP):
            yield piece
    finally:
        source.close()
