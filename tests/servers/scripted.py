"""A server that does on each request what its script says, on real sockets, with a thread per connection."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Sequence
from threading import Event, Lock, Thread, current_thread

from tests.servers.actions import Action, answer
from tests.servers.connection import Connection, Gone
from tests.servers.server import RecordingServer

Script = Action | Sequence[Action] | Callable[[int], Action]


class ScriptedServer(RecordingServer):
    """Serve on a free loopback port by a script, and record what came in.

    A script is one action for every request; or a list, in order of arrival, after which each further request gets a
    plain 200 (so that a request too many is answered and counted); or a function of the request's number, from 0.
    `scheme` is for tests that call a plain port by https. Bodies are kept up to `body_limit` bytes each.
    """

    def __init__(
        self,
        script: Script = (),
        *,
        tls: ssl.SSLContext | None = None,
        scheme: str | None = None,
        body_limit: int = 1 << 24,
    ) -> None:
        super().__init__()
        self._choose = _chooser(script)
        self._tls = tls
        self._body_limit = body_limit
        self._turns = 0
        self._stopping = Event()
        self._lock = Lock()
        self._open: dict[Thread, socket.socket] = {}
        self._listener = socket.create_server((self.host, 0), backlog=1024)
        self.port = self._listener.getsockname()[1]
        self.url = f"{scheme or ('https' if tls else 'http')}://{self.host}:{self.port}"
        self._acceptor = Thread(target=self._accept, name=f"accept-{self.port}", daemon=True)
        self._acceptor.start()

    def close(self) -> None:
        """Stop accepting, end every connection and thread; an error in the server's own code is raised here."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        _wake(self._listener)
        self._acceptor.join(1.0)
        self._listener.close()
        with self._lock:
            left = dict(self._open)
        for thread, sock in left.items():
            _shut(sock)
            thread.join(1.0)
        if self._acceptor.is_alive() or any(thread.is_alive() for thread in left):
            raise AssertionError(f"the server on port {self.port} left threads behind")
        if self.ledger.errors:
            raise self.ledger.errors[0]

    def _accept(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            if self._stopping.is_set():
                return sock.close()
            thread = Thread(target=self._serve, args=(sock, self.ledger.accepted()), daemon=True)
            with self._lock:
                self._open[thread] = sock
            thread.start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        connection = None
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock = self._secure(sock)
            connection = Connection(sock, number, self.ledger, self._stopping, self._body_limit)
            self._play(connection)
        except (Gone, OSError):
            pass
        except Exception as error:
            self.ledger.failed(error)
        finally:
            by_server = self._stopping.is_set() or (connection is not None and connection.ended)
            with self._lock:
                self._open.pop(current_thread()).close()
            self.ledger.ended(by_client=not by_server)

    def _play(self, connection: Connection) -> None:
        while not connection.ended and connection.wait_for_turn():
            with self._lock:
                turn, self._turns = self._turns, self._turns + 1
            self._choose(turn).play(connection)

    def _secure(self, sock: socket.socket) -> socket.socket:
        if self._tls is None:
            return sock
        secured = self._tls.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self._open[current_thread()] = secured
        if self._stopping.is_set():
            raise Gone
        try:
            secured.do_handshake()
        except OSError as error:
            self.ledger.not_secured(str(error))
            _linger(secured)
            raise
        client = secured.getpeercert()
        self.ledger.secured(int(str(client["serialNumber"]), 16) if client else None)
        return secured


def _chooser(script: Script) -> Callable[[int], Action]:
    if isinstance(script, Action):
        return lambda turn: script
    if callable(script):
        return script
    actions = list(script)
    return lambda turn: actions[turn] if turn < len(actions) else answer()


def _wake(listener: socket.socket) -> None:
    """Connect once: the only portable way to end a blocking `accept`."""
    try:
        socket.create_connection(listener.getsockname(), timeout=1.0).close()
    except OSError:
        pass


def _shut(sock: socket.socket) -> None:
    # SSLSocket.shutdown forgets the TLS state under the feet of the thread that is reading; the plain one does not.
    try:
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        pass


def _linger(sock: ssl.SSLSocket) -> None:
    """Read on until the client closes: closing with unread data would be a RST, which may overtake the TLS alert."""
    try:
        socket.socket.shutdown(sock, socket.SHUT_WR)
        while socket.socket.recv(sock, 65536):
            pass
    except OSError:
        pass
