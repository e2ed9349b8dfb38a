"""A clock that stands still while anybody works, and jumps when everybody waits.

Theory of operation. Whoever waits on the clock puts down until when (`timeline.py`). Once all wait, it jumps to the earliest
of these moments and wakes who waits for it; nobody else moves it. Whether all wait is

- certain for the only thread of a program: its wait is the jump;
- certain for the tasks of one event loop: none of them can be at work while the loop has nothing else to run
  (`waiting_tasks.py`);
- taken to be so where other threads are alive, after some milliseconds in which nothing happened (`idle_threads.py`).

A request that is under way outside the clock, as to an app in this process, holds it for a while. So a program that waits
for something else than this clock is never stuck, only less exact.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from callsheet.testing.timeline import Timeline
from callsheet.testing.waiting_tasks import Tasks, TaskTicket
from callsheet.testing.waiting_threads import Threads, ThreadTicket

START = 1_767_225_600.0
"""2026-01-01 00:00:00 UTC: a time of day for tests that do not care."""


class FrozenClock:
    """Time for tests: it stands still, and jumps once everybody waits, so that no wait takes any time and all happens in order.

    A client with a FakeTransport goes by that transport's clock; any other is given one: `Client(..., clock=clock,
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
        """Let so many seconds pass at once; waits that are over by then end. Raises ValueError for fewer than 0."""
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
        """Something that threads wait for: `wait(seconds)` says whether it was granted in time."""
        return ThreadTicket(self._threads)

    def new_task_ticket(self) -> TaskTicket:
        """Something that tasks wait for."""
        return TaskTicket(self._tasks)

    def under_way(self) -> AbstractContextManager[None]:
        """Hold the clock while this thread or task does what takes real time, a quarter of a second at most."""
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
