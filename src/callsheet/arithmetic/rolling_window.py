"""Counts over the last seconds, in a fixed amount of memory and time."""

from __future__ import annotations

BUCKETS = 10


class RollingWindow:
    """Two counts, `hits` and `total`, over the last `seconds`.

    The window is divided into tenths, and a tenth is dropped as a whole: all of the last nine tenths is counted, and nothing
    older than the window. A clock that stands still or jumps does not falsify the sums.
    """

    __slots__ = ("_current", "_hits", "_totals", "_width", "hits", "total")

    def __init__(self, seconds: float) -> None:
        self._width = seconds / BUCKETS
        self.clear()

    def clear(self) -> None:
        """Drop all counts."""
        self._hits = [0] * BUCKETS
        self._totals = [0] * BUCKETS
        self._current = 0
        self.hits = 0
        self.total = 0

    def add(self, now: float, hits: int, total: int) -> None:
        """Add to both counts at this time."""
        if now // self._width > self._current:
            self.advance(now)
        slot = self._current % BUCKETS
        self._totals[slot] += total
        self.total += total
        if hits:
            self._hits[slot] += hits
            self.hits += hits

    def advance(self, now: float) -> None:
        """Drop the counts that have left the window at this time."""
        current = int(now // self._width)
        gone = current - self._current
        if gone <= 0:
            return
        for number in range(self._current + 1, self._current + 1 + min(gone, BUCKETS)):
            slot = number % BUCKETS
            self.hits -= self._hits[slot]
            self.total -= self._totals[slot]
            self._hits[slot] = self._totals[slot] = 0
        self._current = current
