"""Servers that somebody else wrote, each started once: `make test-real` installs them."""

import json
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.needs import program
from tests.servers.wsgi import WsgiServer

PATIENCE = 60.0
ROWS = 1234
"""More than one page of any of them, and no multiple of a page."""


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@contextmanager
def running(command, port, folder):
    """A program that listens on a port of this machine, ended with the block."""
    log = Path(folder) / "log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            command, stdout=written, stderr=subprocess.STDOUT, cwd=folder, stdin=subprocess.DEVNULL
        )
    try:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1.0).close()
                break
            except OSError:
                told = log.read_text("utf-8", "replace")
                assert process.poll() is None, told
                assert time.monotonic() < until, told
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="session")
def datasette_url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("datasette")
    with sqlite3.connect(folder / "shop.db") as database:
        database.execute("create table items (id integer primary key, name text)")
        database.executemany("insert into items values (?, ?)", [(n, f"row {n}") for n in range(1, ROWS + 1)])
    database.close()
    port = free_port()
    command = [sys.executable, "-m", "datasette", "serve", "shop.db", "--host", "127.0.0.1", "--port", str(port)]
    with running(command, port, folder) as url:
        yield url


@pytest.fixture(scope="session")
def json_server_url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("json-server")
    rows = [{"id": n, "name": f"row {n}"} for n in range(1, ROWS + 1)]
    (folder / "db.json").write_text(json.dumps({"items": rows}))
    port = free_port()
    command = [program("json-server"), "db.json", "--quiet", "--host", "127.0.0.1", "--port", str(port)]
    with running(command, port, folder) as url:
        yield url


@pytest.fixture(scope="session")
def drf_url(tmp_path_factory):
    from tests.real.drf_app import application

    with WsgiServer(application(tmp_path_factory.mktemp("drf"), ROWS)) as server:
        yield server.url
