"""Answers that break the connection, which ASGI has no message for.

The protocol class puts the connection's transport into the scope's extensions; a response here takes it from there and ends
the connection without an answer, or in the middle of one.
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


def reset_connection(connection: asyncio.Transport) -> None:
    """Break a connection so that the client sees a reset (RST); `close` delivers what was written, then ends it (FIN)."""
    linger_not = struct.pack("ii", 1, 0)
    connection.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_not)
    connection.abort()


class BreakableProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol, with the connection in the scope of each request."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Have the app called with this connection in the scope."""
        super().connection_made(transport)
        inner = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope["extensions"] = {EXTENSION: transport}
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
            reset_connection(connection)
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


def connection_of(scope: Scope) -> asyncio.Transport:
    """The connection that a request came by. Raises Problem (501) for a call in this process, which has none."""
    connection = scope.get("extensions", {}).get(EXTENSION)
    if connection is None:
        raise Problem(501, "this endpoint breaks its connection, so it needs a real one: run the practice server")
    assert isinstance(connection, asyncio.Transport)
    return connection


async def until_disconnected(receive: Receive) -> None:
    """Wait until the client or the server has ended the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
