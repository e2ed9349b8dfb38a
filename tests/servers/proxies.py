"""Proxies that forward for real, and keep what they were told."""

from __future__ import annotations

import base64
import select
import socket
import ssl
from urllib.parse import urlsplit

from tests.servers.actions import Action, response
from tests.servers.connection import Connection, Gone
from tests.servers.ledger import Request
from tests.servers.scripted import ScriptedServer
from tests.servers.sockets import ask


class HttpProxy(ScriptedServer):
    """Forward absolute-form requests (RFC 9112 3.2.2) and tunnel CONNECT ones; each request's head is in `requests`.

    With `credentials`, `user:password`, anything else is answered 407. `refusal` is a status for every CONNECT.
    """

    def __init__(
        self, credentials: str | None = None, *, tls: ssl.SSLContext | None = None, refusal: int | None = None
    ) -> None:
        super().__init__(Action("forward", self._forward), tls=tls)
        self._refusal = refusal
        coded = base64.b64encode((credentials or "").encode()).decode()
        self._wanted = None if credentials is None else f"Basic {coded}"

    def _forward(self, connection: Connection) -> None:
        is_tunnel = connection.starts_with(b"CONNECT ")
        request = connection.head() if is_tunnel else connection.request()
        status = self._refused(request, is_tunnel=is_tunnel)
        if status:
            fields = [("Proxy-Authenticate", 'Basic realm="a"')] if status == 407 else []
            connection.send(response(status, fields, b"refused", keep=False))
            connection.close()
        elif is_tunnel:
            host, _, port = request.target.rpartition(":")
            with _dialled(connection, host.strip("[]"), int(port)) as upstream:
                connection.send(b"HTTP/1.1 200 Connection established\r\nX-Proxy: a\r\n\r\n")
                relay(connection.sock, upstream)
            connection.close()
        else:
            self._pass_on(connection, request)

    def _refused(self, request: Request, *, is_tunnel: bool) -> int | None:
        if self._wanted is not None and request.header("Proxy-Authorization") != self._wanted:
            return 407
        return self._refusal if is_tunnel else None

    def _pass_on(self, connection: Connection, request: Request) -> None:
        url = urlsplit(request.target)
        target = url._replace(scheme="", netloc="").geturl() or "/"
        fields = [f"{name}: {value}" for name, value in request.headers if not name.lower().startswith("proxy-")]
        lines = [f"{request.method} {target} HTTP/1.1", *fields, "Connection: close", "", ""]
        with _dialled(connection, url.hostname or "", url.port or 80) as upstream:
            head, body = ask(upstream, "\r\n".join(lines).encode("latin-1") + _framed(request))
        connection.send(head + b"\r\n\r\n" + body)


def _framed(request: Request) -> bytes:
    if request.header("Transfer-Encoding") is None:
        return request.body
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(request.body), request.body) if request.body else b"0\r\n\r\n"


class Socks5Proxy(ScriptedServer):
    """SOCKS version 5 (RFC 1928), with user name and password (RFC 1929) if `credentials` are wanted.

    `destinations` are the hosts and ports asked for, as they were told; `known` the credentials that were given.
    """

    def __init__(self, credentials: str | None = None, *, is_refusing: bool = False) -> None:
        super().__init__(Action("socks5", self._serve_one))
        self.destinations: list[tuple[str, int]] = []
        self.known: list[str] = []
        self._credentials = credentials
        self._is_refusing = is_refusing

    def _serve_one(self, connection: Connection) -> None:
        methods = connection.take(connection.take(2)[1])
        method = 0 if self._credentials is None else 2
        if method not in methods:
            connection.send(b"\x05\xff")
            return connection.close()
        connection.send(bytes([5, method]))
        if method == 2 and not self._is_known(connection):
            return connection.close()
        host, port = self._destination(connection)
        if self._is_refusing:
            connection.send(b"\x05\x02\x00\x01" + bytes(6))
            return connection.close()
        with _dialled(connection, host, port) as upstream:
            connection.send(b"\x05\x00\x00\x01" + bytes(6))
            relay(connection.sock, upstream)
        return connection.close()

    def _is_known(self, connection: Connection) -> bool:
        user = connection.take(connection.take(2)[1])
        password = connection.take(connection.take(1)[0])
        self.known.append(f"{user.decode()}:{password.decode()}")
        is_known = self.known[-1] == self._credentials
        connection.send(b"\x01\x00" if is_known else b"\x01\x01")
        return is_known

    def _destination(self, connection: Connection) -> tuple[str, int]:
        kind = connection.take(4)[3]
        if kind == 3:
            host = connection.take(connection.take(1)[0]).decode()
        else:
            family, size = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
            host = socket.inet_ntop(family, connection.take(size))
        port = int.from_bytes(connection.take(2), "big")
        self.destinations.append((host, port))
        return host, port


def _dialled(connection: Connection, host: str, port: int) -> socket.socket:
    try:
        return socket.create_connection((host, port), timeout=5.0)
    except OSError as error:
        connection.send(response(502, (), b"", keep=False))
        raise Gone from error


def relay(client: socket.socket, upstream: socket.socket) -> None:
    """Pass bytes on both ways until one side ends."""
    upstream.settimeout(None)
    other = {client: upstream, upstream: client}
    while True:
        has_more = isinstance(client, ssl.SSLSocket) and client.pending()
        for sock in [client] if has_more else select.select([client, upstream], [], [])[0]:
            try:
                data = sock.recv(65536)
                if not data:
                    return
                other[sock].sendall(data)
            except OSError as error:
                raise Gone from error
