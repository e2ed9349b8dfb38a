"""What holds in every test of the contract: nothing is left behind, and nothing is printed."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from callsheet.settings.tls import TLS
from callsheet.transports.connection_settings import ConnectionSettings
from tests.contract.worlds import COLOURS, PLAIN, World, world_of
from tests.loops import uvloop
from tests.servers import Certificates, EchoServer
from tests.servers.fixtures import *  # noqa: F403

OPEN_FILES = Path("/proc/self/fd")


def open_files() -> int:
    return len(list(OPEN_FILES.iterdir())) if OPEN_FILES.exists() else 0


def own_threads() -> set[threading.Thread]:
    """The threads but for those of a server that lives for the whole run."""
    return {thread for thread in threading.enumerate() if not thread.name.startswith(("httpbin", "Thread-"))}


@pytest.fixture(autouse=True)
def _nothing_is_left(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """No descriptor and no thread outlives its test, and no callback's exception was printed by libcurl's binding."""
    files, threads = open_files(), own_threads()
    yield
    until = time.monotonic() + 2.0
    while (open_files() > files or own_threads() - threads) and time.monotonic() < until:
        gc.collect()
    assert own_threads() - threads == set()
    assert open_files() <= files
    assert capfd.readouterr().err == ""


@pytest.fixture(scope="session", autouse=True)
def _what_is_imported_is_no_garbage() -> None:
    """Collecting it again and again would take most of the time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _what_uvloop_opens_once_for_a_process_is_open() -> None:
    """Its first loop opens two descriptors that stay."""
    if uvloop is not None:
        uvloop.new_event_loop().close()


@pytest.fixture(params=COLOURS)
def colour(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def worlds(colour: str) -> Iterator[Callable[[ConnectionSettings], World]]:
    """Makes worlds of one colour, and ends them."""
    made: list[World] = []

    def make(wiring: ConnectionSettings = PLAIN) -> World:
        made.append(world_of(colour, wiring))
        return made[-1]

    yield make
    for world in made:
        world.end()


@pytest.fixture
def world(worlds: Callable[[], World]) -> World:
    return worlds()


@pytest.fixture
def tls_world(worlds: Callable[[ConnectionSettings], World], certificates: Certificates) -> World:
    """A world that trusts the tests' certificate authority."""
    return worlds(ConnectionSettings(tls=TLS(ca=certificates.ca_file)))


@pytest.fixture
def service(echo_server: EchoServer) -> str:
    """Where an echo answers; a transport without sockets puts its own in this place."""
    return echo_server.url
