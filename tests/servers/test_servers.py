"""Each server does what it says, as seen by plain sockets."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import brotlicffi
import pytest

from tests.servers import (
    Action,
    BlackholedPort,
    Certificates,
    EchoServer,
    HttpbinServer,
    NginxServer,
    RefusedPort,
    ScriptedServer,
    answer,
    answer_early,
    answer_json,
    answer_with,
    big_header,
    bombs,
    brotli_bomb,
    close,
    close_before_reading,
    drip,
    endless_100_continue,
    flood,
    garbage,
    gzip_bomb,
    half_chunk,
    half_header_block,
    hangs_up_in_handshake,
    lose_answer,
    many_headers,
    nginx_path,
    plain_http_on_tls_port,
    raw,
    reset,
    reset_before_reading,
    resets_in_handshake,
    response,
    silence,
    silence_before_reading,
    silent_in_handshake,
    then,
    truncated,
    truncated_gzip,
    wait,
)

GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /y HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
CLIENT_HELLO = bytes.fromhex("160301000501000001ff")
needs_nginx = pytest.mark.skipif(nginx_path() is None, reason="needs nginx")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("keys"))


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) - before == set()


def dial(server: object, timeout: float = 3.0) -> socket.socket:
    return socket.create_connection((server.host, server.port), timeout=timeout)  # type: ignore[attr-defined]


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


@contextmanager
def asked(action: Action, request: bytes = GET) -> Iterator[tuple[ScriptedServer, socket.socket]]:
    with ScriptedServer(action) as server, dial(server) as sock:
        sock.sendall(request)
        yield server, sock


def test_requests_are_recorded_byte_for_byte_with_their_connection() -> None:
    with ScriptedServer() as server, dial(server) as first, dial(server) as second:
        ask(first, POST)
        ask(first)
        ask(second)
        assert [request.head + request.body for request in server.requests] == [POST, GET, GET]
        assert len({request.connection for request in server.requests[:2]}) == 1
        assert (server.connections, server.open_connections) == (2, 2)
        post = server.requests[0]
        assert (post.method, post.target, post.header("content-length"), post.complete) == ("POST", "/y", "3", True)


def test_a_chunked_body_is_recorded_without_its_framing() -> None:
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    with ScriptedServer() as server, dial(server) as sock:
        ask(sock, head + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: t\r\n\r\n")
        assert [(request.body, request.complete) for request in server.requests] == [(b"abcde", True)]


def test_a_request_that_breaks_off_is_recorded_as_incomplete() -> None:
    with ScriptedServer() as server:
        with dial(server) as sock:
            sock.sendall(POST[:-1])
        assert server.wait_requests(1)
        assert [(request.body, request.complete) for request in server.requests] == [(b"ab", False)]


def test_a_long_body_is_counted_and_kept_up_to_the_limit() -> None:
    with ScriptedServer(body_limit=2) as server, dial(server) as sock:
        ask(sock, POST)
        assert (server.requests[0].body, server.requests[0].body_size) == (b"ab", 3)


def test_a_client_that_expects_it_gets_100_continue() -> None:
    with ScriptedServer() as server, dial(server) as sock:
        head, _ = ask(sock, b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert head == b"HTTP/1.1 100 Continue"
        assert ask(sock, b"abc")[0].startswith(b"HTTP/1.1 200")


def test_a_list_is_played_in_order_and_then_answers_plainly() -> None:
    with ScriptedServer([answer(201), answer(202)]) as server, dial(server) as sock:
        assert [ask(sock)[0][9:12] for _ in range(4)] == [b"201", b"202", b"200", b"200"]


def test_a_function_scripts_by_the_number_of_the_request() -> None:
    with ScriptedServer(lambda turn: answer(500 + turn)) as server, dial(server) as sock:
        assert [ask(sock)[0][9:12] for _ in range(2)] == [b"500", b"501"]


def test_an_answer_may_depend_on_the_request() -> None:
    with ScriptedServer(answer_with(lambda request: answer_json({"got": request.target}))) as server:
        with dial(server) as sock:
            assert ask(sock)[1] == b'{"got": "/x"}'


def test_an_answer_without_keep_closes_the_connection() -> None:
    with asked(answer(body=b"{}", keep=False)) as (server, sock):
        assert read_to_end(sock).endswith(b"\r\nConnection: close\r\n\r\n{}")
        assert server.wait_all_closed()
        assert not server.wait_closed(1, timeout=0)


def test_a_client_that_closes_is_counted() -> None:
    with ScriptedServer() as server:
        for count in (1, 2):
            with dial(server) as sock:
                ask(sock)
            assert server.wait_closed(count)
        assert not server.wait_closed(3, timeout=0)
        assert server.open_connections == 0


@pytest.mark.parametrize("action", [silence(), silence_before_reading(), wait(30.0), drip(b"abc", pause=30.0)])
def test_a_client_that_gives_up_on_a_waiting_server_is_noticed(action: Action) -> None:
    with asked(action) as (server, sock):
        assert server.wait_connections(1)
        sock.close()
        assert server.wait_closed(1)


@pytest.mark.parametrize(
    ("action", "seen"),
    [
        (close(), b""),
        (lose_answer(), b""),
        (close_before_reading(), b""),
        (half_header_block(), b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"),
        (truncated(10, b"abc"), b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"),
        (half_chunk(), b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nabc"),
        (then(drip(b"HTTP/1.1 200 OK\r\n\r\n", pause=0.0001, size=4), close()), b"HTTP/1.1 200 OK\r\n\r\n"),
        (then(raw(b"a"), raw(b"b"), close()), b"ab"),
    ],
    ids=lambda value: value.name if isinstance(value, Action) else "",
)
def test_an_action_that_ends_the_connection_sends_this_and_then_fin(action: Action, seen: bytes) -> None:
    with asked(action, POST) as (server, sock):
        assert read_to_end(sock) == seen


@pytest.mark.parametrize("action", [reset(), reset_before_reading(), then(raw(b"HTTP/1.1 200 OK\r\n"), reset())])
def test_a_reset_is_a_reset(action: Action) -> None:
    with asked(action, POST) as (_, sock), pytest.raises(ConnectionResetError):
        read_to_end(sock)


@pytest.mark.parametrize(("action", "count"), [(lose_answer(), 1), (reset(), 1), (reset_before_reading(), 0)])
def test_a_lost_request_is_counted_if_it_was_read(action: Action, count: int) -> None:
    with asked(action, POST) as (server, _):
        assert server.wait_connections(1) and server.wait_all_closed()
        assert [request.body for request in server.requests] == [b"abc"] * count


def test_the_second_answer_on_a_kept_connection_may_be_lost() -> None:
    with ScriptedServer([answer(), lose_answer()]) as server, dial(server) as sock:
        ask(sock, POST)
        sock.sendall(POST)
        assert read_to_end(sock) == b""
        assert [request.connection for request in server.requests] == [0, 0]


def test_silence_is_silent() -> None:
    with asked(silence()) as (server, sock):
        assert server.wait_requests(1)
        assert is_silent(sock)


def test_garbage_is_no_http() -> None:
    with asked(garbage()) as (_, sock):
        assert not read_to_end(sock).startswith(b"HTTP/")


def test_100_continue_has_no_end() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"
    with asked(endless_100_continue()) as (server, sock):
        data = b""
        while len(data) < 50 * len(interim):
            data += received(sock)
        assert data.startswith(interim * 50)


def test_header_blocks_are_as_large_as_they_say() -> None:
    with ScriptedServer([big_header(1 << 20), many_headers(5000)]) as server, dial(server) as sock:
        assert len(ask(sock)[0]) > 1 << 20
        assert ask(sock)[0].count(b"\r\n") == 5001


def test_a_flood_is_as_long_as_it_says() -> None:
    size = (1 << 20) + 7
    with ScriptedServer(flood(size)) as server, dial(server) as sock:
        assert ask(sock)[1] == bytes(size)


def test_an_early_answer_comes_before_the_body() -> None:
    with asked(answer_early(413), POST[:-3]) as (server, sock):
        assert received(sock).startswith(b"HTTP/1.1 413")
        sock.sendall(b"abc")
        sock.close()
        assert server.wait_closed(1)


def test_a_truncated_gzip_has_a_true_length_and_no_end() -> None:
    with ScriptedServer(truncated_gzip(bytes(range(256)) * 9)) as server, dial(server) as sock:
        _, body = ask(sock)
        decoder = zlib.decompressobj(31)
        assert decoder.decompress(body) and not decoder.eof


def gunzip(body: bytes) -> Iterator[bytes]:
    """One layer of gzip, a megabyte at a time."""
    decoder = zlib.decompressobj(31)
    while not decoder.eof:
        yield decoder.decompress(body, 1 << 20)
        body = decoder.unconsumed_tail


def test_a_gzip_bomb_is_small_and_whole() -> None:
    size = 32 << 20
    inner = b"".join(gunzip(bombs.gzip(size, layers=2)))
    assert sum(len(part) for part in gunzip(inner)) == size
    assert len(bombs.gzip(size, layers=1)) < size / 1000


def test_a_brotli_bomb_is_small_and_whole() -> None:
    size = 32 << 20
    decoder = brotlicffi.Decompressor()
    seen = len(decoder.process(bombs.brotli(size)))
    assert (seen, decoder.is_finished()) == (size, True)


@pytest.mark.parametrize(("action", "coding"), [(gzip_bomb(), b"gzip, gzip"), (brotli_bomb(), b"br")])
def test_a_bomb_of_a_gibibyte_is_served_in_ten_kilobytes(action: Action, coding: bytes) -> None:
    with ScriptedServer(action) as server, dial(server) as sock:
        head, body = ask(sock)
        assert b"Content-Encoding: " + coding + b"\r\n" in head
        assert len(body) <= 10_240


@pytest.mark.parametrize(
    "action", [silence(), wait(30.0), drip(b"abc", 30.0), endless_100_continue(), flood(1 << 30), answer_early()]
)
def test_a_server_closes_promptly_whatever_it_is_doing(action: Action, capfd: pytest.CaptureFixture[str]) -> None:
    with asked(action) as (server, sock):
        assert server.wait_requests(1)
        began = time.monotonic()
        server.close()
        assert time.monotonic() - began < 1.0
        assert not server.wait_closed(1, timeout=0)
    assert capfd.readouterr() == ("", "")


def test_an_error_in_a_script_is_raised_at_close() -> None:
    def broken(turn: int) -> Action:
        raise LookupError(turn)

    server = ScriptedServer(broken)
    with dial(server) as sock:
        sock.sendall(GET)
        assert read_to_end(sock) == b""
    with pytest.raises(LookupError):
        server.close()


# TLS


def client_context(keys: Certificates, with_certificate: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=keys.ca_file)
    if with_certificate:
        context.load_cert_chain(keys.client_cert_file, keys.client_key_file)
    return context


def secured(server: ScriptedServer, context: ssl.SSLContext) -> ssl.SSLSocket:
    sock = dial(server)
    try:
        return context.wrap_socket(sock, server_hostname="localhost")
    except BaseException:
        sock.close()
        raise


def test_requests_come_through_tls(keys: Certificates) -> None:
    with ScriptedServer(answer(body=b"{}"), tls=keys.good()) as server:
        assert server.url.startswith("https://127.0.0.1:")
        with secured(server, client_context(keys)) as sock:
            assert [ask(sock, POST)[1] for _ in range(2)] == [b"{}", b"{}"]
        assert server.wait_closed(1)
        assert (server.connections, server.ledger.handshakes, len(server.requests)) == (1, 1, 2)


@pytest.mark.parametrize(
    ("context", "text"),
    [
        (Certificates.expired, "has expired"),
        (Certificates.not_yet_valid, "not yet valid"),
        (Certificates.wrong_host, "Hostname mismatch"),
        (Certificates.untrusted, "unable to get local issuer"),
    ],
)
def test_a_bad_certificate_is_refused(
    keys: Certificates, context: Callable[[Certificates], ssl.SSLContext], text: str
) -> None:
    with ScriptedServer(tls=context(keys)) as server:
        with pytest.raises(ssl.SSLCertVerificationError, match=text):
            secured(server, client_context(keys))
        assert server.wait_all_closed()
        assert server.requests == []


def test_tls_1_1_is_served_and_refused_by_a_client_of_today(keys: Certificates) -> None:
    with ScriptedServer(tls=keys.tls_1_1()) as server:
        with pytest.raises(ssl.SSLError):
            secured(server, client_context(keys))
        assert server.ledger.wait_handshake_failures(1)
        old = client_context(keys)
        with pytest.warns(DeprecationWarning):
            old.minimum_version = ssl.TLSVersion.TLSv1_1
        old.set_ciphers("DEFAULT@SECLEVEL=0")
        with secured(server, old) as sock:
            assert sock.version() == "TLSv1.1"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_certificate_is_insisted_on(keys: Certificates, version: ssl.TLSVersion) -> None:
    with ScriptedServer(tls=keys.client_required(version)) as server:
        with pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE"):
            # TLS 1.3: the client's side of the handshake is over before the server has looked at its certificate.
            with secured(server, client_context(keys)) as sock:
                ask(sock)
        assert server.ledger.wait_handshake_failures(1)
        assert server.requests == []
        with secured(server, client_context(keys, with_certificate=True)) as sock:
            assert ask(sock)[0].startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("start", [plain_http_on_tls_port, hangs_up_in_handshake, resets_in_handshake])
def test_a_handshake_that_fails(keys: Certificates, start: Callable[[], ScriptedServer]) -> None:
    with start() as server:
        assert server.url.startswith("https://")
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            secured(server, client_context(keys))
        assert server.requests == []


def test_a_server_may_be_silent_in_the_handshake() -> None:
    with silent_in_handshake() as server, dial(server) as sock:
        sock.sendall(CLIENT_HELLO)
        assert is_silent(sock)


def test_a_tls_reset_is_a_reset(keys: Certificates) -> None:
    with ScriptedServer(reset(), tls=keys.good()) as server:
        with secured(server, client_context(keys)) as sock, pytest.raises(ConnectionResetError):
            sock.sendall(POST)
            # Below TLS: Python's own layer takes a reset for an end.
            while socket.socket.recv(sock, 65536):
                pass


def test_a_tls_server_closes_promptly_in_the_middle_of_a_handshake(keys: Certificates) -> None:
    with ScriptedServer(tls=keys.good()) as server, dial(server):
        assert server.wait_connections(1)
        began = time.monotonic()
        server.close()
        assert time.monotonic() - began < 1.0


# Ports where nobody answers


def test_a_refused_port_refuses() -> None:
    with RefusedPort() as port:
        for _ in range(3):
            with pytest.raises(ConnectionRefusedError):
                dial(port)


def test_a_blackholed_port_lets_every_connect_hang() -> None:
    with BlackholedPort() as port:
        socks = [socket.socket() for _ in range(20)]
        for sock in socks:
            sock.setblocking(False)
            sock.connect_ex((port.host, port.port))
        with pytest.raises(TimeoutError):
            dial(port, timeout=0.2)
        for sock in socks:
            with pytest.raises(OSError):
                sock.getpeername()
            sock.close()


# The echo server


def test_the_echo_answers_with_what_it_got() -> None:
    with EchoServer() as server, dial(server) as sock:
        body = b'{"id": 7}'
        head = b"POST /e?q=1 HTTP/1.1\r\nX-A: b\r\nContent-Length: %d\r\n\r\n" % len(body)
        for _ in range(2):
            seen = json.loads(ask(sock, head + body)[1])
            assert (seen["json"], seen["target"], seen["headers"]["X-A"]) == ({"id": 7}, "/e?q=1", "b")
        assert (server.connections, server.open_connections, len(server.requests)) == (1, 1, 2)


def test_the_gate_holds_requests_until_it_is_opened() -> None:
    with EchoServer(lambda request: response(body=request.target.encode()), gated=True) as server:
        socks = [dial(server) for _ in range(50)]
        for number, sock in enumerate(socks):
            sock.sendall(b"GET /%d HTTP/1.1\r\n\r\n" % number)
        assert server.wait_waiting(50)
        assert is_silent(socks[0])
        server.open_gate()
        assert [ask(sock, b"")[1] for sock in socks[1:]] == [b"/%d" % number for number in range(1, 50)]
        for sock in socks:
            sock.close()
        assert server.wait_closed(50) and server.wait_all_closed()


def test_a_request_whose_client_gave_up_waits_no_more() -> None:
    with EchoServer(gated=True) as server:
        with dial(server) as sock:
            sock.sendall(GET)
            assert server.wait_waiting(1)
        assert server.wait_closed(1)
        assert server.waiting == 0


def test_the_echo_speaks_tls_and_closes_with_connections_open(keys: Certificates) -> None:
    with EchoServer(tls=keys.good()) as server:
        sock = secured(server, client_context(keys))
        assert json.loads(ask(sock)[1])["method"] == "GET"
        server.close()
        sock.close()


# Servers nobody here wrote


def test_httpbin_answers() -> None:
    with HttpbinServer() as server, dial(server) as sock, dial(server):
        head, body = ask(sock, b"GET /anything/7?a=b HTTP/1.1\r\nHost: a\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        assert json.loads(body)["args"] == {"a": "b"}


@needs_nginx
def test_nginx_answers_on_a_kept_connection(tmp_path: Path) -> None:
    with NginxServer(tmp_path) as server, dial(server) as sock:
        (server.static / "a.txt").write_text("hello")
        assert json.loads(ask(sock, POST.replace(b"/y", b"/json"))[1]) == {"id": 7, "name": "Ada"}
        statuses = [b"/status/%d" % status for status in (204, 404, 503)]
        assert [ask(sock, GET.replace(b"/x", target))[0][9:12] for target in statuses] == [b"204", b"404", b"503"]
        assert ask(sock, GET.replace(b"/x", b"/static/a.txt"))[1] == b"hello"
        assert ask(sock, GET.replace(b"/x", b"/small"))[1].startswith(b"{")
        assert len(server.access_log) >= 6


@needs_nginx
def test_nginx_compresses_and_limits(tmp_path: Path) -> None:
    with NginxServer(tmp_path) as server:
        (server.static / "a.json").write_text("[" + "1," * 999 + "1]")
        with dial(server) as sock:
            sock.sendall(b"GET /gzip/a.json HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n")
            assert b"Content-Encoding: gzip" in read_to_end(sock)
        with dial(server) as sock:
            head, _ = ask(sock, b"POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n" + bytes(2000))
            assert head.startswith(b"HTTP/1.1 413")


@needs_nginx
def test_nginx_speaks_tls(tmp_path: Path, keys: Certificates) -> None:
    with NginxServer(tmp_path, tls=keys.server_files()) as server:
        with client_context(keys).wrap_socket(dial(server), server_hostname="localhost") as sock:
            assert ask(sock, GET.replace(b"/x", b"/json"))[1].startswith(b"{")
