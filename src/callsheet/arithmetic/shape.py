"""How a declared rate is counted: a little longer, and in not too many pieces."""

from __future__ import annotations

from dataclasses import dataclass

from callsheet.settings.rate_limit import Rate

MOST_ENTRIES = 1000
"""A larger count is remembered in at most so many pieces: 100,000/h by what was granted in each 3.6 s."""


def margin(seconds: float) -> float:
    """How much longer than declared a window is counted, in seconds: 1 % of it, at most 50 ms.

    A request that is held up on its way arrives closer to those sent after it: without a margin the service would now
    and then count one too many.
    """
    return min(seconds / 100, 0.05)


@dataclass(frozen=True, slots=True)
class Shape:
    """A rate as it is counted: at most `count` units in `length` seconds.

    Units of the same `span` of seconds, if it is not 0.0, are remembered together, by the time of the latest.
    """

    count: int
    length: float
    span: float


def shapes_of(rates: tuple[Rate, ...]) -> list[Shape]:
    """How several rates are counted, those that are remembered unit by unit first."""
    return sorted(map(_shape_of, rates), key=lambda shape: shape.span)


def _shape_of(rate: Rate) -> Shape:
    span = rate.seconds / MOST_ENTRIES if rate.count > MOST_ENTRIES else 0.0
    return Shape(rate.count, rate.seconds + margin(rate.seconds), span)
