"""One accepted connection of a scripted server: read requests, write bytes, end it in the way the test wants.

Everything that waits here waits in `recv` or `select` on the socket itself, so that both a client that goes away and
a server that is closed end the wait at once.
"""

from __future__ import annotations

import select
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from threading import Event

from tests.servers.ledger import Ledger, Request


class Gone(Exception):
    """The other side, or the closing server, ended the connection."""


class Connection:
    """What a script's action acts on."""

    def __init__(self, sock: socket.socket, number: int, ledger: Ledger, stopping: Event, body_limit: int) -> None:
        self.sock = sock
        self.number = number
        self.ended = False
        self._ledger = ledger
        self._stopping = stopping
        self._body_limit = body_limit
        self._unread = bytearray()
        self._request: Request | None = None

    def wait_for_turn(self) -> bool:
        """Wait for the first bytes of the next request; False when the client closed instead."""
        self._request = None
        try:
            if not self._unread:
                self._receive()
        except Gone:
            return False
        return True

    def request(self) -> Request:
        """Read the whole request of this turn, once, and record it."""
        if self._request is None:
            self._request = self._read_request(with_body=True)
        return self._request

    def head(self) -> Request:
        """Read and record only the head of this turn's request."""
        if self._request is None:
            self._request = self._read_request(with_body=False)
        return self._request

    def starts_with(self, beginning: bytes) -> bool:
        """Whether what came begins so, in this turn."""
        while len(self._unread) < len(beginning):
            self._receive()
        return self._unread.startswith(beginning)

    def take(self, size: int) -> bytes:
        """So many of the bytes that came, whatever they are."""
        return b"".join(self._exactly(size))

    def send(self, data: bytes | memoryview) -> None:
        """Send all of the bytes."""
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise Gone from error

    def pause(self, seconds: float) -> None:
        """Wait, unless the connection ends meanwhile."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if select.select([self.sock], [], [], left)[0]:
                self._receive()

    def hold(self) -> None:
        """Read and drop everything until the connection ends."""
        while True:
            self._receive()
            self._unread.clear()

    def close(self) -> None:
        """End the connection in order: close_notify where there is TLS, then FIN."""
        self.ended = True
        if isinstance(self.sock, ssl.SSLSocket):
            _notify(self.sock)
        self.sock.close()

    def reset(self) -> None:
        """End the connection with RST: a socket that may not linger drops what it holds."""
        self.ended = True
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def _receive(self) -> None:
        try:
            data = self.sock.recv(65536)
        except OSError as error:
            raise Gone from error
        if not data or self._stopping.is_set():
            raise Gone
        self._unread += data

    def _read_request(self, with_body: bool) -> Request:
        head = self._until(b"\r\n\r\n")
        body = bytearray()
        size, complete = 0, False
        try:
            if with_body:
                for part in self._body_parts(Request(self.number, head)):
                    size += len(part)
                    body += part[: max(0, self._body_limit - len(body))]
                complete = True
        finally:
            request = Request(self.number, head, bytes(body), size, complete)
            self._ledger.received(request)
        return request

    def _body_parts(self, request: Request) -> Iterator[bytes]:
        if (request.header("Expect") or "").lower() == "100-continue":
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if (request.header("Transfer-Encoding") or "").lower() == "chunked":
            while size := int(self._until(b"\r\n").split(b";")[0], 16):
                yield from self._exactly(size)
                self._until(b"\r\n")
            while self._until(b"\r\n") != b"\r\n":
                pass
        else:
            yield from self._exactly(int(request.header("Content-Length") or 0))

    def _until(self, mark: bytes) -> bytes:
        while (at := self._unread.find(mark)) < 0:
            self._receive()
        return self._take(at + len(mark))

    def _exactly(self, size: int) -> Iterator[bytes]:
        while size:
            if not self._unread:
                self._receive()
            part = self._take(min(size, len(self._unread)))
            size -= len(part)
            yield part

    def _take(self, size: int) -> bytes:
        taken = bytes(self._unread[:size])
        del self._unread[:size]
        return taken


def _notify(sock: ssl.SSLSocket) -> None:
    """Send close_notify without waiting for the other side's."""
    try:
        sock.settimeout(0)
        sock.unwrap()
    except (OSError, ValueError):
        pass
