"""Services: what a client's user calls."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, Unpack

from callsheet.bare_frames import bared
from callsheet.client.breaker import BreakerControl
from callsheet.client.maker import CallMaker, RequestOptions
from callsheet.client.paged import AsyncPagedCalls, PagedCalls
from callsheet.engine.answer import Answer
from callsheet.engine.bared import bared_coroutine
from callsheet.engine.io import finish
from callsheet.engine.open_answer import OpenAnswer
from callsheet.engine.perform import open_stream, perform
from callsheet.engine.streamed import AsyncStreamedResponse, StreamedResponse
from callsheet.http.response import Response
from callsheet.many.download import Download, PathLike, Progress, Wish, download
from callsheet.many.outcome import OnError
from callsheet.many.patience import WAIT_UP_TO, PatientRows
from callsheet.many.row import Row
from callsheet.many.tasks import AsyncOutcomes, map_in_tasks
from callsheet.many.threads import Outcomes, map_in_threads
from callsheet.plan.plan import CacheOption, Given, HeaderValues, TimeoutLike

if TYPE_CHECKING:
    from callsheet.explain.explanation import Explanation

CONCURRENCY = 16
"""Calls of one `map` at once: enough to hide the latency of the network, far below the slots of a service."""


class _AnyCalls:
    """What can be asked of a service without sending anything, in both colours."""

    def _calls(self) -> CallMaker:
        raise NotImplementedError

    @bared
    def breaker(self, operation: str | None = None) -> BreakerControl:
        """The service's circuit breaker, or the one that an operation is under: to read its state, or to force it.

        Raises UsageError for an unknown operation, and where the breaker is off.
        """
        return self._calls().breaker(operation)

    @bared
    def explain(self, operation: str | None = None, *, calls: float | str = 100.0) -> Explanation:
        """Every effective setting of an operation (None: of undeclared requests), where it came from, and the worst case.

        `print` shows what `callsheet explain --all` prints, `as_dict()` is the same as data. `calls` are those of an outage: a number
        per second, or a rate such as `"600/min"`. Raises UsageError for an unknown operation, ArgumentError for such `calls`.
        """
        from callsheet.explain.explain import explained  # noqa: PLC0415 - most programs never ask

        return explained(self._calls().plans, operation, calls)

    def __reduce__(self) -> NoReturn:
        kind = type(self).__name__
        raise TypeError(f"a {kind} is neither copied nor pickled: it holds connections; make another of the same sheet")


class Calls(_AnyCalls, PagedCalls):
    """Calls of one service: declared operations by `call`, anything else by `get`, `post` ...

    Each raises an APIError of `callsheet.errors` when it fails; see there for which.
    """

    @bared
    def call(
        self,
        operation: str,
        arguments: Mapping[str, Any] | None = None,
        /,
        *,
        json: Any = None,
        timeout: TimeoutLike | None = None,
        headers: HeaderValues | None = None,
        idempotency_key: str | None = None,
        cache: CacheOption | None = None,
        raise_for_status: bool = True,
        **fields: Any,
    ) -> Any:
        """Call a declared operation and get its typed result.

        Arguments are given by name, or in a mapping where their names are those of options. `timeout` is in seconds.
        `cache` is `refresh` (ask anew, and store), `off`, `only` (what is stored, else a 504) or `no-store`.
        `raise_for_status=False` gives the Response instead, whatever its status. An operation with `stream: true` gives
        a StreamedResponse, to be closed.
        """
        calls = self._calls()
        call, plan = calls.declared(operation, arguments, fields, Given(headers, json, timeout, idempotency_key, cache))
        if call.request.is_stream:
            return StreamedResponse(finish(open_stream(call, plan, calls.io, raises=raise_for_status)))
        return calls.noted(finish(perform(call, plan, calls.io, raises=raise_for_status)), plan)

    @bared
    def call_with_response(
        self,
        operation: str,
        arguments: Mapping[str, Any] | None = None,
        /,
        *,
        json: Any = None,
        timeout: TimeoutLike | None = None,
        headers: HeaderValues | None = None,
        idempotency_key: str | None = None,
        cache: CacheOption | None = None,
        raise_for_status: bool = True,
        **fields: Any,
    ) -> Answer[Any]:
        """Call a declared operation and get both its typed result, `answer.value`, and the Response, `answer.response`.

        For header fields, the status, or how many attempts it took. Arguments and errors are those of `call`; with
        `raise_for_status=False` the value is the Response, too. Raises UsageError for an operation with `stream: true`,
        whose `call` gives the answer itself.
        """
        calls = self._calls()
        call, plan = calls.declared(operation, arguments, fields, Given(headers, json, timeout, idempotency_key, cache))
        calls.check_whole(call)
        return finish(perform(call, plan, calls.io, raises=raise_for_status))

    @bared
    def request(self, method: str, path: str, **options: Unpack[RequestOptions]) -> Response:
        """Send a request that no operation declares, under the service's settings."""
        return finish(self._calls().send(method, path, options)).value

    @bared
    def stream(self, method: str, path: str, **options: Unpack[RequestOptions]) -> StreamedResponse:
        """Send a request and read its answer as it comes: `with service.stream("GET", "/export") as answer:`."""
        return StreamedResponse(finish(self._calls().open(method, path, options)))

    @bared
    def map(
        self,
        operation: str,
        rows: Iterable[Mapping[str, Any] | Row],
        *,
        concurrency: int = CONCURRENCY,
        on_error: OnError = "raise",
        ordered: bool = True,
        wait_up_to: float | str | None = WAIT_UP_TO,
        **options: Any,
    ) -> Outcomes[Any]:
        """Call an operation for every row, `concurrency` at once, under the same policies: a mapping of arguments, or a Row.

        Gives the outcomes in the order of the rows, or as they come if not `ordered`: each has `row`, `index`, and `value` or
        `error`. Rows may be endless; at most twice `concurrency` are taken ahead. `on_error="raise"` raises the first error,
        `"keep"` leaves each in its outcome. A row's deadline starts when its call begins; a `concurrency` above the service's
        own lets calls wait for a slot. `options` are those of `call`, for all rows.

        A row that is refused because the service is down or throttles (breaker, learned limit, no connection) waits and is
        called again. After `wait_up_to` seconds (60; 0: no row waits; None: no limit) in which no row succeeded, the refusal
        is raised, whatever `on_error` says, with the `position` of the first row that is not done. A `deadline` around the
        iteration bounds it, too. Raises UsageError for an unknown operation, ArgumentError for one idempotency key for all
        rows, at once.
        """
        calls = self._calls()
        plan = calls.plans.plan(operation)
        patient = PatientRows(plan, calls.plans.operations[operation], calls.io, options, wait_up_to)

        async def made(arguments: Any, **own: Any) -> Any:
            return self.call(operation, arguments, **own)

        return map_in_threads(
            lambda row: finish(patient.value(row, made)),
            rows,
            concurrency=concurrency,
            on_error=on_error,
            ordered=ordered,
            when_stopped=partial(setattr, patient, "is_over", True),  # noqa: FBT003 that is setattr
        )

    @bared
    def download(
        self,
        path: str,
        to: PathLike,
        *,
        resume: bool = False,
        progress: Progress | None = None,
        max_bytes: int | None = None,
        **options: Unpack[RequestOptions],
    ) -> Download:
        """GET a file and write it to `to`, which it replaces once it is complete.

        A break raises NoAnswer and leaves nothing; with `resume=True` what came is kept beside `to`, and the next call goes
        on from there where the server allows. `progress` is called with the bytes so far and the total, or None.
        `max_bytes` bounds the file. Raises ArgumentError for a path in no folder, UsageError if another download writes
        the same file, OSError.
        """
        return finish(download(self._calls().source(path, options), to, Wish(resume, progress, max_bytes)))

    @bared
    def get(self, path: str, **options: Unpack[RequestOptions]) -> Response:
        """Send a GET."""
        return finish(self._calls().send("GET", path, options)).value

    @bared
    def head(self, path: str, **options: Unpack[RequestOptions]) -> Response:
        """Send a HEAD."""
        return finish(self._calls().send("HEAD", path, options)).value

    @bared
    def options(self, path: str, **options: Unpack[RequestOptions]) -> Response:
        """Send an OPTIONS."""
        return finish(self._calls().send("OPTIONS", path, options)).value

    @bared
    def post(self, path: str, **options: Unpack[RequestOptions]) -> Response:
        """Send a POST."""
        return finish(self._calls().send("POST", path, options)).value

    @bared
    def put(self, path: str, **options: Unpack[RequestOptions]) -> Response:
        """Send a PUT."""
        return finish(self._calls().send("PUT", path, options)).value

    @bared
    def patch(self, path: str, **options: Unpack[RequestOptions]) -> Response:
        """Send a PATCH."""
        return finish(self._calls().send("PATCH", path, options)).value

    @bared
    def delete(self, path: str, **options: Unpack[RequestOptions]) -> Response:
        """Send a DELETE."""
        return finish(self._calls().send("DELETE", path, options)).value


