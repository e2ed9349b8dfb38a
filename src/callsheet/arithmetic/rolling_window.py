"""Counts over the last so many seconds, in a fixed amount of memory and time."""

from __future__ import annotations

BUCKETS = 10


class RollingWindow:
    """Two counts, `hits` and `total`, over the last `seconds`.

    Time is cut into tenths of the window, and a tenth is forgotten whole: what is counted happened in the last nine tenths
    for certain, and nothing older than the window is. A clock that stands still or jumps makes no difference to the sums.
    """

    __slots__ = ("_counts", "_current", "_width", "hits", "total")

    def __init__(self, seconds: float) -> None:
        self._width = seconds / BUCKETS
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._counts = [(0, 0)] * BUCKETS
        self._current = 0
        self.hits = 0
        self.total = 0

    def add(self, now: float, hits: int, total: int) -> None:
        """Count these at this time."""
        self.advance(now)
        slot = self._current % BUCKETS
        known = self._counts[slot]
        self._counts[slot] = (known[0] + hits, known[1] + total)
        self.hits += hits
        self.total += total

    def advance(self, now: float) -> None:
        """Forget what is too old by this time."""
        current = int(now / self._width)
        gone = current - self._current
        if gone <= 0:
            return
        for number in range(self._current + 1, self._current + 1 + min(gone, BUCKETS)):
            hits, total = self._counts[number % BUCKETS]
            self._counts[number % BUCKETS] = (0, 0)
            self.hits -= hits
            self.total -= total
        self._current = current
