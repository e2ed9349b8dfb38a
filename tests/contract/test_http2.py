"""HTTP/2: many streams on one connection, against a server that nobody here wrote."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from callsheet.settings.tls import TLS
from callsheet.transports.connection_settings import ConnectionSettings
from tests.contract.bodies import BLOCK, Fed, upload
from tests.contract.test_streams import MIB
from tests.contract.worlds import COLOURS, LIMITS, AsyncioWorld, request
from tests.servers import Certificates, NginxServer

pytestmark = pytest.mark.needs("nginx")
EXTRA = """
location = /connection { return 200 "$connection"; }
location /slow/ { alias %(folder)s/static/; limit_rate 200k; }
location /put/ { dav_methods PUT; create_full_put_path on; client_max_body_size 0; alias %(folder)s/put/; }
"""


@pytest.fixture(params=[colour for colour in COLOURS if colour != "blocking"])
def colour(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def server(tmp_path: Path, certificates: Certificates) -> Iterator[NginxServer]:
    with NginxServer(tmp_path, EXTRA % {"folder": tmp_path}, tls=certificates.server_files()) as server:
        yield server


@pytest.fixture
def http2_world(worlds: Callable[[ConnectionSettings], AsyncioWorld], certificates: Certificates) -> AsyncioWorld:
    return worlds(ConnectionSettings(tls=TLS(ca=certificates.ca_file), http2=True))


def test_many_requests_at_once_take_one_connection(http2_world: AsyncioWorld, server: NginxServer) -> None:
    for _ in range(2):
        answers = http2_world.together([request(f"{server.url}/connection") for _ in range(100)])
        assert {each.http_version for each in answers} == {"2"}  # type: ignore[union-attr]
        assert len({each.content for each in answers}) == 1  # type: ignore[union-attr]


def test_more_requests_than_a_connection_has_streams(http2_world: AsyncioWorld, server: NginxServer) -> None:
    answers = http2_world.together([request(f"{server.url}/connection") for _ in range(300)])
    assert {each.status_code for each in answers} == {200}  # type: ignore[union-attr]
    assert len({each.content for each in answers}) <= 3  # type: ignore[union-attr]


def test_cancelling_one_stream_leaves_the_others(http2_world: AsyncioWorld, server: NginxServer) -> None:
    (server.static / "a.bin").write_bytes(BLOCK * 2)
    transport = http2_world.transport

    async def go() -> tuple[set[bytes], list[bytes]]:
        connections = [(await transport.send(request(f"{server.url}/connection"), LIMITS))[0].content]
        slow = asyncio.create_task(transport.send(request(f"{server.url}/slow/a.bin"), LIMITS))
        others = [asyncio.create_task(transport.send(request(f"{server.url}/slow/a.bin"), LIMITS)) for _ in range(5)]
        connections.append((await transport.send(request(f"{server.url}/connection"), LIMITS))[0].content)
        slow.cancel()
        bodies = [(await other)[0].content for other in others]
        connections.append((await transport.send(request(f"{server.url}/connection"), LIMITS))[0].content)
        assert slow.cancelled()
        return set(connections), bodies

    connections, bodies = http2_world.run(go())
    assert bodies == [BLOCK * 2] * 5
    assert len(connections) == 1


def test_closing_a_stream_unread_leaves_the_connection(http2_world: AsyncioWorld, server: NginxServer) -> None:
    (server.static / "a.bin").write_bytes(bytes(8 * MIB))
    before = http2_world.get(f"{server.url}/connection").content
    reading = http2_world.open(f"{server.url}/static/a.bin")
    assert reading.read()
    reading.close()
    assert http2_world.get(f"{server.url}/connection").content == before


@pytest.mark.parametrize("is_fed", [False, True])
def test_uploads_share_a_connection(
    http2_world: AsyncioWorld, server: NginxServer, tmp_path: Path, is_fed: bool
) -> None:
    pieces = [BLOCK * 40, b"and the end"]
    wanted = hashlib.sha256(b"".join(pieces)).hexdigest()
    http2_world.get(f"{server.url}/connection")
    uploads = [
        upload(f"{server.url}/put/{number}", Fed(*pieces)() if is_fed else iter(pieces), "PUT") for number in range(8)
    ]
    answers = http2_world.together(uploads)
    assert [each.status_code for each in answers] == [201] * 8  # type: ignore[union-attr]
    for number in range(8):
        assert hashlib.sha256((tmp_path / "put" / str(number)).read_bytes()).hexdigest() == wanted
