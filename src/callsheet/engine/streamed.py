"""What `stream()` gives: an open answer, read by a thread or by a task."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Self

from callsheet.engine.io import finish
from callsheet.engine.open_answer import OpenAnswer
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.response import Response


class Streamed:
    """Status and headers of an answer whose body is still to come."""

    def __init__(self, opened: OpenAnswer) -> None:
        self._opened = opened
        self.response: Response = opened.response

    @property
    def status_code(self) -> int:
        """The answer's status."""
        return self.response.status_code

    @property
    def headers(self) -> Headers:
        """The header fields of the answer."""
        return self.response.headers

    @property
    def url(self) -> str:
        """Where the answer comes from."""
        return self.response.url

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        return self.response.ok

    @property
    def request(self) -> Request:
        """The request that was answered, without body and secrets."""
        return self.response.request

    @property
    def attempts(self) -> int:
        """How many attempts there were."""
        return self.response.attempts

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status_code} {self.url}>"


class StreamedResponse(Streamed):
    """An answer read by a thread. Closed when its body ends, or by `close()`, or by leaving `with`."""

    def iter_bytes(self) -> Iterator[bytes]:
        """The body in pieces as they come, content codings undone. Raises NoAnswer if it breaks off."""
        while piece := finish(self._opened.next_piece()):
            yield piece

    def read(self) -> bytes:
        """The rest of the body. Raises ResponseTooLarge above `caps.response`."""
        return finish(self._opened.read())

    def close(self) -> None:
        """Let go of slot and connection. Closing twice does nothing."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


class AsyncStreamedResponse(Streamed):
    """An answer read by a task. Closed when its body ends, or by `aclose()`, or by leaving `async with`."""

    async def iter_bytes(self) -> AsyncIterator[bytes]:
        """The body in pieces as they come, content codings undone. Raises NoAnswer if it breaks off."""
        while piece := await self._opened.next_piece():
            yield piece

    async def read(self) -> bytes:
        """The rest of the body. Raises ResponseTooLarge above `caps.response`."""
        return await self._opened.read()

    async def aclose(self) -> None:
        """Let go of slot and connection. Closing twice does nothing."""
        self._opened.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.aclose()
