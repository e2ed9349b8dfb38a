"""The moment that a frozen clock shows, and the threads and tasks that wait for a later one or are known to be at work."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet

LEASE = 0.02
"""Real seconds for which one thread or loop alone may look; bounded, since it may end without saying so."""


def whoever_runs() -> Any:
    """The running task, or the id of the thread if no task runs."""
    try:
        return asyncio.current_task() or threading.get_ident()
    except RuntimeError:
        return threading.get_ident()


@dataclass(eq=False, slots=True)
class ClockWait:
    """A thread or task that waits until a moment, or until `Timeline.end`; in both cases `wake` is called once.

    `place` is the event loop that a task waits in, None for a thread. `who` is the task, or the id of the thread.
    """

    until: float
    wake: Callable[[], None]
    place: Any
    who: Any = field(default_factory=whoever_runs)
    is_over: bool = False


class Timeline:
    """`now` only grows; `moves` counts what happened: jumps, and waits and work that began or ended."""

    def __init__(self) -> None:
        # Reentrant: a dropped answer may be finalized while this thread holds the lock, which cancels and ends a wait in it.
        self.lock = threading.RLock()
        self.now = 0.0
        self.moves = 0
        self._users = {threading.get_ident()}
        self._elders = WeakSet(threading.enumerate())
        self.waits_at: Counter[Any] = Counter()
        self._ends: list[tuple[float, int, ClockWait]] = []
        self._order = itertools.count()
        self._resuming = 0
        self._lease: tuple[Any, float] = (None, 0.0)
        self._at_work: Counter[Any] = Counter()
        self._waiting: Counter[Any] = Counter()

    def asked(self) -> float:
        """The moment; the calling thread counts as a user from now on. Takes no lock: a finalizer may ask at any point."""
        self._users.add(threading.get_ident())
        return self.now

    def users_alive(self) -> set[threading.Thread]:
        """The threads that may use the clock: its maker, those that asked for the time, and those that began after it."""
        return {each for each in threading.enumerate() if each.ident in self._users or each not in self._elders}

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Count the running thread or task as at work while the block runs, except while it waits on this clock."""
        who = whoever_runs()
        self._note(self._at_work, who, 1)
        try:
            yield
        finally:
            self._note(self._at_work, who, -1)

    @property
    def is_worked(self) -> bool:
        """Whether a thread or task is known to be at work: it has a request under way, or was woken and does not run yet."""
        with self.lock:
            return self._resuming > 0 or any(not self._waiting[who] for who in self._at_work)

    def begin(self, wait: ClockWait) -> None:
        """Count its thread or task as waiting from now on."""
        with self.lock:
            self._users.add(threading.get_ident())
            heapq.heappush(self._ends, (wait.until, next(self._order), wait))
            self._note(self.waits_at, wait.place, 1)
            self._note(self._waiting, wait.who, 1)

    def end(self, wait: ClockWait) -> None:
        """Wake its thread or task, which counts as at work until it calls `leave`."""
        with self.lock:
            if not wait.is_over:
                wait.is_over = True
                self._resuming += 1
                self._note(self.waits_at, wait.place, -1)
                self._note(self._waiting, wait.who, -1)
                wait.wake()

    def leave(self, wait: ClockWait) -> None:
        """Its thread or task runs again, because the wait was ended or because it was interrupted."""
        with self.lock:
            if wait.is_over:
                self._resuming -= 1
                self.moves += 1
            else:
                wait.is_over = True
                self._note(self.waits_at, wait.place, -1)
                self._note(self._waiting, wait.who, -1)

    def waiting_threads(self) -> set[int]:
        """The ids of the threads whose wait has not been ended."""
        with self.lock:
            return {who for who in self._waiting if isinstance(who, int)}

    def lets_look(self, watch: Any) -> bool:
        """Whether `watch` may look now. Only one looks at a time: several would take each other to be at work."""
        with self.lock:
            holder, until = self._lease
            now = time.monotonic()
            if holder is not watch and now < until:
                return False
            self._lease = (watch, now + LEASE)
            return True

    def stop_looking(self, watch: Any) -> None:
        """Let others look in place of `watch`."""
        with self.lock:
            if self._lease[0] is watch:
                self._lease = (None, 0.0)

    def is_the_only_place(self, place: Any) -> bool:
        """Whether every wait is in this event loop, and no thread or task is known to be at work."""
        with self.lock:
            return self.waits_at.total() == self.waits_at[place] and not self.is_worked

    def jump(self, seen: int) -> bool:
        """Go to the earliest moment of a wait, unless `moves` is not `seen` any more; False if no wait ends by itself."""
        with self.lock:
            while self._ends and self._ends[0][2].is_over:
                heapq.heappop(self._ends)
            if not self._ends or self._ends[0][0] == math.inf:
                return False
            if seen == self.moves:
                self.move_to(max(self.now, self._ends[0][0]))
            return True

    def move_to(self, moment: float) -> None:
        """Set the clock to the moment, and end the waits that are over by then, the earliest first."""
        with self.lock:
            self.now = moment
            self.moves += 1
            while self._ends and self._ends[0][0] <= moment:
                self.end(heapq.heappop(self._ends)[2])

    def _note(self, counter: Counter[Any], key: Any, change: int) -> None:
        with self.lock:
            self.moves += 1
            counter[key] += change
            if not counter[key]:
                del counter[key]


class Ticket:
    """What threads or tasks wait for on a frozen clock, until any thread grants it."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.is_granted = False
        self._waits: list[ClockWait] = []

    def grant(self) -> None:
        """End every wait for this ticket."""
        with self.timeline.lock:
            self.is_granted = True
            for wait in self._waits:
                self.timeline.end(wait)

    def begin(self, seconds: float, wake: Callable[[], None], place: Any) -> ClockWait | None:
        """Begin to wait for it, so many seconds at most; None if it was granted already."""
        with self.timeline.lock:
            if self.is_granted:
                return None
            wait = ClockWait(self.timeline.now + seconds, wake, place)
            self.timeline.begin(wait)
            self._waits.append(wait)
            return wait

    def leave(self, wait: ClockWait) -> None:
        """Take the wait off this ticket and the clock."""
        with self.timeline.lock:
            self.timeline.leave(wait)
            self._waits.remove(wait)
