"""The moment that a frozen clock shows, who waits for a later one, and who is known to be at work."""

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
from typing import Any
from weakref import WeakSet

from callsheet.process.forked import new_lock

LEASE = 0.02
"""Real seconds for which nobody else looks around; more than one look needs, for who looks may end without a word."""


class ClockWait:
    """Somebody waits until a moment, or until it is ended before; either way `wake` is called once.

    `place` is the event loop that a task waits in, None for a thread. `who` is the task or thread.
    """

    __slots__ = ("is_over", "place", "until", "wake", "who")

    def __init__(self, until: float, wake: Callable[[], None], place: Any) -> None:
        self.until = until
        self.wake = wake
        self.place = place
        self.who = whoever_runs()
        self.is_over = False


def whoever_runs() -> Any:
    """The running task, or the thread where there is none."""
    try:
        return asyncio.current_task() or threading.get_ident()
    except RuntimeError:
        return threading.get_ident()


class Timeline:
    """`now` only grows; `moves` counts what happened: waits that began or ended, work that did, jumps."""

    def __init__(self) -> None:
        # An answer that is dropped may be finalized in here, and a wait that is cancelled by that ends in this very thread.
        self.lock = new_lock(threading.RLock)
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
        """The moment, for a thread that thereby becomes a user. Takes no lock: a finalizer may ask anywhere."""
        self._users.add(threading.get_ident())
        return self.now

    def users_alive(self) -> set[threading.Thread]:
        """The thread that made it, those that have asked for the time, and those that began since, which may be about to."""
        return {each for each in threading.enumerate() if each.ident in self._users or each not in self._elders}

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Whoever runs is at work, but for when it waits here."""
        who = whoever_runs()
        self._note(self._at_work, who, 1)
        try:
            yield
        finally:
            self._note(self._at_work, who, -1)

    @property
    def is_worked(self) -> bool:
        """Whether anybody is known to be at work: with a request under way, or woken and not yet running."""
        with self.lock:
            return self._resuming > 0 or any(not self._waiting[who] for who in self._at_work)

    def begin(self, wait: ClockWait) -> None:
        """Somebody waits from now on."""
        with self.lock:
            self._users.add(threading.get_ident())
            heapq.heappush(self._ends, (wait.until, next(self._order), wait))
            self._note(self.waits_at, wait.place, 1)
            self._note(self._waiting, wait.who, 1)

    def end(self, wait: ClockWait) -> None:
        """It need wait no longer; until it runs, it is at work."""
        with self.lock:
            if not wait.is_over:
                wait.is_over = True
                self._resuming += 1
                self._note(self.waits_at, wait.place, -1)
                self._note(self._waiting, wait.who, -1)
                wait.wake()

    def leave(self, wait: ClockWait) -> None:
        """It runs again, because its wait was ended or because it was interrupted."""
        with self.lock:
            if wait.is_over:
                self._resuming -= 1
                self.moves += 1
            else:
                wait.is_over = True
                self._note(self.waits_at, wait.place, -1)
                self._note(self._waiting, wait.who, -1)

    def waiting_threads(self) -> set[int]:
        """Those whose wait has not been ended."""
        with self.lock:
            return {who for who in self._waiting if isinstance(who, int)}

    def lets_look(self, watch: Any) -> bool:
        """Whether it is this one that looks around now: several would take each other to be at work."""
        with self.lock:
            holder, until = self._lease
            now = time.monotonic()
            if holder is not watch and now < until:
                return False
            self._lease = (watch, now + LEASE)
            return True

    def stop_looking(self, watch: Any) -> None:
        """Leave it to others."""
        with self.lock:
            if self._lease[0] is watch:
                self._lease = (None, 0.0)

    def is_the_only_place(self, place: Any) -> bool:
        """Whether all who wait do so there, and nobody is known to be at work."""
        with self.lock:
            return self.waits_at.total() == self.waits_at[place] and not self.is_worked

    def jump(self, seen: int) -> bool:
        """Go to the earliest moment somebody waits for, unless something happened after `seen`; false if there is none."""
        with self.lock:
            while self._ends and self._ends[0][2].is_over:
                heapq.heappop(self._ends)
            if not self._ends or self._ends[0][0] == math.inf:
                return False
            if seen == self.moves:
                self.move_to(max(self.now, self._ends[0][0]))
            return True

    def move_to(self, moment: float) -> None:
        """Go there, and wake whoever waits for no later moment, in the order of theirs."""
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
    """Something to wait for on a frozen clock; it may be granted from any thread."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.is_granted = False
        self._waits: list[ClockWait] = []

    def grant(self) -> None:
        """Let whoever waits go on."""
        with self.timeline.lock:
            self.is_granted = True
            for wait in self._waits:
                self.timeline.end(wait)

    def begin(self, seconds: float, wake: Callable[[], None], place: Any) -> ClockWait | None:
        """Somebody waits for it, from now on and for so many seconds; nothing if it was granted."""
        with self.timeline.lock:
            if self.is_granted:
                return None
            wait = ClockWait(self.timeline.now + seconds, wake, place)
            self.timeline.begin(wait)
            self._waits.append(wait)
            return wait

    def leave(self, wait: ClockWait) -> None:
        """It waits no longer."""
        with self.timeline.lock:
            self.timeline.leave(wait)
            self._waits.remove(wait)
