"""Gives callers their turns under several rates at once, by exact sliding windows.

Every unit granted is remembered until it has left the window. So `count` units may go at once, never more than that go in
any window of the declared length, and no throughput is lost. (GCRA, the usual choice, lets up to 2N - 1 through in a window
when it allows a burst of N; without bursts it spaces `1000/h` to one every 3.6 s.)

Turns are given in the order of asking and never overtake each other. So a limiter is a queue without a thread that serves
it: each caller is told the time of its turn, and waits until then.
"""

from __future__ import annotations

import math
import threading

from callsheet.arithmetic.window import Turn, windows_of
from callsheet.settings.rate_limit import Rate


class Limiter:
    """Gives turns that keep to several rates at once.

    Times are seconds of one clock. Any number of threads may use it.
    """

    def __init__(self, rates: tuple[Rate, ...]) -> None:
        self.rates = rates
        self.forget()

    def forget(self) -> None:
        """Begin anew in a forked child: the turns given belong to the parent."""
        self._windows = windows_of(self.rates)
        self._most = min(rate.count for rate in self.rates)
        self._now = -math.inf
        self._lock = threading.Lock()

    def reserve(self, now: float, cost: int, latest: float) -> Turn:
        """Reserve the next turn for `cost` units. If it would come after `latest`, none is reserved, and `at` says when it would be.

        Raises ValueError for a cost below 1.
        """
        with self._lock:  # not `acquire`: an interrupt right after it would leave it locked for ever
            # Threads may come here in another order than they read the clock.
            now = self._now = now if now > self._now else self._now
            if not 0 < cost <= self._most:
                return _impossible(cost)
            windows = self._windows
            until = windows[0].until
            at = now if now > until else until
            for window in windows:
                if window.used + cost > window.count:
                    at = window.earliest(at, cost)
            if at > latest:
                return Turn(at, at - now, 0)
            turn = Turn(at, at - now, cost)
            try:
                for window in windows:
                    window.take(turn, now)
            except BaseException:
                self._recount_without(turn)
                raise
            return turn

    def give_back(self, turn: Turn) -> None:
        """Give back a turn that is not used: its units no longer count, so that later callers do not wait for them.

        A turn that was not reserved, or was given back before, changes nothing.
        """
        with self._lock:
            if not turn.units:
                return
            try:
                for window in self._windows:
                    window.give_back(turn, self._now)
            except BaseException:
                self._recount_without(turn)
                raise
            turn.units = 0

    def _recount_without(self, turn: Turn) -> None:
        """After an interrupt, or what was half counted would stay so for ever."""
        turn.units = 0
        for window in self._windows:
            window.recount()

    def is_idle(self, now: float) -> bool:
        """Whether no turn that was given counts any more, so that a new limiter would answer the same."""
        with self._lock:
            return all(window.until + window.length <= now for window in self._windows)


def _impossible(cost: int) -> Turn:
    if cost < 1:
        raise ValueError(f"a cost of {cost} units, expected at least 1")
    return Turn(math.inf, math.inf, 0)
