"""How a declared rate is counted: in a slightly longer window, and with a bounded number of entries."""

from __future__ import annotations

from dataclasses import dataclass

from callsheet.settings.rate_limit import Rate

MOST_ENTRIES = 1000
"""A rate with a larger count is remembered in so many entries: 100,000/h by the units granted in each 3.6 s."""


def margin(seconds: float) -> float:
    """Seconds by which a window is longer than declared: 1 % of it, at most 50 ms.

    A request that is delayed on its way arrives closer to those sent after it. Without a margin the service would sometimes
    count one too many.
    """
    return min(seconds / 100, 0.05)


@dataclass(frozen=True, slots=True)
class Shape:
    """A rate as it is counted: at most `count` units in `length` seconds.

    Units granted within the same `span` of seconds are remembered together, by the time of the latest; 0.0: each by itself.
    """

    count: int
    length: float
    span: float


def shapes_of(rates: tuple[Rate, ...]) -> list[Shape]:
    """The shapes of several rates, first those that remember each unit by itself."""
    return sorted(map(_shape_of, rates), key=lambda shape: shape.span)


def _shape_of(rate: Rate) -> Shape:
    span = rate.seconds / MOST_ENTRIES if rate.count > MOST_ENTRIES else 0.0
    return Shape(rate.count, rate.seconds + margin(rate.seconds), span)
