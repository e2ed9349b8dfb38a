"""A walk over pages: asks the walker where the next page is, has it fetched, and gives it. Written once for both colours."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from callsheet.ambient import until
from callsheet.errors import APIError, ArgumentError, DeadlinePassed
from callsheet.http.response import Response
from callsheet.many.pages import PageAnswer, Walker
from callsheet.many.positions import Position, written
from callsheet.sheet.forms.quantities import seconds

T = TypeVar("T")
OnPage = Callable[[str | None], object]
"""A function that is told where to go on once a page was used up: its text is for `from_position`; None at the end."""
Fetch = Callable[[Any], Coroutine[Any, Any, PageAnswer]]
"""Makes the call of the page at a position: a number, cursor or URL, None for the first."""


class Page(Generic[T]):
    """One page of a walk: its `items`, in the order of the answer, and the `response` that they were read from.

    `number` counts the pages of the walk from 1, `total` is the number of all items if the answer tells it.
    """

    __slots__ = ("_at", "_next", "_text", "items", "number", "response", "total")

    def __init__(
        self,
        answer: PageAnswer,
        at: Position,
        following: Position | None,
        total: int | None,
        text: Callable[[Position, Response], str],
    ) -> None:
        self.items: list[T] = answer.content.items
        self.response: Response = answer.response
        self.number: int = at.number
        self.total: int | None = total
        self._at = at
        self._next = following
        self._text = text

    @property
    def position(self) -> str:
        """Where this page is: a text for `from_position`."""
        return self._text(self._at, self.response)

    @property
    def next_position(self) -> str | None:
        """Where the next page is, None at the last one."""
        return None if self._next is None else self._text(self._next, self.response)

    def __repr__(self) -> str:
        return f"<Page {self.number}: {len(self.items)} items>"


class PageOptions(NamedTuple):
    """What `items` and `pages` can be asked for beside the arguments of the operation."""

    from_position: str | None = None
    on_page: OnPage | None = None
    prefetch: int = 0
    concurrency: int = 1
    timeout_total: float | str | None = None

    def check(self, walker: Walker) -> None:
        """Raise ArgumentError unless each option can be used with these pages."""
        numbers: tuple[tuple[str, Any, int], ...] = (
            ("prefetch", self.prefetch, 0),
            ("concurrency", self.concurrency, 1),
        )
        for name, value, least in numbers:
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ArgumentError(f"`{name}` must be a whole number, {least} or more; found {value!r}")
        if self.on_page is not None and not callable(self.on_page):
            raise ArgumentError(f"`on_page` must be a function of a position; found {type(self.on_page).__name__}")
        settings = walker.settings
        if self.concurrency > 1 and not settings.is_number:
            raise ArgumentError(
                f"`concurrency`: pages by `{settings.kind}` are known one after the other; use `prefetch`"
            )
        if self.concurrency > 1 and settings.total is None and settings.total_pages is None:
            raise ArgumentError("`concurrency`: nothing says how many pages there are; write `total` into `paginate`")

    def longest(self, walker: Walker) -> tuple[float, str] | None:
        """The seconds that the walk may take and what says so; None without a bound. Raises ArgumentError."""
        given, bounds = self.timeout_total, []
        if given is not None:
            found = seconds(given)
            if found is None:
                raise ArgumentError(
                    f"timeout_total: expected a number of seconds, or a text such as `5m`, found {given!r}"
                )
            bounds.append((found, "timeout_total"))
        if walker.settings.max_time is not None:
            bounds.append((walker.settings.max_time, "paginate.max_time"))
        return min(bounds, default=None)


class Ahead(Protocol):
    """Answers that are fetched at once, given in order."""

    async def take(self) -> PageAnswer | None:
        """The next answer; None if no more come. Raises the error in its place."""

    async def close(self) -> None:
        """Begin nothing more."""


class PageWalk(Generic[T]):
    """The pages of a walk, one by one. A page that failed is tried again if the walk is asked again.

    `name` is `service.operation`, `shown` what errors call it, `ahead` begins to fetch several numbers at once.
    """

    def __init__(
        self, walker: Walker, fetch: Fetch, start: Position, name: str, *, shown: str,
        now: Callable[[], float], longest: tuple[float, str] | None,
        ahead: Callable[[range], Ahead] | None,
    ) -> None:  # fmt: skip
        self._walker = walker
        self._fetch = fetch
        self._at: Position | None = start
        self._name = name
        self._shown = shown
        self._now = now
        self._longest = longest
        self._deadline: float | None = None
        self._begin_ahead = ahead
        self._ahead: Ahead | None = None
        self._coming = range(0)
        self._last: Response | None = None

    async def next(self) -> Page[T] | None:
        """The next page, None after the last. Raises APIError, which carries the position of the page that failed."""
        at = self._at
        if at is None:
            return None
        try:
            if self._last is not None:
                self._walker.admit(at, self._last)
            answer = await self._answer(at)
            following, total = self._walker.after(at, answer), self._walker.count("total", answer)
            self._walker.check(at, answer)
        except APIError as error:
            self._complete(error, at)
            await self.close()
            raise
        self._at, self._last = following, answer.response
        if following is None:
            await self.close()
        elif self._begin_ahead is not None and self._ahead is None:
            self._coming = self._walker.known_positions(at, answer)
            self._ahead = self._begin_ahead(self._coming) if self._coming else None
        return Page(answer, at, following, total, self._text)

    def _text(self, position: Position, last: Response | None) -> str:
        """The position as a text; what the service told back of secrets is masked."""
        if isinstance(position.at, str) and last is not None:
            position = position._replace(at=last.masked(position.at))
        return written(position, self._name, self._walker.settings.kind)

    async def _answer(self, at: Position) -> PageAnswer:
        if self._longest is None:
            return await self._fetched(at)
        longest, name = self._longest
        now = self._now()
        if self._deadline is None:
            self._deadline = now + longest
        if now >= self._deadline:
            message = f"the walk was not done within {longest:g} s ({name})"
            raise DeadlinePassed(message, stopped_by="deadline")
        token = until.set(min(until.get(), self._deadline))
        try:
            return await self._fetched(at)
        finally:
            until.reset(token)

    async def _fetched(self, at: Position) -> PageAnswer:
        """The answer for a position: the one that is on its way already, else by a call of its own."""
        if self._ahead is not None:
            if self._coming and self._coming[0] == at.at:
                self._coming = self._coming[1:]
                found = await self._ahead.take()
                if found is not None:
                    return found
            # The pages are not where the first one said that they would be: one after the other, from here on.
            await self.close()
            self._begin_ahead = None
        return await self._fetch(at.at)

    def _complete(self, error: APIError, at: Position) -> None:
        """Put on an error which page of which walk it is about."""
        told = str(error)
        if error.operation is None:
            error.service, _, error.operation = self._name.partition(".")
            told = f"{self._shown}: {told}"
        error.position = self._text(at, self._last)
        error.args = (f"{told} (page {at.number})",)

    async def close(self) -> None:
        """Begin nothing more of what was asked for ahead."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            await ahead.close()
