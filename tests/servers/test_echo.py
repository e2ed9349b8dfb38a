"""The echo server answers with what it got, at once or when the gate is opened."""

from __future__ import annotations

import asyncio
import json

from tests.servers import Certificates, EchoServer, response
from tests.servers.sockets import GET, ask, client_context, dial, is_silent, secured


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
        assert server.wait_closed(50)
        assert server.wait_all_closed()


def test_a_request_whose_client_gave_up_waits_no_more() -> None:
    with EchoServer(gated=True) as server:
        with dial(server) as sock:
            sock.sendall(GET)
            assert server.wait_waiting(1)
        assert server.wait_closed(1)
        assert server.waiting == 0


def test_the_echo_speaks_tls_and_closes_with_connections_open(certificates: Certificates) -> None:
    with EchoServer(tls=certificates.good()) as server:
        sock = secured(server, client_context(certificates))
        assert json.loads(ask(sock)[1])["method"] == "GET"
        server.close()
        sock.close()


def test_a_thousand_requests_may_be_in_flight_at_once() -> None:
    async def exchange(server: EchoServer, number: int) -> str:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(b"GET /%d HTTP/1.1\r\nConnection: close\r\n\r\n" % number)
        await reader.readuntil(b"\r\n\r\n")
        seen = await reader.readuntil(b"}")
        writer.close()
        await writer.wait_closed()
        return seen.decode()

    async def all_at_once(server: EchoServer) -> list[str]:
        exchanges = asyncio.gather(*(exchange(server, number) for number in range(1000)))
        assert await asyncio.to_thread(server.wait_waiting, 1000, 20.0)
        server.open_gate()
        return await exchanges

    with EchoServer(gated=True) as server:
        answers = asyncio.run(all_at_once(server))
        assert all(f'"/{number}"' in seen for number, seen in enumerate(answers))
        assert server.wait_closed(1000)
