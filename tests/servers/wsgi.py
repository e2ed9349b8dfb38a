"""Any WSGI application, run in this process."""

from __future__ import annotations

import socket
import ssl
from threading import Lock, Thread
from typing import Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from tests.servers.server import Server


class _QuietHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *args: Any) -> None:
        pass


class _Server(ThreadedWSGIServer):
    # Joined at the end, which socketserver does for threads that are not daemons.
    daemon_threads = False

    def __init__(self, app: Any, context: ssl.SSLContext | None) -> None:
        self._lock = Lock()
        self._open: set[socket.socket] = set()
        super().__init__("127.0.0.1", 0, app, _QuietHandler, ssl_context=context)

    def log(self, *args: Any) -> None:
        pass

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass

    def get_request(self) -> tuple[socket.socket, Any]:
        sock, address = super().get_request()
        with self._lock:
            self._open.add(sock)
        return sock, address

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End the reads and writes of every connection that is still open."""
        with self._lock:
            left = list(self._open)
        for sock in left:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class WsgiServer(Server):
    """Serve an application on a free loopback port, a thread per connection, HTTP/1.1; each answer closes its connection."""

    def __init__(self, app: Any, context: ssl.SSLContext | None = None) -> None:
        self._server = _Server(app, context)
        self.port = self._server.port
        self.url = f"{'https' if context else 'http'}://{'localhost' if context else self.host}:{self.port}"
        self._thread = Thread(target=lambda: self._server.serve_forever(0.05), name="wsgi", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop accepting, end open connections and their threads."""
        self._server.hang_up()
        self._server.shutdown()
        self._thread.join(2.0)
