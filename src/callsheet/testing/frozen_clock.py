"""A clock that stands still while anybody works, and jumps when everybody waits.

Theory of operation. Whoever waits on the clock puts down until when. Of tasks, nobody can work while the event loop has
nothing ready: then the clock jumps to the earliest end there is. Of threads, that is certain only if no other thread
is alive; where there are others, a few milliseconds of real time without anybody coming or going must do, after which the
clock jumps. So a program that waits for something else than this clock is never stuck, only less exact.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import threading
from collections.abc import Callable

GRACE = 0.01
"""Seconds of real time without any event on the clock after which other threads are taken to be waiting, too."""
TURNS = 50
"""Turns of a foreign event loop, which does not tell whether it has anything ready, without an event on the clock."""
START = 1_767_225_600.0
"""2026-01-01 00:00:00 UTC: a time of day for tests that do not care."""


class FrozenClock:
    """Time for tests: no wait takes any, and everything happens in the order in which it would.

    Give it to a client (`Client(..., clock=clock, transport=fake)`) and to a fake transport. `now()` begins at 0.0,
    `wall()` at `start`, a Unix timestamp; `advance` moves both by hand. Safe for threads and for tasks of one event loop.
    """

    def __init__(self, start: float = START) -> None:
        self._start = start
        self._now = 0.0
        self._events = 0
        self._changed = threading.Condition()
        self._threads: list[float] = []
        self._tasks: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = itertools.count()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_watching = False

    def now(self) -> float:
        """Seconds since the clock was made."""
        return self._now

    def wall(self) -> float:
        """The time of day as a Unix timestamp."""
        return self._start + self._now

    def advance(self, seconds: float) -> None:
        """Let so much time pass; whoever waited for less goes on."""
        if not seconds >= 0:
            raise ValueError(f"advance: expected a number of seconds, 0 or more, found {seconds!r}")
        self._move_to(self._now + seconds)

    def sleep(self, seconds: float) -> None:
        """Have this thread go on later, on this clock."""
        self.wait_for(lambda: False, seconds)

    async def asleep(self, seconds: float) -> None:
        """Have this task go on later, on this clock."""
        await self.task_wait(None, seconds)

    def new_ticket(self) -> ThreadTicket:
        """A place in a queue that a thread waits for."""
        return ThreadTicket(self)

    def new_task_ticket(self) -> TaskTicket:
        """A place in a queue that a task waits for."""
        return TaskTicket(self)

    def wait_for(self, is_over: Callable[[], bool], seconds: float) -> bool:
        """Have a thread wait until it is over, or for so many seconds; whether it is."""
        until = self._now + max(seconds, 0.0)
        with self._changed:
            self._threads.append(until)
            self._tell()
            try:
                while not is_over() and self._now < until:
                    self._wait_or_jump()
            finally:
                self._threads.remove(until)
                self._tell()
        return is_over()

    def _wait_or_jump(self) -> None:
        """Jump once nobody can be at work; holds the lock."""
        seen = self._events
        alone = threading.active_count() == len(self._threads)
        if not alone and (self._changed.wait(GRACE) or self._events != seen):
            return
        self._jump()

    def _jump(self) -> None:
        self._drop_ended()
        waits = [*self._threads, *(entry[0] for entry in self._tasks[:1])]
        if waits:
            self._move_to(max(self._now, min(waits)))

    def _drop_ended(self) -> None:
        """Forget tasks that wait no longer, as far as they are the next to go on."""
        while self._tasks and self._tasks[0][2].done():
            heapq.heappop(self._tasks)

    def _move_to(self, moment: float) -> None:
        with self._changed:
            self._now = moment
            self._tell()
        if self._loop is not None and self._tasks:
            try:
                running = asyncio.get_running_loop()
            except RuntimeError:
                running = None
            if running is self._loop:
                self._wake_tasks()
            else:
                self._loop.call_soon_threadsafe(self._wake_tasks)

    def notify(self) -> None:
        """Have threads that wait look whether it is over."""
        with self._changed:
            self._tell()

    def _tell(self) -> None:
        self._events += 1
        self._changed.notify_all()

    async def task_wait(self, ready: asyncio.Future[None] | None, seconds: float) -> None:
        """Have a task wait for the future, or for so many seconds."""
        self._loop = asyncio.get_running_loop()
        ends: asyncio.Future[None] = self._loop.create_future()
        heapq.heappush(self._tasks, (self._now + max(seconds, 0.0), next(self._count), ends))
        self._events += 1
        self._watch()
        try:
            await asyncio.wait([ends] if ready is None else [ends, ready], return_when=asyncio.FIRST_COMPLETED)
        finally:
            ends.cancel()
            self._events += 1

    def _watch(self) -> None:
        if not self._is_watching and self._loop is not None:
            self._is_watching = True
            self._loop.call_soon(self._look, self._events, TURNS)

    def _look(self, seen: int, turns: int) -> None:
        """Jump once the loop has nothing else to do; ask again in its next turn otherwise."""
        self._is_watching = False
        self._drop_ended()
        if not self._tasks or self._loop is None:
            return
        ready = getattr(self._loop, "_ready", None)
        is_idle = (not ready) if ready is not None else turns == 0 and seen == self._events
        if is_idle:
            with self._changed:
                self._jump()
        self._is_watching = True
        left = turns - 1 if seen == self._events and turns else TURNS
        self._loop.call_soon(self._look, self._events, left)

    def _wake_tasks(self) -> None:
        while self._tasks and self._tasks[0][0] <= self._now:
            ends = heapq.heappop(self._tasks)[2]
            if not ends.done():
                ends.set_result(None)

    def __repr__(self) -> str:
        return f"<FrozenClock at {self._now:g} s>"


class ThreadTicket:
    """A place in a queue, waited for by a thread."""

    def __init__(self, clock: FrozenClock) -> None:
        self._clock = clock
        self.is_granted = False

    def grant(self) -> None:
        """Let the waiter go on."""
        self.is_granted = True
        self._clock.notify()

    def wait(self, seconds: float) -> bool:
        """Whether it was granted in time."""
        return self._clock.wait_for(lambda: self.is_granted, seconds)


class TaskTicket:
    """A place in a queue, waited for by a task."""

    def __init__(self, clock: FrozenClock) -> None:
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[None] = self._loop.create_future()
        self.is_granted = False

    def grant(self) -> None:
        """Let the waiter go on."""
        self.is_granted = True
        try:
            self._loop.call_soon_threadsafe(self._wake)
        except RuntimeError:  # the loop is closed: nobody waits any more
            pass

    def _wake(self) -> None:
        if not self._future.done():
            self._future.set_result(None)

    async def wait(self, seconds: float) -> bool:
        """Whether it was granted in time."""
        if not self.is_granted:
            await self._clock.task_wait(self._future, seconds)
        return self.is_granted
