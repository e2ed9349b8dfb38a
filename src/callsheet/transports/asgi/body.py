"""The body of a request, given to an app in pieces."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

from callsheet.errors import ArgumentError
from callsheet.http.body_sources import AsyncPieces, BodySource, InMemory
from callsheet.http.request import Request

PIECE = 64 * 1024
"""Bytes given at a time, as a server gives what it has received."""
ByOwner = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Has something done by whom the body belongs to."""


class AppInput(Protocol):
    """A body being read."""

    async def next_piece(self) -> tuple[bytes, bool]:
        """The next bytes, and whether more may follow. Raises what reading raises."""

    async def close(self) -> None:
        """Let go of what was opened for it."""


def body_of(request: Request, by_owner: ByOwner, *, is_blocking: bool) -> AppInput:
    """The body of a request. Raises UsageError for an async iterator in the blocking colour, ArgumentError."""
    body: Any = request.body
    content = None if body is None else body.content
    if body is None or content is not None:
        return SourceBody(InMemory(content or b"").open(), len(content or b""), here)
    if body.asynchronous is None or is_blocking:
        return SourceBody(body.open(), body.length, by_owner)
    return FedBody(body.asynchronous)


async def here(work: Callable[[], Any]) -> Any:
    """Do it here and now."""
    return work()


class SourceBody:
    """Reads a source."""

    def __init__(self, source: BodySource, length: int | None, by_owner: ByOwner) -> None:
        self._source = source
        self._length = length
        self._by_owner = by_owner
        self._taken = 0

    async def next_piece(self) -> tuple[bytes, bool]:
        """See AppInput. Raises ArgumentError if it is not as long as was announced."""
        piece: tuple[bytes, bool] = await self._by_owner(self._next)
        return piece

    def _next(self) -> tuple[bytes, bool]:
        piece = self._source.read(PIECE)
        self._taken += len(piece)
        length = self._length
        if length is None:
            return piece, bool(piece)
        if self._taken > length or (self._taken == length and self._source.read(1)):
            raise ArgumentError(f"the body: {length} bytes were announced, and it is longer")
        if not piece and self._taken < length:
            raise ArgumentError(f"the body: {length} bytes were announced, and it ended after {self._taken}")
        return piece, self._taken < length

    async def close(self) -> None:
        """See AppInput."""
        await self._by_owner(self._source.close)


class FedBody:
    """Takes the pieces of an async iterator."""

    def __init__(self, pieces: AsyncPieces) -> None:
        self._pieces = pieces
        self._iterator: AsyncIterator[Any] | None = None

    async def next_piece(self) -> tuple[bytes, bool]:
        """See AppInput."""
        if self._iterator is None:
            self._pieces.begin()
            self._iterator = aiter(self._pieces.pieces)
        try:
            return self._pieces.encoded(await anext(self._iterator)), True
        except StopAsyncIteration:
            return self._pieces.ending(), False

    async def close(self) -> None:
        """See AppInput."""
        closing = getattr(self._iterator, "aclose", None)
        if closing is not None:
            await closing()
