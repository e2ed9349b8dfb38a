"""Apps that do in this process what the tests' servers do on sockets."""

from __future__ import annotations

from typing import Any

from callsheet.testing import Reply, Sent
from tests.servers.echo import echo
from tests.servers.ledger import Request


async def body_of(receive: Any) -> bytes:
    """The whole body of a request."""
    pieces = []
    while True:
        message = await receive()
        assert message["type"] == "http.request"
        pieces.append(message["body"])
        if not message["more_body"]:
            return b"".join(pieces)


def echoed(sent: Sent) -> Reply:
    """The same for a scripted transport."""
    target = sent.url.split("/", 3)[3]
    lines = [f"{sent.method} /{target} HTTP/1.1".encode()]
    lines += [f"{name.title()}: {value}".encode("latin-1") for name, value in sent.headers.multi_items()]
    told = echo(Request(0, b"\r\n".join([*lines, b"", b""]), sent.content, len(sent.content)))
    return Reply(200, told.partition(b"\r\n\r\n")[2], (("Content-Type", "application/json"),))


async def echo_app(scope: Any, receive: Any, send: Any) -> None:
    """Answer as the echo server does: the request is written down as it would stand on the wire."""
    body = await body_of(receive)
    target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
    lines = [b"%b %b HTTP/1.1" % (scope["method"].encode(), target)]
    lines += [b"%b: %b" % (name.title(), value) for name, value in scope["headers"]]
    head, _, content = echo(Request(0, b"\r\n".join([*lines, b"", b""]), body, len(body))).partition(b"\r\n\r\n")
    fields = [line.split(b": ", 1) for line in head.split(b"\r\n")[1:]]
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(name.lower(), value) for name, value in fields]}
    )
    await send({"type": "http.response.body", "body": content})
