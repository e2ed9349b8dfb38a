"""The walks over pages that a client's user begins, for both colours."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import partial
from typing import Any

from callsheet.bare_frames import bared
from callsheet.client.maker import CallMaker, mapping
from callsheet.engine.perform import perform
from callsheet.errors import APIError, ArgumentError, UsageError
from callsheet.many import positions
from callsheet.many.page_guess import guessed
from callsheet.many.page_tasks import AheadInTasks, AsyncItems, AsyncPages
from callsheet.many.page_threads import AheadInThreads, Items, Pages
from callsheet.many.page_walk import Ahead, OnPage, PageFeed, PageOptions, PageWalk
from callsheet.many.pages import PageAnswer, Walker
from callsheet.many.positions import Position
from callsheet.plan.next_link import resolved
from callsheet.plan.pages import PageRequests
from callsheet.plan.plan import Given, HeaderValues, TimeoutLike


class PagedCalls:
    """The walks of a blocking client over the pages of operations that declare `paginate`."""

    def _calls(self) -> CallMaker:
        raise NotImplementedError

    @bared
    def items(
        self,
        operation: str,
        arguments: Mapping[str, Any] | None = None,
        /,
        *,
        from_position: str | None = None,
        on_page: OnPage | None = None,
        prefetch: int = 0,
        concurrency: int = 1,
        timeout_total: float | str | None = None,
        json: Any = None,
        timeout: TimeoutLike | None = None,
        headers: HeaderValues | None = None,
        **fields: Any,
    ) -> Items[Any]:
        """Every item of an operation that declares `paginate`, page by page: `for user in shop.items("list_users"):`.

        Each page is a call of its own, with its own `timeout`, retries and limits; `timeout_total` bounds the walk.
        `on_page` is told where to go on after each page that was used up, None at the end, and `from_position` goes on there.
        `prefetch` pages are fetched ahead; `concurrency` at once, once the first one says how many there are.

        Raises UsageError for an operation without pages and ArgumentError at once; a page's APIError carries its `position`.
        """
        if inspect.iscoroutinefunction(on_page):
            raise ArgumentError("`on_page` of a Client must be a plain function: nothing would await what it returns")
        options = PageOptions(from_position, on_page, prefetch, concurrency, timeout_total)
        requests = requests_of(self._calls(), operation, _merged(arguments, fields), Given(headers, json, timeout))
        return Items(Pages(begun(self._calls(), requests, options, AheadInThreads)))

    @bared
    def pages(self, operation: str, arguments: Mapping[str, Any] | None = None, /, **options: Any) -> Pages[Any]:
        """Every page of an operation, with its items, response and position. Arguments, options and errors are those of `items`."""
        return self.items(operation, arguments, **options).pages


class AsyncPagedCalls:
    """The walks of an asyncio client."""

    def _calls(self) -> CallMaker:
        raise NotImplementedError

    @bared
    def items(
        self,
        operation: str,
        arguments: Mapping[str, Any] | None = None,
        /,
        *,
        from_position: str | None = None,
        on_page: OnPage | None = None,
        prefetch: int = 0,
        concurrency: int = 1,
        timeout_total: float | str | None = None,
        json: Any = None,
        timeout: TimeoutLike | None = None,
        headers: HeaderValues | None = None,
        **fields: Any,
    ) -> AsyncItems[Any]:
        """Every item of an operation, page by page: `async for user in shop.items("list_users"):`. See Service.items.

        `on_page` may be a coroutine function.
        """
        options = PageOptions(from_position, on_page, prefetch, concurrency, timeout_total)
        requests = requests_of(self._calls(), operation, _merged(arguments, fields), Given(headers, json, timeout))
        return AsyncItems(AsyncPages(begun(self._calls(), requests, options, AheadInTasks)))

    @bared
    def pages(self, operation: str, arguments: Mapping[str, Any] | None = None, /, **options: Any) -> AsyncPages[Any]:
        """Every page of an operation: `async for page in shop.pages("list_users"):`. See Service.pages."""
        return self.items(operation, arguments, **options).pages


def requests_of(calls: CallMaker, operation: str, arguments: Mapping[str, Any], given: Given) -> PageRequests:
    """The requests of a walk. Raises UsageError for an operation that declares no pages, and says how to declare them."""
    pages = calls.plans.pages(operation)
    if pages is not None:
        return PageRequests(pages, arguments, given)
    last = calls.last.get(operation)
    why = "its last answer looks like that" if last is not None else "call it once, and this guesses from its answer"
    message = f"operation `{operation}` declares no pages; write `paginate: {guessed(last)}` at it ({why})"
    raise UsageError(message, service=calls.name, operation=operation)


def start_of(requests: PageRequests, from_position: str | None) -> Position:
    """Where a walk begins. Raises ArgumentError."""
    settings, plan = requests.pages.settings, requests.pages.plan
    if from_position is None:
        return Walker(settings, requests.start, requests.size).first()
    return positions.read(from_position, f"{plan.service}.{plan.operation}", settings)


def begun(calls: CallMaker, requests: PageRequests, options: PageOptions, ahead: type[Ahead]) -> PageFeed[Any]:
    """A walk that makes these requests; nothing was sent. Raises ArgumentError."""
    pages, plan = requests.pages, requests.pages.plan
    name = f"{plan.service}.{plan.operation}"
    walker = Walker(pages.settings, requests.start, requests.size)
    try:
        options.check(walker)
        longest = options.longest(walker)
        start = start_of(requests, options.from_position)
        if options.from_position is None:
            requests.at(start.at)  # so that arguments that do not fit are told at once
    except APIError as error:
        calls.name_error(error, plan)
        raise

    async def fetch(at: Any) -> PageAnswer:
        call = calls.begin_page(plan, partial(requests.at, at), requests.given, requests.arguments)
        answer = await perform(call, plan, calls.io, raises=True)
        assert answer.response is not None
        requests.mask = answer.response.masked
        resolve = partial(resolved, request=call.request, response=answer.response)
        return PageAnswer(answer.response, answer.value, resolve(call.request.wire_url), resolve)

    def fetch_at_once(numbers: range) -> Ahead:
        return ahead(fetch, numbers, options.concurrency, None)

    walk: PageWalk[Any] = PageWalk(
        walker,
        fetch,
        start,
        name,
        shown=plan.label,
        now=calls.io.now,
        longest=longest,
        begin_ahead=fetch_at_once if options.concurrency > 1 else None,
    )
    return PageFeed(walk, options, ahead)


def _merged(arguments: Any, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a mapping and those given by name. Raises ArgumentError."""
    for name in ("idempotency_key", "raise_for_status"):
        if name in fields:
            raise ArgumentError(f"`{name}` belongs to one call, and a walk over pages makes many; leave it out")
    return {**mapping(arguments or {}), **fields}
