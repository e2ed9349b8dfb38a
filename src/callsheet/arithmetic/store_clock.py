"""Reads the clock of a store by the clock of this process."""

from __future__ import annotations

import math

DRIFT = 0.001
"""Seconds per second by which the two clocks may move apart: twice what one is slewed by at most when it is adjusted."""
ENOUGH = 1.0
"""Seconds of exchanges after which the fastest of them is believed, however slow it was: the store is far away."""


class StoreClock:
    """How much this clock shows more than the store's, between `least` and `most`. Times are seconds.

    The store read its clock after it was asked and before its answer came, so that each exchange bounds the difference from both
    sides. `most` comes from the answer that was under way for the shortest time.
    """

    def __init__(self) -> None:
        self.least = -math.inf
        self.most = math.inf
        self._since = math.inf
        self._heard = 0.0

    def heard(self, theirs: float, asked: float, now: float) -> None:
        """Take in that the store, asked at `asked`, answered by `now` that its clock shows `theirs`."""
        drift = (now - self._heard) * DRIFT
        least, most = max(asked - theirs, self.least - drift), min(now - theirs, self.most + drift)
        if least > most:  # one of the clocks was set
            least, most, self._since = asked - theirs, now - theirs, math.inf
        self.least, self.most, self._heard = least, most, now
        self._since = min(self._since, asked)

    def is_known(self, within: float) -> bool:
        """Whether the difference is known to so many seconds, or as well as it will ever be."""
        return self.most - self.least <= within or self._heard - self._since >= ENOUGH
