"""Gives the body of a request to an app in pieces."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

from callsheet.http.body_sources import AsyncPieces, BodySource, InMemory, check_length
from callsheet.http.request import Request

PIECE = 64 * 1024
"""Bytes given at a time, as a server gives what it has received."""
ByOwner = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Has a function called where the body may be read, such as in the calling thread, and gives its result."""


class AppInput(Protocol):
    """A request body that an app is reading."""

    async def next_piece(self) -> tuple[bytes, bool]:
        """The next bytes, and whether more may follow. Raises what reading raises."""

    async def close(self) -> None:
        """Close what was opened to read it."""


def body_of(request: Request, by_owner: ByOwner, *, is_blocking: bool) -> AppInput:
    """Open the body of a request. Raises ArgumentError, or UsageError for an async iterator where `is_blocking`."""
    body: Any = request.body
    content = None if body is None else body.content
    if body is None or content is not None:
        return SourceBody(InMemory(content or b"").open(), len(content or b""), here)
    if body.asynchronous is None or is_blocking:
        return SourceBody(body.open(), body.length, by_owner)
    return FedBody(body.asynchronous)


async def here(work: Callable[[], Any]) -> Any:
    """Call the function here and now: the ByOwner for bodies of the calling task."""
    return work()


class SourceBody:
    """Gives the pieces of a BodySource to an app."""

    def __init__(self, source: BodySource, length: int | None, by_owner: ByOwner) -> None:
        self._source = source
        self._length = length
        self._by_owner = by_owner
        self._taken = 0

    async def next_piece(self) -> tuple[bytes, bool]:
        """The next bytes, and whether more may follow. Raises ArgumentError if the body has not its announced length."""
        piece: tuple[bytes, bool] = await self._by_owner(self._next)
        return piece

    def _next(self) -> tuple[bytes, bool]:
        piece = self._source.read(PIECE)
        self._taken += len(piece)
        length = self._length
        if length is None:
            return piece, bool(piece)
        check_length(self._source, length, self._taken, is_over=not piece)
        return piece, self._taken < length

    async def close(self) -> None:
        """See AppInput."""
        await self._by_owner(self._source.close)


class FedBody:
    """Gives the pieces of an async iterator to an app."""

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
