"""How threads wait on a frozen clock: the one that has waited longest looks whether it may jump."""

from __future__ import annotations

import threading

from callsheet.testing.idle_threads import PAUSE, Quiet
from callsheet.testing.timeline import LEASE, ClockWait, Ticket, Timeline

LOOK_UP = 0.05
"""Real seconds after which a wait looks for Ctrl-C, and whether it has become the one that looks at the clock."""


class Threads:
    """The threads that wait on one timeline, in the order they came."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self._signals: dict[ClockWait, threading.Event] = {}

    def block(self, wait: ClockWait, signal: threading.Event) -> None:
        """Have the running thread wait until it is woken."""
        with self.timeline.lock:
            self._signals[wait] = signal
        try:
            quiet = Quiet(self.timeline)
            while not wait.is_over:
                signal.wait(self._pause(wait, quiet))
                signal.clear()
        finally:
            self._leave(wait)

    def _leave(self, wait: ClockWait) -> None:
        with self.timeline.lock:
            del self._signals[wait]
            follower = next(iter(self._signals.values()), None)
            if follower is None:
                self.timeline.stop_looking(self)
            else:
                follower.set()  # from now on it is the one that looks

    def _pause(self, wait: ClockWait, quiet: Quiet) -> float:
        """Real seconds to wait for the signal, after a jump if there may be one."""
        with self.timeline.lock:
            if next(iter(self._signals)) is not wait:
                return LOOK_UP
        if not quiet.is_certain():
            if not self.timeline.lets_look(self):
                return LEASE / 2
            if not quiet.is_over():
                return PAUSE
        return PAUSE if self.timeline.jump(quiet.seen) else LOOK_UP


class ThreadTicket(Ticket):
    """Something that threads wait for."""

    def __init__(self, threads: Threads) -> None:
        super().__init__(threads.timeline)
        self._threads = threads

    def wait(self, seconds: float) -> bool:
        """Whether it was granted in time."""
        signal = threading.Event()
        wait = self.begin(seconds, signal.set, None) if seconds > 0 else None
        if wait is not None:
            try:
                self._threads.block(wait, signal)
            finally:
                self.leave(wait)
        return self.is_granted
