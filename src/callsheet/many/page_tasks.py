"""Pages and items for the asyncio client."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import AsyncIterator, Iterator
from typing import Generic, Self

from callsheet.engine.bared import bared_coroutine
from callsheet.errors import UsageError
from callsheet.many.outcome import BUSY
from callsheet.many.page_threads import checked_limit
from callsheet.many.page_walk import Fetch, OnPage, Page, PageWalk, T
from callsheet.many.pages import PageAnswer
from callsheet.many.tasks import AsyncOutcomes, map_in_tasks


class AheadInTasks:
    """Answers that tasks fetch at once."""

    def __init__(self, fetch: Fetch, numbers: range, concurrency: int) -> None:
        self._outcomes: AsyncOutcomes[PageAnswer] = map_in_tasks(fetch, numbers, concurrency=concurrency)

    async def take(self) -> PageAnswer | None:
        """The next answer; None if no more come. Raises the error in its place."""
        outcome = await anext(self._outcomes, None)
        return None if outcome is None else outcome.value

    async def close(self) -> None:
        """Cancel what is in flight."""
        await self._outcomes.aclose()


class AsyncPages(Generic[T]):
    """What `pages` of an AsyncClient gives: `async for page in client.pages(...)`. Iterate over it once, in one task.

    Nothing is sent before the first page is asked for. After `aclose`, or an `async with` block, no task of it is left.
    """

    def __init__(self, walk: PageWalk[T], on_page: OnPage | None, prefetch: int) -> None:
        self._walk = walk
        self._on_page = on_page
        self._prefetch = prefetch
        self._ahead: AsyncOutcomes[Page[T] | None] | None = None
        self._used: Page[T] | None = None
        self._is_waiting = False

    def __aiter__(self) -> Self:
        return self

    @bared_coroutine
    async def __anext__(self) -> Page[T]:
        if self._is_waiting:
            raise UsageError(BUSY)
        self._is_waiting = True
        try:
            await self._tell()
            self._used = await self._next()
        finally:
            self._is_waiting = False
        if self._used is None:
            raise StopAsyncIteration
        return self._used

    async def _tell(self) -> None:
        """Tell that the page given last was used up, since the one after it is asked for."""
        if self._used is not None and self._on_page is not None:
            told = self._on_page(self._used.next_position)
            if inspect.isawaitable(told):
                await told
        self._used = None

    async def _next(self) -> Page[T] | None:
        if not self._prefetch:
            return await self._walk.next()
        if self._ahead is None:
            walk = self._walk
            self._ahead = map_in_tasks(
                lambda _: walk.next(), itertools.count(), concurrency=1, ahead=self._prefetch + 1
            )
        try:
            page = (await anext(self._ahead)).value
        except BaseException:
            self._ahead = None
            raise
        if page is None:
            await self.aclose()
        return page

    async def first(self) -> Page[T] | None:
        """The next page, which is the first if none was taken; None if there is none. Raises APIError."""
        return await anext(self, None)

    async def all(self, *, limit: int | None = None) -> list[Page[T]]:
        """Every page that is left, or the next `limit`. Raises APIError, ArgumentError."""
        return await _listed(aiter(self), limit)

    async def aclose(self) -> None:
        """Fetch nothing more, and cancel the calls in flight."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            await ahead.aclose()
        await self._walk.close()

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
