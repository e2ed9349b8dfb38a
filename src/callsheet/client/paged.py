"""The walks over pages that a client's user begins, for both colours."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from callsheet.bare_frames import bared
from callsheet.engine.perform import perform
from callsheet.errors import APIError, ArgumentError, UsageError
from callsheet.many import positions
from callsheet.many.page_guess import guessed
from callsheet.many.page_tasks import AheadInTasks, AsyncItems, AsyncPages
from callsheet.many.page_threads import AheadInThreads, Items, Pages
from callsheet.many.page_walk import OnPage, PageOptions, PageWalk
from callsheet.many.pages import PageAnswer, Walker
from callsheet.plan.next_link import resolved
from callsheet.plan.pages import PageRequests
from callsheet.plan.plan import Given, HeaderValues, TimeoutLike

if TYPE_CHECKING:
    from callsheet.client.maker import CallMaker


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
        options = PageOptions(from_position, on_page, prefetch, concurrency, timeout_total)
        requests = requests_of(self._calls(), operation, _merged(arguments, fields), Given(headers, json, timeout))
        return Items(Pages(begun(self._calls(), requests, options, AheadInThreads), on_page, prefetch))

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
        return AsyncItems(AsyncPages(begun(self._calls(), requests, options, AheadInTasks), on_page, prefetch))

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


def begun(calls: CallMaker, requests: PageRequests, options: PageOptions, ahead: type[Any]) -> PageWalk[Any]:
    """A walk that makes these requests; nothing was sent. Raises ArgumentError."""
    pages, plan = requests.pages, requests.pages.plan
    name = f"{plan.service}.{plan.operation}"
    walker = Walker(pages.settings, requests.start, requests.size)
    try:
        options.check(walker)
        longest = options.longest(walker)
        if options.from_position is None:
            start = walker.first()
            requests.at(start.at)  # so that arguments that do not fit are told at once
        else:
            start = positions.read(options.from_position, name, pages.settings)
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

    return PageWalk(
        walker,
        fetch,
        start,
        name,
        shown=plan.label,
        now=calls.io.now,
        longest=longest,
        ahead=(lambda numbers: ahead(fetch, numbers, options.concurrency)) if options.concurrency > 1 else None,
    )


def _merged(arguments: Any, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a mapping and those given by name. Raises ArgumentError."""
    if arguments is not None and not isinstance(arguments, Mapping):
        raise ArgumentError(f"arguments: expected a mapping from name to value, found {type(arguments).__name__}")
    for name in ("idempotency_key", "raise_for_status"):
        if name in fields:
            raise ArgumentError(f"`{name}` belongs to one call, and a walk over pages makes many; leave it out")
    return {**(arguments or {}), **fields}
