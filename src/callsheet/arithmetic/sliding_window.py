"""temporary"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from callsheet.settings.rate_limit import Rate


class Turn(NamedTuple):
    """x"""

    at: float
    is_given: bool


class Limiter:
    """x"""

    def __init__(self, rates: tuple[Rate, ...]) -> None:
        self.rates = rates
        self.log: deque[float] = deque()

    def reserve(self, now: float, cost: int, latest: float) -> Turn:
        """X"""
        at = max(now, self.log[-1] if self.log else now)
        for rate in self.rates:
            if len(self.log) + cost > rate.count:
                at = max(at, self.log[len(self.log) + cost - rate.count - 1] + rate.seconds)
        if at > latest:
            return Turn(at, False)
        self.log.extend([at] * cost)
        return Turn(at, True)

    def give_back(self, turn: Turn) -> None:
        """X"""

    def is_idle(self, now: float) -> bool:
        """X"""
        return not self.log
