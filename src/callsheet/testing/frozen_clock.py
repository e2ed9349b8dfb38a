"""A clock that stands still while a thread or task works, and jumps when all of them wait.

A thread or task that waits on the clock notes until when (`timeline.py`). Once all of them wait, the clock jumps to the
earliest of these moments and wakes those that wait for it. That all of them wait is

- certain if the program has one thread: as soon as it waits, the clock jumps;
- certain if only tasks of one event loop use the clock and the loop has nothing else to run (`waiting_tasks.py`);
- assumed if other threads are alive, once nothing has happened for some milliseconds (`idle_threads.py`).

A request that takes real time, such as one to an app in this process, holds the clock for a quarter of a second at most. So
a program that waits for something other than this clock never hangs; its times are only less exact.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from callsheet.testing.timeline import Timeline
from callsheet.testing.waiting_tasks import Tasks, TaskTicket
from callsheet.testing.waiting_threads import Threads, ThreadTicket

START = 1_767_225_600.0
"""2026-01-01 00:00:00 UTC, the time of day of a FrozenClock that is given none."""


class FrozenClock:
    """A clock for tests: it jumps as soon as all threads and tasks wait, so that waits take no real time and keep their order.

    A client with a FakeTransport uses that transport's clock; another client is given one: `Client(..., clock=clock,
    transport=...)`. `now()` begins at 0.0, `wall()` at `start`: a Unix timestamp, or a datetime with its offset from UTC, also
    as text in ISO 8601; by default 2026-01-01 00:00 UTC. Threads and tasks may share a clock. Raises ValueError for a `start`
    without an offset.
    """

    def __init__(self, start: float | str | datetime = START) -> None:
        self._start = _timestamp(start)
        self._timeline = Timeline()
        self._threads = Threads(self._timeline)
        self._tasks = Tasks(self._timeline)

    def now(self) -> float:
        """Seconds since the clock was made."""
        return self._timeline.asked()

    def wall(self) -> float:
        """The time of day as a Unix timestamp."""
        return self._start + self._timeline.now

    def advance(self, seconds: float) -> None:
        """Move the clock by so many seconds, and end the waits that are over by then. Raises ValueError below 0."""
        if not seconds >= 0:
            raise ValueError(f"advance: expected a number of seconds, 0 or more, found {seconds!r}")
        self._timeline.move_to(self._timeline.now + seconds)

    def sleep(self, seconds: float) -> None:
        """Wait in this thread, as `time.sleep` does, by this clock."""
        self.new_ticket().wait(seconds)

    async def asleep(self, seconds: float) -> None:
        """Wait in this task, as `asyncio.sleep` does, by this clock."""
        if seconds > 0:
            await self.new_task_ticket().wait(seconds)
        else:
            await asyncio.sleep(0)

    def new_ticket(self) -> ThreadTicket:
        """A ticket for threads: `wait(seconds)` returns when it is granted, or when the time is over."""
        return ThreadTicket(self._threads)

    def new_task_ticket(self) -> TaskTicket:
        """A ticket for tasks: `await wait(seconds)` returns when it is granted, or when the time is over."""
        return TaskTicket(self._tasks)

    def under_way(self) -> AbstractContextManager[None]:
        """Keep the clock from jumping while this thread or task does what takes real time, a quarter of a second at most."""
        return self._timeline.under_way()

    def __repr__(self) -> str:
        return f"<FrozenClock at {self._timeline.now:g} s, {datetime.fromtimestamp(self.wall(), UTC):%Y-%m-%d %H:%M:%S} UTC>"


def _timestamp(start: float | str | datetime) -> float:
    if isinstance(start, int | float):
        return float(start)
    moment = datetime.fromisoformat(start) if isinstance(start, str) else start
    if moment.tzinfo is None:
        raise ValueError(f"start: {start!s} has no offset from UTC; write it, as in `2026-01-01T00:00:00+00:00`")
    return moment.timestamp()
