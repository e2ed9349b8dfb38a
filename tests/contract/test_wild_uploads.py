"""Large and slow bodies, against servers that nobody here wrote."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from callsheet.call import Limits
from callsheet.errors import NoAnswer
from callsheet.settings.tls import TLS
from callsheet.transports.connection_settings import ConnectionSettings
from tests.contract.bodies import BLOCK, upload
from tests.contract.test_streams import MIB, held, rest_is_whole
from tests.contract.worlds import World
from tests.servers import Certificates, HttpbinServer, NginxServer

SIZE = 64 * MIB
EXTRA = """
location /put/ { dav_methods PUT; create_full_put_path on; client_max_body_size 0; alias %(folder)s/put/; }
location = /impatient { client_body_timeout 100ms; client_max_body_size 0; proxy_pass http://127.0.0.1:1/; }
"""


@pytest.fixture
def big(tmp_path: Path) -> Path:
    path = tmp_path / "big.bin"
    with path.open("wb") as file:
        for number in range(SIZE // len(BLOCK)):
            file.write(number.to_bytes(4, "big") + BLOCK[4:])
    return path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NginxServer]:
    with NginxServer(tmp_path, EXTRA % {"folder": tmp_path}) as server:
        yield server


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(100_000):
            yield piece


@pytest.mark.needs("nginx")
@pytest.mark.parametrize("has_length", [True, False])
def test_nginx_stores_what_was_sent(
    world: World, server: NginxServer, big: Path, tmp_path: Path, has_length: bool
) -> None:
    before = held()
    wanted = upload(f"{server.url}/put/a", big if has_length else pieces(big), "PUT")
    assert world.send(wanted).status_code == 201
    assert held() - before < 24 * MIB
    assert digest(tmp_path / "put" / "a") == digest(big)


@pytest.mark.needs("nginx")
@pytest.mark.parametrize("http2", [False, True])
def test_nginx_stores_what_was_sent_over_tls(
    worlds: Callable[[ConnectionSettings], World], certificates: Certificates, big: Path, tmp_path: Path, http2: bool
) -> None:
    world = worlds(ConnectionSettings(tls=TLS(ca=certificates.ca_file), http2=http2))
    with NginxServer(tmp_path, EXTRA % {"folder": tmp_path}, tls=certificates.server_files()) as server:
        before = held()
        assert world.send(upload(f"{server.url}/put/a", big, "PUT")).status_code == 201
        assert held() - before < 24 * MIB
        assert digest(tmp_path / "put" / "a") == digest(big)


@pytest.mark.needs("nginx")
def test_nginx_gives_back_what_it_stored(world: World, server: NginxServer, big: Path) -> None:
    assert world.send(upload(f"{server.url}/put/a", big, "PUT")).status_code == 201
    (server.static / "a.bin").symlink_to(server.folder / "put" / "a")
    reading = world.open(f"{server.url}/static/a.bin")
    assert rest_is_whole(reading, SIZE)
    reading.close()


@pytest.mark.needs("nginx")
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_nginx_refuses_a_large_body_early(world: World, server: NginxServer, big: Path, method: str) -> None:
    for content in (big, pieces(big)):
        assert world.send(upload(f"{server.url}/small", content, method)).status_code == 413


@pytest.mark.needs("nginx")
def test_nginx_gives_up_on_a_body_that_does_not_come(world: World, server: NginxServer) -> None:
    done = threading.Event()

    def slowly() -> Iterator[bytes]:
        yield b"abc"
        done.wait(0.4)
        while True:
            yield BLOCK

    (outcome,) = world.together([upload(f"{server.url}/impatient", slowly())], Limits(2.0, read=3.0, attempt=3.0))
    # It may just hang up.
    assert outcome.was_sent if isinstance(outcome, NoAnswer) else outcome.status_code == 408  # type: ignore[union-attr]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_httpbin_sees_the_bytes(world: World, httpbin_server: HttpbinServer, tmp_path: Path, method: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text("äöü" * 50_000)
    seen = world.send(upload(f"{httpbin_server.url}/{method.lower()}", path, method)).json()
    assert seen["data"] == path.read_text()
    assert seen["headers"]["Content-Length"] == str(path.stat().st_size)
