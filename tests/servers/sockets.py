"""The plainest of clients, to see what a server does on the wire."""

from __future__ import annotations

import socket
import ssl

from tests.servers.certificates import Certificates
from tests.servers.server import Server

GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /y HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"


def dial(server: Server, timeout: float = 3.0) -> socket.socket:
    return socket.create_connection((server.host, server.port), timeout=timeout)


def ask(sock: socket.socket, request: bytes = GET) -> tuple[bytes, bytes]:
    """Send, and read one answer that has a Content-Length."""
    sock.sendall(request)
    data = b""
    while b"\r\n\r\n" not in data:
        data += received(sock)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += received(sock)
    return head, body


def received(sock: socket.socket) -> bytes:
    data = sock.recv(1 << 20)
    assert data, "the server closed before the answer was whole"
    return data


def read_to_end(sock: socket.socket) -> bytes:
    parts = []
    while data := sock.recv(1 << 20):
        parts.append(data)
    return b"".join(parts)


def is_silent(sock: socket.socket) -> bool:
    sock.settimeout(0.05)
    try:
        sock.recv(1)
    except TimeoutError:
        return True
    return False


def client_context(keys: Certificates, with_certificate: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=keys.ca_file)
    if with_certificate:
        context.load_cert_chain(keys.client_cert_file, keys.client_key_file)
    return context


def secured(server: Server, context: ssl.SSLContext) -> ssl.SSLSocket:
    sock = dial(server)
    try:
        return context.wrap_socket(sock, server_hostname="localhost")
    except BaseException:
        sock.close()
        raise
