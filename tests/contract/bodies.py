"""Bodies that a test looks at while they are sent, and servers that take their time."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.streamed_body import body_from
from tests.servers import Action, head
from tests.servers.connection import Connection

BLOCK = bytes(range(256)) * 256


def upload(url: str, content: Any, method: str = "POST", *, is_stream: bool = False) -> Request:
    """A request whose body is read as it is sent."""
    body = content if hasattr(content, "asynchronous") else body_from(content)
    return Request(method, url, Headers([("Content-Type", "a/b")]), body, is_stream=is_stream)


class Watched(io.BytesIO):
    """A source that a test looks at: whether it was read, and how often it was closed."""

    length: int | None = None
    asynchronous = None
    content = None
    content_type = None
    is_replayable = True

    def __init__(self, content: bytes = b"", error: BaseException | None = None) -> None:
        super().__init__(content)
        self.error = error
        self.opened = self.reads = self.closes = 0
        self.begun = threading.Event()

    def open(self) -> Watched:
        self.opened += 1
        return self

    def read(self, size: int | None = -1) -> bytes:
        self.reads += 1
        self.begun.set()
        taken = super().read(size)
        if not taken and self.error is not None:
            raise self.error
        return taken

    def close(self) -> None:
        self.closes += 1

    @property
    def is_let_go(self) -> bool:
        """Whether it was closed as often as it was opened."""
        return self.opened == self.closes


class Fed:
    """An async iterator that a test looks at."""

    def __init__(self, *pieces: Any, before: Callable[[], Any] = lambda: None) -> None:
        self.pieces = pieces
        self.before = before
        self.taken = 0
        self.is_over = False

    async def __call__(self) -> AsyncIterator[Any]:
        try:
            for piece in self.pieces:
                await asyncio.sleep(0)
                if isinstance(piece, BaseException):
                    raise piece
                if isinstance(piece, asyncio.Event):
                    await piece.wait()
                    continue
                self.taken += 1
                yield piece
        finally:
            self.is_over = True


def stall(go: threading.Event) -> Action:
    """Read the head only, until told; then read and drop everything."""

    def play(connection: Connection) -> None:
        connection.head()
        go.wait(5.0)
        connection.hold()

    return Action("stall", play)


class Zeros:
    """A source of so many zero bytes that counts what was taken."""

    asynchronous = content = content_type = None
    is_replayable = True

    def __init__(self, length: int) -> None:
        self.length: int | None = length
        self.left = length

    def open(self) -> Zeros:
        return self

    def read(self, size: int) -> bytes:
        taken = min(size, self.left)
        self.left -= taken
        return bytes(taken)

    def close(self) -> None:
        pass


def answer_and_stall(go: threading.Event) -> Action:
    """Send an answer's head as soon as the request's is there, and read nothing of the body until told."""

    def play(connection: Connection) -> None:
        connection.head()
        connection.send(head(200, {"Content-Length": "9"}))
        go.wait(5.0)
        connection.hold()

    return Action("answer_and_stall", play)
