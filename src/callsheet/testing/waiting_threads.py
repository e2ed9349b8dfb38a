"""How threads wait on a frozen clock: the thread that has waited longest looks whether the clock may jump."""

from __future__ import annotations

import threading

from callsheet.testing.idle_threads import PAUSE, Quiet
from callsheet.testing.timeline import LEASE, ClockWait, Ticket, Timeline

LOOK_UP = 0.05
"""Real seconds after which a waiting thread looks for Ctrl-C, and whether it now is the one that looks at the clock."""


class Threads:
    """The threads that wait on one timeline, in the order in which they began."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self._signals: dict[ClockWait, threading.Event] = {}

    def block(self, wait: ClockWait, signal: threading.Event) -> None:
        """Block the running thread until the wait is over."""
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
        """Let the clock jump if it may; the real seconds to wait for the signal then."""
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
    """What threads wait for on a frozen clock."""

    def __init__(self, threads: Threads) -> None:
        super().__init__(threads.timeline)
        self._threads = threads

    def wait(self, seconds: float) -> bool:
        """Wait until it is granted, so many seconds at most; whether it was granted."""
        signal = threading.Event()
        wait = self.begin(seconds, signal.set, None) if seconds > 0 else None
        if wait is not None:
            try:
                self._threads.block(wait, signal)
            finally:
                self.leave(wait)
        return self.is_granted
