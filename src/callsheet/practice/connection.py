"""Answers that break the connection, which ASGI has no words for.

The protocol class puts the connection into the scope's extensions; a response here takes it from there and closes it
without an answer, or in the middle of one.
"""

import asyncio
import socket
import struct
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from callsheet.practice.problems import Problem

EXTENSION = "callsheet.practice.connection"


class Connection:
    """A client's connection, which an endpoint may end."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def close(self) -> None:
        """End it in order: what was written is delivered, then comes the end (FIN)."""
        self.transport.close()

    def reset(self) -> None:
        """Break it: the client sees a reset (RST)."""
        linger_not = struct.pack("ii", 1, 0)
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_not)
        self.transport.abort()


class BreakableProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol, whose requests carry their connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let every request of this connection know it."""
        super().connection_made(transport)
        inner, connection = self.app, Connection(transport)

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope["extensions"] = {EXTENSION: connection}
            await inner(scope, receive, send)

        self.app = app


class HangUp(Response):
    """Closes the connection, or resets it, and answers nothing."""

    def __init__(self, *, reset: bool = False) -> None:
        super().__init__()
        self.is_reset = reset

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """End the connection in place of an answer."""
        connection = connection_of(scope)
        if self.is_reset:
            connection.reset()
        else:
            connection.close()
        await until_disconnected(receive)


class BrokenOff(Response):
    """Announces the whole content, sends `sent` bytes of it and closes the connection."""

    def __init__(self, content: bytes, *, sent: int, **rest: Any) -> None:
        super().__init__(content, **rest)
        self.sent = sent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the headers and the beginning, then close."""
        connection = connection_of(scope)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        beginning = bytes(self.body[: self.sent])
        await send({"type": "http.response.body", "body": beginning, "more_body": True})
        connection.close()
        await until_disconnected(receive)


def connection_of(scope: Scope) -> Connection:
    """The connection that a request came by; a 501 in an in-process call, which has none."""
    connection = scope.get("extensions", {}).get(EXTENSION)
    if connection is None:
        raise Problem(501, "this endpoint breaks its connection, so it needs a real one: run the practice server")
    assert isinstance(connection, Connection)
    return connection


async def until_disconnected(receive: Receive) -> None:
    """Wait for the end of the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
