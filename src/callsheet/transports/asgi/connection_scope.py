"""Makes the scope of a request for an app (ASGI 3.0, HTTP connection scope)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from callsheet.http.codings import ACCEPTED
from callsheet.http.request import Request

Message = MutableMapping[str, Any]
"""An ASGI message, such as `http.request`."""
Receive = Callable[[], Awaitable[Message]]
"""How an app takes the next message."""
Send = Callable[[Message], Awaitable[None]]
"""How an app sends a message."""
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
"""An ASGI application: a coroutine function of scope, `receive` and `send` (ASGI 3.0)."""

Field = tuple[bytes, bytes]
CLIENT = ("127.0.0.1", 49152)
"""The client address in every scope, with a port from the range of client ports (RFC 6335 6)."""


def scope_of(request: Request, root_path: str) -> dict[str, Any]:
    """The connection scope of one request."""
    parts = urlsplit(request.wire_url)
    raw_path = (parts.path or "/").encode("latin-1")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method.upper(),
        "scheme": parts.scheme,
        "path": unquote_to_bytes(raw_path).decode("utf-8", "replace"),
        "raw_path": raw_path,
        "query_string": parts.query.encode("latin-1"),
        "root_path": root_path,
        "headers": fields_of(request, parts.netloc),
        "client": CLIENT,
        "server": (request.origin.host, request.origin.port),
        "state": {},
        "extensions": {},
    }


def fields_of(request: Request, host: str) -> list[Field]:
    """The header fields as they would be sent, secrets revealed."""
    given = [
        (name.lower().encode("latin-1"), (value if isinstance(value, str) else value.reveal()).encode("latin-1"))
        for name, value in request.headers.fields
    ]
    names = {name for name, _ in given}
    fields = [] if b"host" in names else [(b"host", host.encode("latin-1"))]
    fields += given
    unasked = ((b"accept", b"*/*"), (b"accept-encoding", ACCEPTED.encode()))
    fields += (field for field in unasked if field[0] not in names)
    return fields + _framing(request)


def _framing(request: Request) -> list[Field]:
    """RFC 9112 6: Content-Length if the length is known, else chunked; a length of 0 where the method calls for a body."""
    if request.body is None:
        return [(b"content-length", b"0")] if request.method.upper() in ("POST", "PUT", "PATCH") else []
    content = request.body.content
    length = getattr(request.body, "length", None) if content is None else len(content)
    return [(b"transfer-encoding", b"chunked")] if length is None else [(b"content-length", str(length).encode())]
