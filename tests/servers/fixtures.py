"""pytest fixtures around the servers; a conftest takes them with `from tests.servers.fixtures import *`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.certificates import Certificates
from tests.servers.echo import EchoServer
from tests.servers.httpbin import HttpbinServer
from tests.servers.moto import MotoServer
from tests.servers.nginx import NginxServer
from tests.servers.ports import BlackholedPort, RefusedPort

__all__ = [
    "blackholed_port",
    "certificates",
    "echo_server",
    "httpbin_server",
    "moto_server",
    "nginx_server",
    "refused_port",
]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """One certificate authority for the whole run."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def echo_server() -> Iterator[EchoServer]:
    """A server that answers with what it got."""
    with EchoServer() as server:
        yield server


@pytest.fixture(scope="session")
def httpbin_server() -> Iterator[HttpbinServer]:
    """One httpbin for the whole run: it keeps nothing between requests."""
    with HttpbinServer() as server:
        yield server


@pytest.fixture(scope="session")
def moto_server() -> Iterator[MotoServer]:
    """One moto for the whole run: what it keeps, it keeps for the process."""
    with MotoServer() as server:
        yield server


@pytest.fixture
def nginx_server(tmp_path: Path) -> Iterator[NginxServer]:
    """An nginx of the test's own; the test is marked `needs("nginx")`."""
    with NginxServer(tmp_path) as server:
        yield server


@pytest.fixture
def refused_port() -> Iterator[RefusedPort]:
    """A port that refuses connections."""
    with RefusedPort() as port:
        yield port


@pytest.fixture
def blackholed_port() -> Iterator[BlackholedPort]:
    """A port where connecting hangs."""
    with BlackholedPort() as port:
        yield port
