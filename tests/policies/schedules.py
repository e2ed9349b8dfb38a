"""Schedules of callers for limiters, and the plainest limiter there can be, to compare with."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from hypothesis import strategies as st

from callsheet.arithmetic.shape import Shape, margin
from callsheet.settings.rate_limit import Rate

MILLISECOND = Fraction(1, 1000)
"""Times are whole milliseconds, and exact: what is compared differs by no rounding."""


class Ask(NamedTuple):
    """After so many seconds somebody asks for a turn within `patience`."""

    after: Fraction
    cost: int
    patience: Fraction


class GiveUp(NamedTuple):
    """Somebody who has a turn (the `which`-th, modulo) will not use it."""

    which: int


def seconds(least: int, most: int) -> st.SearchStrategy[Fraction]:
    return st.integers(least, most).map(lambda count: count * MILLISECOND)


RATES = st.lists(st.builds(Rate, st.integers(1, 9), seconds(1, 3000)), min_size=1, max_size=3).map(tuple)
GAPS = st.just(Fraction()) | seconds(0, 100) | seconds(0, 1500)
ASKS = st.builds(Ask, GAPS, st.integers(1, 4), seconds(-500, 9000))
SCHEDULES = st.lists(ASKS | st.builds(GiveUp, st.integers(0, 50)), max_size=60)


def coarse(rate: Rate) -> Shape:
    """A small rate, counted as large ones are: units that come together are remembered together."""
    return Shape(rate.count, rate.seconds + margin(rate.seconds), rate.seconds / 4)


class PlainTurn:
    def __init__(self, at, units):
        self.at = at
        self.units = units


class PlainLimiter:
    """Looks at every turn that stands, every time."""

    def __init__(self, rates: tuple[Rate, ...]) -> None:
        self.rates = rates
        self.turns: list[PlainTurn] = []

    def reserve(self, now, cost, latest):
        at = max([now, *(turn.at for turn in self.turns)])
        if cost > min(rate.count for rate in self.rates):
            return PlainTurn(math.inf, 0)
        for rate in self.rates:
            used = cost
            for turn in reversed(self.turns):
                used += turn.units
                if used > rate.count:
                    at = max(at, turn.at + rate.seconds + margin(rate.seconds))
                    break
        if at > latest:
            return PlainTurn(at, 0)
        self.turns.append(PlainTurn(at, cost))
        return self.turns[-1]

    def give_back(self, turn):
        if turn.units:
            self.turns.remove(turn)
            turn.units = 0


def most_in_a_window(turns: Iterable[tuple[Fraction, int]], length: Fraction) -> int:
    """The largest number of units in any window of this length, its end included and its beginning not."""
    inside: list[tuple[Fraction, int]] = []
    most = 0
    for at, units in sorted(turns):
        inside = [(moment, count) for moment, count in inside if moment + length > at]
        inside.append((at, units))
        most = max(most, sum(count for _, count in inside))
    return most
