"""httpbin and nginx, which nobody here wrote, answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.servers import Certificates, HttpbinServer, NginxServer
from tests.servers.sockets import GET, POST, ask, client_context, dial, read_to_end, secured


def test_httpbin_answers() -> None:
    with HttpbinServer() as server, dial(server) as sock, dial(server):
        head, body = ask(sock, b"GET /anything/7?a=b HTTP/1.1\r\nHost: a\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        assert json.loads(body)["args"] == {"a": "b"}


@pytest.mark.needs("nginx")
def test_nginx_answers_on_a_kept_connection(tmp_path: Path) -> None:
    with NginxServer(tmp_path) as server, dial(server) as sock:
        (server.static / "a.txt").write_text("hello")
        assert json.loads(ask(sock, POST.replace(b"/y", b"/json"))[1]) == {"id": 7, "name": "Ada"}
        statuses = [b"/status/%d" % status for status in (204, 404, 503)]
        assert [ask(sock, GET.replace(b"/x", target))[0][9:12] for target in statuses] == [b"204", b"404", b"503"]
        assert ask(sock, GET.replace(b"/x", b"/static/a.txt"))[1] == b"hello"
        assert ask(sock, GET.replace(b"/x", b"/small"))[1].startswith(b"{")
        assert len(server.access_log) >= 6


@pytest.mark.needs("nginx")
def test_nginx_compresses_and_limits(tmp_path: Path) -> None:
    with NginxServer(tmp_path) as server:
        (server.static / "a.json").write_text("[" + "1," * 999 + "1]")
        with dial(server) as sock:
            sock.sendall(b"GET /gzip/a.json HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n")
            assert b"Content-Encoding: gzip" in read_to_end(sock)
        with dial(server) as sock:
            head, _ = ask(sock, b"POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n" + bytes(2000))
            assert head.startswith(b"HTTP/1.1 413")


@pytest.mark.needs("nginx")
def test_nginx_speaks_tls(tmp_path: Path, certificates: Certificates) -> None:
    with (
        NginxServer(tmp_path, tls=certificates.server_files()) as server,
        secured(server, client_context(certificates)) as sock,
    ):
        assert ask(sock, GET.replace(b"/x", b"/json"))[1].startswith(b"{")
