"""A port where nobody answers refuses, or lets a connect hang."""

from __future__ import annotations

import socket

import pytest

from tests.servers import BlackholedPort, RefusedPort
from tests.servers.sockets import dial


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
            with pytest.raises(OSError, match="not connected"):
                sock.getpeername()
            sock.close()
