"""Ports where nobody answers: one that refuses, and one where connecting hangs."""

from __future__ import annotations

import socket

from tests.servers.server import Server


class _Port(Server):
    def __init__(self) -> None:
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._sock.bind((self.host, 0))
        self.port = self._sock.getsockname()[1]
        self.url = f"http://{self.host}:{self.port}"

    def close(self) -> None:
        """Give the port back."""
        self._sock.close()


class RefusedPort(_Port):
    """A port that refuses: bound, so that nobody else takes it, and never listening."""


class BlackholedPort(_Port):
    """A port where connecting hangs: it listens, its queue of accepted connections is full, so the kernel drops SYNs."""

    def __init__(self) -> None:
        super().__init__()
        self._sock.listen(0)
        self._fillers: list[socket.socket] = []
        try:
            self._fill()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the port and the connections that fill its queue back."""
        for filler in self._fillers:
            filler.close()
        super().close()

    def _fill(self) -> None:
        for _ in range(64):
            filler = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self._fillers.append(filler)
            filler.settimeout(0.1)
            try:
                filler.connect((self.host, self.port))
            except TimeoutError:
                return
        raise OSError("this kernel still accepts after 64 connections on a backlog of 0, expected the 2nd to hang")
