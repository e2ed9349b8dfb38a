"""The questions that a limit shared by several processes puts to its store, and the answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from callsheet.arithmetic.shape import shapes_of
from callsheet.settings.rate_limit import Rate

MICROSECONDS = 1_000_000


class Reserve(NamedTuple):
    """Asks for the next turn of a limit, for `cost` units, if it comes within `patience` seconds.

    `service` and `limit` name the limit; `shapes` are the count, length and span (in microseconds) of each of its rates.
    """

    service: str
    limit: str
    shapes: tuple[int, ...]
    cost: int
    patience: float


class Hold(NamedTuple):
    """Asks the store to give no turn for so many seconds, because the service said so."""

    service: str
    seconds: float


class Reserved(NamedTuple):
    """The answer to Reserve: the turn is in `wait` seconds. It is not reserved if that is too late."""

    wait: float
    is_reserved: bool


def whole_shapes(rates: Iterable[Rate]) -> tuple[int, ...]:
    """Count, length and span of each rate, in whole units and microseconds, exact windows first."""
    return tuple(
        whole
        for shape in shapes_of(tuple(rates))
        for whole in (shape.count, round(shape.length * MICROSECONDS), round(shape.span * MICROSECONDS))
    )
