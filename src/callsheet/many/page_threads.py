"""Pages and items for the blocking client."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from typing import Any, Generic, Self

from callsheet.bare_frames import bared
from callsheet.engine.io import finish
from callsheet.errors import ArgumentError, UsageError
from callsheet.many.outcome import BUSY
from callsheet.many.page_walk import Fetch, OnPage, Page, PageWalk, T
from callsheet.many.pages import PageAnswer
from callsheet.many.threads import Outcomes, map_in_threads


class AheadInThreads:
    """Answers that threads fetch at once."""

    def __init__(self, fetch: Fetch, numbers: range, concurrency: int) -> None:
        self._outcomes: Outcomes[PageAnswer] = map_in_threads(
            lambda at: finish(fetch(at)), numbers, concurrency=concurrency
        )

    async def take(self) -> PageAnswer | None:
        """The next answer; None if no more come. Raises the error in its place."""
        outcome = next(self._outcomes, None)
        return None if outcome is None else outcome.value

    async def close(self) -> None:
        """Begin nothing more, and wait for the calls in flight."""
        self._outcomes.close()


class Pages(Generic[T]):
    """What `pages` of a Client gives: a Page at a time, each by a call of its own. Iterate over it once, in one thread.

    Nothing is sent before the first page is asked for. After `close`, or at the end of a `with` block, no call is in flight.
    """

    def __init__(self, walk: PageWalk[T], on_page: OnPage | None, prefetch: int) -> None:
        self._walk = walk
        self._on_page = on_page
        self._prefetch = prefetch
        self._ahead: Outcomes[Page[T] | None] | None = None
        self._used: Page[T] | None = None
        self._iterating = threading.Lock()

    def __iter__(self) -> Self:
        return self

    @bared
    def __next__(self) -> Page[T]:
        if not self._iterating.acquire(blocking=False):
            raise UsageError(BUSY)
        try:
            self._tell()
            self._used = self._next()
        finally:
            self._iterating.release()
        if self._used is None:
            raise StopIteration
        return self._used

    def _tell(self) -> None:
        """Tell that the page given last was used up, since the one after it is asked for."""
        if self._used is not None and self._on_page is not None:
            self._on_page(self._used.next_position)
        self._used = None

    def _next(self) -> Page[T] | None:
        if not self._prefetch:
            return finish(self._walk.next())
        if self._ahead is None:
            walk = self._walk
            self._ahead = map_in_threads(
                lambda _: finish(walk.next()), itertools.count(), concurrency=1, ahead=self._prefetch + 1
            )
        try:
            page = next(self._ahead).value
        except BaseException:
            self._ahead = None
            raise
        if page is None:
            self.close()
        return page

    def first(self) -> Page[T] | None:
        """The next page, which is the first if none was taken; None if there is none. Raises APIError."""
        return next(self, None)

    def all(self, *, limit: int | None = None) -> list[Page[T]]:
        """Every page that is left, or the next `limit`. Raises APIError, ArgumentError."""
        return list(itertools.islice(self, checked_limit(limit)))

    def close(self) -> None:
        """Fetch nothing more, and wait for the calls in flight."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.close()
        finish(self._walk.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if self._ahead is not None:
            self._ahead.__exit__(kind, error, traceback)  # which does not wait after Ctrl-C
            self._ahead = None
        self.close()


class Items(Generic[T]):
    """What `items` of a Client gives: one item after the other. Iterate over it once, in one thread.

    `pages` is the same walk page by page. A loop that is left and begun again goes on where it stood. See Pages for the rest.
    """

    def __init__(self, pages: Pages[T]) -> None:
        self.pages = pages
        self._left: Iterator[T] = iter(())

    def __iter__(self) -> Iterator[T]:
        while True:
            yield from self._left
            if not self._turn():
                return

    def __next__(self) -> T:
        while True:
            for item in self._left:
                return item
            if not self._turn():
                raise StopIteration

    def _turn(self) -> bool:
        page = next(self.pages, None)
        if page is not None:
            self._left = iter(page.items)
        return page is not None

    def first(self) -> T | None:
        """The next item, which is the first if none was taken; None if there is none. Raises APIError."""
        return next(iter(self), None)

    def all(self, *, limit: int | None = None) -> list[T]:
        """Every item that is left, or the next `limit`; no page is fetched that they do not need. Raises APIError."""
        return list(itertools.islice(self, checked_limit(limit)))

    def close(self) -> None:
        """Fetch nothing more, and wait for the calls in flight."""
        self.pages.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


def checked_limit(limit: Any) -> int | None:
    """The limit of `all`. Raises ArgumentError."""
    if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 0):
        raise ArgumentError(f"`limit` must be a whole number, 0 or more; found {limit!r}")
    return limit
