"""Against servers that nobody here wrote."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from callsheet.errors import TLSError
from callsheet.settings.tls import TLS
from callsheet.transports.connection_settings import ConnectionSettings
from tests.contract.worlds import World, request
from tests.servers import Certificates, HttpbinServer, NginxServer


def test_httpbin_sees_what_was_sent(world: World, httpbin_server: HttpbinServer) -> None:
    seen = world.send(request(f"{httpbin_server.url}/anything/a%2Fb?x=1", "PUT", b'{"id": 7}', X_Name="Ada")).json()
    assert (seen["method"], seen["json"], seen["args"], seen["headers"]["X-Name"]) == (
        "PUT",
        {"id": 7},
        {"x": "1"},
        "Ada",
    )


@pytest.mark.parametrize("status", [200, 404, 503])
def test_httpbin_answers_with_a_status(world: World, httpbin_server: HttpbinServer, status: int) -> None:
    assert world.get(f"{httpbin_server.url}/status/{status}").status_code == status


def test_httpbin_streams(world: World, httpbin_server: HttpbinServer) -> None:
    reading = world.open(f"{httpbin_server.url}/stream-bytes/100000?chunk_size=1000")
    assert len(reading.rest()) == 100_000
    reading.close()


def test_posts_in_a_row_to_a_server_that_closes_each_connection(world: World, httpbin_server: HttpbinServer) -> None:
    for number in range(5):
        assert world.post(f"{httpbin_server.url}/post", b"%d" % number).json()["json"] == number


@pytest.mark.needs("nginx")
def test_nginx_keeps_the_connection(world: World, nginx_server: NginxServer) -> None:
    (nginx_server.static / "a.bin").write_bytes(b"a" * 1_000_000)
    base = nginx_server.url
    assert world.get(f"{base}/json").json() == {"id": 7, "name": "Ada"}
    assert world.send(request(f"{base}/static/a.bin", "HEAD")).headers["content-length"] == "1000000"
    assert len(world.get(f"{base}/static/a.bin").content) == 1_000_000
    assert [world.get(f"{base}/status/{status}").status_code for status in (204, 404, 503)] == [204, 404, 503]
    assert world.post(f"{base}/small", b"a" * 2000).status_code == 413


@pytest.mark.needs("nginx")
@pytest.mark.parametrize("http2", [False, True])
def test_nginx_speaks_the_http_that_is_asked_for(
    worlds: Callable[[ConnectionSettings], World], tmp_path: Path, certificates: Certificates, http2: bool
) -> None:
    world = worlds(ConnectionSettings(tls=TLS(ca=certificates.ca_file), http2=http2))
    with NginxServer(tmp_path, tls=certificates.server_files()) as server:
        answers = world.together([request(f"{server.url}/json") for _ in range(20)])
        assert {each.http_version for each in answers} == {"2" if http2 else "1.1"}  # type: ignore[union-attr]
        reading = world.open(f"{server.url}/json")
        assert reading.rest() == b'{"id": 7, "name": "Ada"}'
        reading.close()
        assert world.send(request(f"{server.url}/created", "POST", b"{}")).status_code == 201


@pytest.mark.needs("nginx")
def test_nginx_without_our_trust_is_refused(world: World, tmp_path: Path, certificates: Certificates) -> None:
    with NginxServer(tmp_path, tls=certificates.server_files()) as server:
        assert isinstance(world.failure(f"{server.url}/json"), TLSError)
