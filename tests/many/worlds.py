"""Calls that end when a test says so, made by threads or by tasks, and one synchronous face for both."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

from callsheet.many.outcome import Outcome
from callsheet.many.tasks import map_in_tasks
from callsheet.many.threads import map_in_threads
from tests.loops import run

PATIENCE = 10.0
"""Seconds after which a wait is a failure."""


class Calls:
    """Calls of the rows 0, 1, 2 ...; each is held until it is opened, and then has the value `row * 10` or a fault."""

    def __init__(self, faults: Mapping[int, BaseException] | None = None) -> None:
        self.faults = faults or {}
        self.changed = threading.Condition()
        self.held: dict[int, Callable[[], None]] = {}
        self.begun: list[int] = []
        self.cancelled: list[int] = []
        self.outcomes: list[Outcome[int]] = []
        self.taken = 0
        self.most_ahead = 0
        self.most_in_flight = 0
        self.takers: set[int] = set()
        self.is_free = False

    def rows(self, count: int | None, end: BaseException | None = None) -> Iterator[int]:
        """So many rows, or rows without end; then the error."""
        while self.taken != count:
            self.takers.add(threading.get_ident())
            self.taken += 1
            self.most_ahead = max(self.most_ahead, self.taken - len(self.outcomes))
            yield self.taken - 1
        if end is not None:
            raise end

    def began(self, row: int, opener: Callable[[], None]) -> None:
        with self.changed:
            self.begun.append(row)
            self.held[row] = opener
            self.most_in_flight = max(self.most_in_flight, len(self.held))
            self.changed.notify_all()
            if self.is_free:
                opener()

    def ended(self, row: int) -> None:
        with self.changed:
            del self.held[row]
            self.changed.notify_all()

    def answer(self, row: int) -> int:
        if row in self.faults:
            raise self.faults[row]
        return row * 10

    def wait(self, fact: Callable[[], bool]) -> None:
        """Wait until a fact holds."""
        with self.changed:
            assert self.changed.wait_for(fact, PATIENCE), f"begun {self.begun}, held {sorted(self.held)}"

    def wait_for_begun(self, count: int) -> None:
        self.wait(lambda: len(self.begun) >= count)

    def open(self, row: int) -> None:
        """Let a call end as soon as it has begun, and wait until it has ended."""
        self.wait(lambda: row in self.begun)
        with self.changed:
            opener = self.held.get(row)
        if opener is not None:
            opener()
            self.wait(lambda: row not in self.held)

    def free(self) -> None:
        """Hold no call any longer."""
        with self.changed:
            self.is_free = True
            for opener in self.held.values():
                opener()


class Iteration:
    """Somebody who iterates over outcomes, in another thread."""

    def __init__(self, calls: Calls, consume: Callable[[Iteration], None]) -> None:
        self.calls = calls
        self.error: BaseException | None = None
        self.left_over: set[Any] = set()
        self._thread = threading.Thread(target=self._run, args=[consume], name="iteration", daemon=True)
        self._thread.start()

    def _run(self, consume: Callable[[Iteration], None]) -> None:
        try:
            consume(self)
        except BaseException as error:
            self.error = error

    def got(self, outcome: Outcome[int]) -> None:
        with self.calls.changed:
            self.calls.outcomes.append(outcome)
            self.calls.changed.notify_all()

    def wait_for_outcomes(self, count: int) -> None:
        self.calls.wait(lambda: len(self.calls.outcomes) >= count)

    def end(self) -> None:
        """Wait for its end, whatever is still held."""
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), f"held: {sorted(self.calls.held)}"


class Threads:
    """The blocking colour."""

    name = "threads"

    def iterate(
        self, calls: Calls, count: int | None, end: BaseException | None = None, most: int | None = None, **options: Any
    ) -> Iteration:
        """Iterate over the outcomes of so many rows; leave the loop after `most` outcomes and close."""

        def consume(iteration: Iteration) -> None:
            with map_in_threads(call_in_thread(calls), calls.rows(count, end), **options) as outcomes:
                for outcome in outcomes:
                    iteration.got(outcome)
                    if len(calls.outcomes) == most:
                        return

        return Iteration(calls, consume)


class Tasks:
    """The asyncio colour."""

    def __init__(self, loop: str, *, has_async_rows: bool) -> None:
        self.loop = loop
        self.has_async_rows = has_async_rows
        self.name = f"{loop}, async rows" if has_async_rows else loop

    def iterate(
        self, calls: Calls, count: int | None, end: BaseException | None = None, most: int | None = None, **options: Any
    ) -> Iteration:
        """Iterate over the outcomes of so many rows; leave the loop after `most` outcomes and close."""
        rows: Any = calls.rows(count, end)

        async def consume(iteration: Iteration) -> None:
            try:
                source = asynchronous(rows) if self.has_async_rows else rows
                async with map_in_tasks(call_in_task(calls), source, **options) as outcomes:
                    async for outcome in outcomes:
                        iteration.got(outcome)
                        if len(calls.outcomes) == most:
                            return
            finally:
                iteration.left_over = asyncio.all_tasks() - {asyncio.current_task()}

        return Iteration(calls, lambda iteration: run(consume(iteration), self.loop))


def call_in_thread(calls: Calls) -> Callable[[int], int]:
    def call(row: int) -> int:
        gate = threading.Event()
        calls.began(row, gate.set)
        gate.wait(PATIENCE)
        calls.ended(row)
        return calls.answer(row)

    return call


def call_in_task(calls: Calls) -> Callable[[int], Any]:
    async def call(row: int) -> int:
        loop, gate = asyncio.get_running_loop(), asyncio.Event()
        calls.began(row, lambda: loop.call_soon_threadsafe(gate.set) and None)
        try:
            await gate.wait()
        except asyncio.CancelledError:
            calls.cancelled.append(row)
            raise
        finally:
            calls.ended(row)
        return calls.answer(row)

    return call


async def asynchronous(rows: Iterator[int]) -> AsyncIterator[int]:
    for row in rows:
        await asyncio.sleep(0)
        yield row


WORLDS = (Threads(), *(Tasks(loop, has_async_rows=rows) for loop in ("asyncio", "uvloop") for rows in (False, True)))
