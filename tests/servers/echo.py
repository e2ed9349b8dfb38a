"""A fast keep-alive server for thousands of connections: it answers each request with what it got, as JSON."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable
from threading import Condition, Event, Thread

from tests.servers.actions import response
from tests.servers.ledger import Request
from tests.servers.server import RecordingServer


def echo(request: Request) -> bytes:
    """Answer `{"method", "target", "headers", "json", "text", "connection"}`; `json` is null if the body is not JSON."""
    text = request.body.decode("utf-8", "replace")
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    seen = {"method": request.method, "target": request.target, "headers": dict(request.headers)}
    body = json.dumps({**seen, "json": value, "text": text, "connection": request.connection}).encode()
    return response(200, {"Content-Type": "application/json"}, body)


class EchoServer(RecordingServer):
    """Serve on a free loopback port from one thread with an event loop; bodies need a Content-Length.

    With `gated`, requests wait until `open_gate()`, so that a test can see how many are in flight at once.
    """

    def __init__(
        self,
        respond: Callable[[Request], bytes] = echo,
        *,
        gated: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__()
        self.respond = respond
        self.stopping = False
        self._tls = tls
        self._is_open = not gated
        self._waiting: list[tuple[_Conversation, Request]] = []
        self._changed = Condition()
        self._conversations: set[_Conversation] = set()
        self._started = Event()
        self._thread = Thread(target=lambda: asyncio.run(self._run()), name="echo", daemon=True)
        self._thread.start()
        if not self._started.wait(5.0):
            raise AssertionError("the echo server did not start within 5 s")
        self.url = f"{'https' if tls else 'http'}://{self.host}:{self.port}"

    @property
    def waiting(self) -> int:
        """How many requests wait at the gate; one whose connection is lost waits no more."""
        return len(self._waiting)

    def wait_waiting(self, count: int, timeout: float = 5.0) -> bool:
        """Wait until at least `count` requests are at the gate at once."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._waiting) >= count, timeout)

    def open_gate(self) -> None:
        """Answer every waiting request, and each later one at once."""
        self._loop.call_soon_threadsafe(self._release)

    def close(self) -> None:
        """Drop every connection and end the thread."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(2.0)
        if self._thread.is_alive():
            raise AssertionError(f"the echo server on port {self.port} left its thread behind")

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop, self._drained = asyncio.Event(), asyncio.Event()
        server = await self._loop.create_server(lambda: _Conversation(self), self.host, 0, backlog=4096, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stop.wait()
        self.stopping = True
        server.close()
        for conversation in list(self._conversations):
            conversation.transport.abort()
        if self._conversations:
            await self._drained.wait()

    def _release(self) -> None:
        self._is_open = True
        with self._changed:
            released, self._waiting = self._waiting, []
        for conversation, request in released:
            conversation.transport.write(self.respond(request))

    def begin(self, conversation: _Conversation) -> int:
        """Note a new connection."""
        self._conversations.add(conversation)
        return self.ledger.accepted()

    def take(self, conversation: _Conversation, request: Request) -> None:
        """Note a request, and answer it or keep it at the gate."""
        self.ledger.received(request)
        if self._is_open:
            conversation.transport.write(self.respond(request))
            return
        with self._changed:
            self._waiting.append((conversation, request))
            self._changed.notify_all()

    def end(self, conversation: _Conversation) -> None:
        """Note that a connection is over."""
        self._conversations.discard(conversation)
        with self._changed:
            self._waiting = [each for each in self._waiting if each[0] is not conversation]
            self._changed.notify_all()
        self.ledger.ended(by_client=not self.stopping)
        if self.stopping and not self._conversations:
            self._drained.set()


class _Conversation(asyncio.Protocol):
    def __init__(self, server: EchoServer) -> None:
        self._server = server
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._number = self._server.begin(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._server.end(self)

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while (request := self._next()) is not None:
            self._server.take(self, request)

    def _next(self) -> Request | None:
        end = self._unread.find(b"\r\n\r\n") + 4
        if end < 4:
            return None
        request = Request(self._number, self._unread[:end])
        whole = end + int(request.header("Content-Length") or 0)
        if len(self._unread) < whole:
            return None
        body, self._unread = self._unread[end:whole], self._unread[whole:]
        return Request(self._number, request.head, body, len(body))
