"""Pages and items for the asyncio client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from typing import Any, Generic, Self

from callsheet.engine.bared import bared_coroutine
from callsheet.errors import UsageError
from callsheet.many.outcome import BUSY
from callsheet.many.page_threads import checked_limit
from callsheet.many.page_walk import Page, PageFeed, T
from callsheet.many.tasks import map_in_tasks


class AheadInTasks:
    """What tasks fetch in the background. See Ahead."""

    def __init__(
        self, fetch: Callable[[Any], Coroutine[Any, Any, Any]], rows: Iterable[Any], concurrency: int, most: int | None
    ) -> None:
        self._outcomes = map_in_tasks(fetch, rows, concurrency=concurrency, ahead=most)

    async def take(self) -> Any:
        """The next result; None if no more come. Raises the error in its place."""
        outcome = await anext(self._outcomes, None)
        return None if outcome is None else outcome.value

    async def close(self) -> None:
        """Begin nothing more, and cancel what is in flight."""
        await self._outcomes.aclose()


class AsyncPages(Generic[T]):
    """What `pages` of an AsyncClient gives: `async for page in client.pages(...)`. Iterate over it once, in one task.

    Nothing is sent before the first page is asked for. After `aclose`, or an `async with` block, no task of it is left.
    """

    def __init__(self, feed: PageFeed[T]) -> None:
        self._feed = feed
        self._is_waiting = False

    def __aiter__(self) -> Self:
        return self

    @bared_coroutine
    async def __anext__(self) -> Page[T]:
        if self._is_waiting:
            raise UsageError(BUSY)
        self._is_waiting = True
        try:
            page = await self._feed.next()
        finally:
            self._is_waiting = False
        if page is None:
            raise StopAsyncIteration
        return page

    async def first(self) -> Page[T] | None:
        """The next page, which is the first if none was taken; None if there is none. Raises APIError."""
        return await anext(self, None)

    async def all(self, *, limit: int | None = None) -> list[Page[T]]:
        """Every page that is left, or the next `limit`. Raises APIError, ArgumentError."""
        return await _listed(aiter(self), limit)

    async def aclose(self) -> None:
        """Fetch nothing more, and cancel the calls in flight."""
        await self._feed.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.aclose()


class AsyncItems(Generic[T]):
    """What `items` of an AsyncClient gives: `async for item in client.items(...)`. See Items."""

    def __init__(self, pages: AsyncPages[T]) -> None:
        self.pages = pages
        self._left: Iterator[T] = iter(())

    async def __aiter__(self) -> AsyncIterator[T]:
        while True:
            for item in self._left:
                yield item
            if not await self._turn():
                return

    async def __anext__(self) -> T:
        while True:
            for item in self._left:
                return item
            if not await self._turn():
                raise StopAsyncIteration

    async def _turn(self) -> bool:
        page = await anext(self.pages, None)
        if page is not None:
            self._left = iter(page.items)
        return page is not None

    async def first(self) -> T | None:
        """The next item, which is the first if none was taken; None if there is none. Raises APIError."""
        return await anext(self, None)

    async def all(self, *, limit: int | None = None) -> list[T]:
        """Every item that is left, or the next `limit`; no page is fetched that they do not need. Raises APIError."""
        return await _listed(aiter(self), limit)

    async def aclose(self) -> None:
        """Fetch nothing more, and cancel the calls in flight."""
        await self.pages.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.aclose()


async def _listed(each: AsyncIterator[T], limit: int | None) -> list[T]:
    found: list[T] = []
    most = checked_limit(limit)
    while most is None or len(found) < most:
        try:
            found.append(await anext(each))
        except StopAsyncIteration:
            break
    return found
