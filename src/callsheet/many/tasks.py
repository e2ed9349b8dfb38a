"""Many calls at once by tasks, for the asyncio client."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from functools import partial
from typing import Any, Generic, Self, TypeVar

from callsheet.bare_frames import bare
from callsheet.engine.bared import bared_coroutine
from callsheet.errors import APIError, ArgumentError, UsageError
from callsheet.many.outcome import BUSY, OnError, Outcome, T, check_options, is_kept, most_ahead, place
from callsheet.process.finalized import Finalized, nothing

R = TypeVar("R")
TakeRow = Callable[[], Awaitable[Any]]
NO_ROW: Any = object()
OTHER_LOOP = "this map was begun in another event loop, or before a fork, and its tasks run there; iterate over it where it was begun"


def map_in_tasks(
    call: Callable[[R], Awaitable[T]],
    rows: Iterable[R] | AsyncIterable[R],
    *,
    concurrency: int,
    on_error: OnError = "raise",
    ordered: bool = True,
    ahead: int | None = None,
) -> AsyncOutcomes[T]:
    """The outcomes of `await call(row)` for every row, with up to `concurrency` at once.

    They come in the order of the rows, or as the calls end if not `ordered`.

    Nothing begins before the first outcome is asked for. Rows may be endless: at most `ahead`, by default twice
    `concurrency`, are taken whose outcomes were not given. One task takes them all; each call runs in a task of its own,
    with a copy of the context variables. An error of the rows' own iterator is raised in its place. Raises ArgumentError.
    """
    check_options(concurrency, on_error)
    most = ahead or most_ahead(concurrency)
    return AsyncOutcomes(_Crew(call, _taker(rows), concurrency, on_error, most, ordered=ordered))


def _taker(rows: Any) -> TakeRow:
    """A function that gives the next row, or NO_ROW."""
    if isinstance(rows, AsyncIterable):
        each = aiter(rows)
        return lambda: anext(each, NO_ROW)
    if not isinstance(rows, Iterable):
        raise ArgumentError(f"`rows` must be an iterable or an async iterable; found {type(rows).__name__}")
    known = iter(rows)

    async def take() -> Any:
        return next(known, NO_ROW)

    return take


class AsyncOutcomes(Finalized, Generic[T]):
    """What `map` of an AsyncClient gives: an Outcome for each row. Iterate over it once, in one task.

    After `aclose`, an `async with` block, an error or a cancellation, none of its tasks is left. If it is dropped before its
    end, its tasks are cancelled.
    """

    def __init__(self, crew: _Crew[T]) -> None:
        self._crew = crew
        self._is_waiting = False
        self.__del__ = crew.abandon

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Outcome[T]:
        if self._is_waiting:
            raise UsageError(BUSY)
        self._is_waiting = True
        try:
            return await self._crew.next_outcome()
        except (Exception, asyncio.CancelledError):
            await self.aclose()
            raise
        finally:
            self._is_waiting = False

    async def aclose(self) -> None:
        """Begin no further call, cancel those that are in flight, and wait for their ends."""
        await self._crew.end()
        self.__del__ = nothing

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.aclose()


@bared_coroutine
async def running_loop() -> asyncio.AbstractEventLoop:
    """The loop that runs this. Raises UsageError if it is not one of asyncio."""
    return asyncio.get_running_loop()


class _Crew(Generic[T]):
    """One task that takes rows, and one task per call.

    They hold no reference to the `AsyncOutcomes`, so that it can be dropped while they work, which cancels them.
    """

    def __init__(
        self,
        call: Callable[[Any], Awaitable[T]],
        take_row: TakeRow,
        concurrency: int,
        on_error: OnError,
        most: int,
        *,
        ordered: bool,
    ) -> None:
        self._call = call
        self._take_row = take_row
        self._on_error = on_error
        self._free = asyncio.Semaphore(concurrency)
        self._room = asyncio.Semaphore(most)
        self._is_ordered = ordered
        self._next: asyncio.Queue[asyncio.Task[Outcome[T]] | BaseException] = asyncio.Queue()
        """The tasks in the order in which their outcomes are given, and at last what ended the rows."""
        self._not_given: set[int] = set()
        self._rows_end: BaseException | None = None
        self._in_flight: dict[int, asyncio.Task[Outcome[T]]] = {}
        self._feeder: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._has_failed = False
        self._is_stopped = False

    async def next_outcome(self) -> Outcome[T]:
        """Wait for the next outcome. Raises the error that ends the iteration, or StopAsyncIteration at its end."""
        self._end_if_stopped()
        loop = await running_loop()
        if self._loop not in (None, loop):
            raise UsageError(OTHER_LOOP)
        if self._loop is None:
            self._loop = loop
            self._feeder = self._loop.create_task(self._feed())
        task = await self._next_task()
        if not task.done():
            await asyncio.wait([task])
        self._end_if_stopped()
        self._room.release()
        try:
            outcome = task.result()
        except APIError as error:
            place(error, min(self._not_given))
            raise
        self._not_given.discard(outcome.index)
        return outcome

    async def _next_task(self) -> asyncio.Task[Outcome[T]]:
        """Wait for the task whose outcome comes next. Raises what ended the rows, after the outcomes of all that began."""
        while self._rows_end is None or self._not_given:
            task = await self._next.get()
            self._end_if_stopped()
            if isinstance(task, BaseException):
                self._rows_end = task
            elif self._is_ordered or not (self._has_failed and task.cancelled()):
                return task
        raise self._rows_end

    def _end_if_stopped(self) -> None:
        if self._is_stopped:
            raise StopAsyncIteration

    async def _feed(self) -> None:
        """Take rows and begin their calls, as long as there is room."""
        end: BaseException = StopAsyncIteration()
        try:
            for index in itertools.count():
                await self._room.acquire()
                await self._free.acquire()
                if self._has_failed:
                    return
                row = await self._take_row()
                if row is NO_ROW or self._has_failed:
                    return
                self._begin(row, index)
        except BaseException as error:
            end = error  # raised after the outcomes of the rows before it
            if not isinstance(error, Exception):
                raise
        finally:
            self._next.put_nowait(end)

    def _begin(self, row: Any, index: int) -> None:
        task = asyncio.create_task(self._carry_out(row, index))
        self._in_flight[index] = task
        task.add_done_callback(partial(self._ended, index))
        self._not_given.add(index)
        if self._is_ordered:
            self._next.put_nowait(task)

    async def _carry_out(self, row: Any, index: int) -> Outcome[T]:
        # No local name may hold the outcome: a traceback refers to this frame, and would keep a kept error alive.
        try:
            return Outcome(row, index, await self._call(row))
        except Exception as error:
            bare(error)
            if not is_kept(error, self._on_error):
                self._fail(index)
                del row
                raise
            return Outcome(row, index, error=error)  # type: ignore[arg-type]

    def _fail(self, index: int) -> None:
        """Begin no further call and cancel those after this row: their outcomes will not be given."""
        self._has_failed = True
        for later, task in list(self._in_flight.items()):
            if later > index:
                _cancel(task)

    def _ended(self, index: int, task: asyncio.Task[Outcome[T]]) -> None:
        del self._in_flight[index]
        self._free.release()
        if not self._is_ordered:
            self._next.put_nowait(task)
        if not task.cancelled():
            task.exception()  # looked at, or asyncio logs that it was never retrieved

    def _stop(self) -> list[asyncio.Task[Any]]:
        """Cancel every task that is not over, and return these."""
        self._is_stopped = True
        tasks: list[asyncio.Task[Any]] = list(self._in_flight.values())
        if self._feeder is not None and not self._feeder.done():
            tasks.append(self._feeder)
        for task in tasks:
            _cancel(task)
        return tasks

    async def end(self) -> None:
        """Cancel every task and wait for their end; not for tasks of another loop."""
        if self._loop is not None and self._loop is not asyncio.get_running_loop():
            self.abandon()
            return
        tasks = set(self._stop())
        if tasks and (others := tasks - {asyncio.current_task()}):
            await asyncio.wait(others)

    def abandon(self) -> None:
        """Cancel every task soon. Safe in a finalizer, in any thread, and after the loop was closed."""
        if self._loop is not None and not self._is_stopped:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop)


def _cancel(task: asyncio.Task[Any]) -> None:
    # A second cancellation would break into what the first one made the task clean up.
    if not task.cancelling():
        task.cancel()