class AsyncCalls(_AnyCalls, AsyncPagedCalls):
    """Calls of one service from tasks: the methods of Calls, awaited."""

    @bared_coroutine
    async def call(
        self,
        operation: str,
        arguments: Mapping[str, Any] | None = None,
        /,
        *,
        json: Any = None,
        timeout: TimeoutLike | None = None,
        headers: HeaderValues | None = None,
        idempotency_key: str | None = None,
        cache: CacheOption | None = None,
        raise_for_status: bool = True,
        **fields: Any,
    ) -> Any:
        """Call a declared operation and get its typed result. See Service.call."""
        calls = self._calls()
        call, plan = calls.declared(operation, arguments, fields, Given(headers, json, timeout, idempotency_key, cache))
        if call.request.is_stream:
            return AsyncStreamedResponse(await open_stream(call, plan, calls.io, raises=raise_for_status))
        return calls.noted(await perform(call, plan, calls.io, raises=raise_for_status), plan)

    @bared_coroutine
    async def call_with_response(
        self,
        operation: str,
        arguments: Mapping[str, Any] | None = None,
        /,
        *,
        json: Any = None,
        timeout: TimeoutLike | None = None,
        headers: HeaderValues | None = None,
        idempotency_key: str | None = None,
        cache: CacheOption | None = None,
        raise_for_status: bool = True,
        **fields: Any,
    ) -> Answer[Any]:
        """Call a declared operation and get both its typed result and the Response. See Service.call_with_response."""
        calls = self._calls()
        call, plan = calls.declared(operation, arguments, fields, Given(headers, json, timeout, idempotency_key, cache))
        calls.check_whole(call)
        return await perform(call, plan, calls.io, raises=raise_for_status)

    @bared_coroutine
    async def request(self, method: str, path: str, **options: Unpack[RequestOptions]) -> Response:
        """Send a request that no operation declares, under the service's settings."""
        return (await self._calls().send(method, path, options)).value

    @bared
    def stream(
        self, method: str, path: str, **options: Unpack[RequestOptions]
    ) -> AbstractAsyncContextManager[AsyncStreamedResponse]:
        """Send a request and read its answer as it comes: `async with service.stream("GET", "/export") as answer:`."""
        return _Opening(partial(self._calls().open, method, path, options))

    @bared
    def map(
        self,
        operation: str,
        rows: Iterable[Mapping[str, Any] | Row] | AsyncIterable[Mapping[str, Any] | Row],
        *,
        concurrency: int = CONCURRENCY,
        on_error: OnError = "raise",
        ordered: bool = True,
        wait_up_to: float | str | None = WAIT_UP_TO,
        **options: Any,
    ) -> AsyncOutcomes[Any]:
        """Call an operation for every row, `concurrency` at once: `async for outcome in service.map(...)`.

        See Calls.map; rows may come from an async iterator, too.
        """
        calls = self._calls()
        plan = calls.plans.plan(operation)
        patient = PatientRows(plan, calls.plans.operations[operation], calls.io, options, wait_up_to)
        made = partial(self.call, operation)
        return map_in_tasks(
            lambda row: patient.value(row, made), rows, concurrency=concurrency, on_error=on_error, ordered=ordered
        )

    @bared_coroutine
    async def download(
        self,
        path: str,
        to: PathLike,
        *,
        resume: bool = False,
        progress: Progress | None = None,
        max_bytes: int | None = None,
        **options: Unpack[RequestOptions],
    ) -> Download:
        """GET a file and write it to `to`, which it replaces once it is complete. See Service.download."""
        return await download(self._calls().source(path, options), to, Wish(resume, progress, max_bytes))

    @bared_coroutine
    async def get(self, path: str, **options: Unpack[RequestOptions]) -> Response:
        """Send a GET."""
        return (await self._calls().send("GET", path, options)).value

    @bared_coroutine
    async def head(self, path: str, **options: Unpack[RequestOptions]) -> Response:
        """Send a HEAD."""
        return (await self._calls().send("HEAD", path, options)).value

    @bared_coroutine
    async def options(self, path: str, **options: Unpack[RequestOptions]) -> Response:
        """Send an OPTIONS."""
        return (await self._calls().send("OPTIONS", path, options)).value

    @bared_coroutine
    async def post(self, path: str, **options: Unpack[RequestOptions]) -> Response:
        """Send a POST."""
        return (await self._calls().send("POST", path, options)).value

    @bared_coroutine
    async def put(self, path: str, **options: Unpack[RequestOptions]) -> Response:
        """Send a PUT."""
        return (await self._calls().send("PUT", path, options)).value

    @bared_coroutine
    async def patch(self, path: str, **options: Unpack[RequestOptions]) -> Response:
        """Send a PATCH."""
        return (await self._calls().send("PATCH", path, options)).value

    @bared_coroutine
    async def delete(self, path: str, **options: Unpack[RequestOptions]) -> Response:
        """Send a DELETE."""
        return (await self._calls().send("DELETE", path, options)).value


class _Opening(AbstractAsyncContextManager[AsyncStreamedResponse]):
    """A stream that is opened by `async with`."""

    def __init__(self, open_answer: Callable[[], Awaitable[OpenAnswer]]) -> None:
        self._open_answer = open_answer
        self._answer: AsyncStreamedResponse | None = None

    @bared_coroutine
    async def __aenter__(self) -> AsyncStreamedResponse:
        self._answer = AsyncStreamedResponse(await self._open_answer())
        return self._answer

    async def __aexit__(self, *_exception: object) -> None:
        if self._answer is not None:
            await self._answer.aclose()


class _AnyService:
    """What the services of both colours are: a name, and operations to call."""

    def __init__(self, maker: CallMaker) -> None:
        self._maker = maker

    @property
    def name(self) -> str:
        """The service's name on the sheet."""
        return self._maker.name

    @property
    def operations(self) -> list[str]:
        """The names of the declared operations."""
        return list(self._maker.plans.operations)

    def _calls(self) -> CallMaker:
        return self._maker

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"


class Service(_AnyService, Calls):
    """One service of a Client."""


class AsyncService(_AnyService, AsyncCalls):
    """One service of an AsyncClient."""
