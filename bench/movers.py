"""Clients that transfer a file: each opens what its library would keep open, and gives a function per direction.

`upload(path)` gives what the server says it got, `download(path)` and `read()` how many bytes came.
"""

# ruff: noqa: PLC0415 each client runs in a process of its own, which loads that client's library alone

import os
from contextlib import asynccontextmanager, contextmanager
from typing import NamedTuple

from bench.blocking import SHEET

PIECE = 1024 * 1024
"""The bytes that requests is asked for at a time; httpx2 and callsheet give pieces as they come."""


class Moves(NamedTuple):
    upload: object
    download: object
    read: object


@contextmanager
def with_requests(url, size):
    import requests

    with requests.Session() as session:

        def pieces():
            with session.get(f"{url}/{size}", stream=True) as answer:
                answer.raise_for_status()
                yield from answer.iter_content(PIECE)

        def upload(path):
            with path.open("rb") as file:
                return int(session.put(url, data=file).text)

        yield Moves(upload, lambda path: written(pieces(), path), lambda: sum(map(len, pieces())))


@contextmanager
def with_httpx2(url, size):
    import httpx2

    with httpx2.Client(timeout=60) as client:

        def pieces():
            with client.stream("GET", f"{url}/{size}") as answer:
                answer.raise_for_status()
                yield from answer.iter_bytes()

        def upload(path):
            # Without the length it would be sent in chunks.
            with path.open("rb") as file:
                return int(client.put(url, content=file, headers={"Content-Length": str(path.stat().st_size)}).text)

        yield Moves(upload, lambda path: written(pieces(), path), lambda: sum(map(len, pieces())))


def written(pieces, path):
    with path.open("wb") as file:
        for piece in pieces:
            file.write(piece)
    return path.stat().st_size


@contextmanager
def with_callsheet(url, size):
    from callsheet import Client

    os.environ["BENCH_URL"] = url
    with Client(SHEET) as client:
        service = client.service("bench")

        def read():
            with service.stream("GET", f"/{size}") as answer:
                return sum(map(len, answer.iter_bytes()))

        yield Moves(
            lambda path: int(service.put("/", content=path).text),
            lambda path: service.download(f"/{size}", path).size,
            read,
        )


@asynccontextmanager
async def with_callsheet_tasks(url, size):
    from callsheet import AsyncClient

    os.environ["BENCH_URL"] = url
    async with AsyncClient(SHEET) as client:
        service = client.service("bench")

        async def upload(path):
            return int((await service.put("/", content=path)).text)

        async def download(path):
            return (await service.download(f"/{size}", path)).size

        async def read():
            came = 0
            async with service.stream("GET", f"/{size}") as answer:
                async for piece in answer.iter_bytes():
                    came += len(piece)
            return came

        yield Moves(upload, download, read)


BLOCKING = {"requests": with_requests, "httpx2": with_httpx2, "callsheet": with_callsheet}
TASKS = {"callsheet": with_callsheet_tasks}
