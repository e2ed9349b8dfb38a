"""The questions that a limit shared by several processes puts to its store, and the answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from callsheet.arithmetic.shape import shapes_of
from callsheet.settings.rate_limit import Rate

MICROSECONDS = 1_000_000
NO_PLACE = -1


class Reserve(NamedTuple):
    """Asks for the next turn of a limit, for `cost` units, if it comes within `patience` seconds.

    `service` and `limit` name the limit; `shapes` are the count, length and span (in microseconds) of each of its rates. Who
    has the turn at `place` already asks whether it still holds, or to take it later than `earliest`, a time of the store's clock.
    """

    service: str
    limit: str
    shapes: tuple[int, ...]
    cost: int
    patience: float
    place: int = NO_PLACE
    earliest: float = 0.0


class Taken(Reserve):
    """Tells that the turn at `place` was taken at `earliest`, so that the turn one window after it comes later as well."""

    __slots__ = ()


class Hold(NamedTuple):
    """Asks the store to give no turn for so many seconds, because the service said so."""

    service: str
    seconds: float


class Reserved(NamedTuple):
    """The answer to Reserve: the turn is in `wait` seconds, at the time `at` of the store's clock.

    It is not reserved if that is too late. `place` names it in a further question.
    """

    wait: float
    is_reserved: bool
    at: float = 0.0
    place: int = NO_PLACE


def tolerance(rates: Iterable[Rate]) -> float:
    """Seconds after its time in which a turn may be taken: 2 % of the shortest window, at most 200 ms."""
    return min(0.02 * min(rate.seconds for rate in rates), 0.2)


def horizon(shapes: tuple[int, ...]) -> float:
    """Seconds for which a turn is promised: half of the shortest window. One further off must be asked for again.

    The turn may be taken as long as nobody can be promised the turn that comes one window after it: half a window, too.
    """
    return min(shapes[1::3]) / 2 / MICROSECONDS


def whole_shapes(rates: Iterable[Rate], late: float = 0.0) -> tuple[int, ...]:
    """Count, length and span of each rate, in whole units and microseconds, exact windows first.

    Turns may be taken `late` seconds after their time, and the windows are longer by as much.
    """
    return tuple(
        whole
        for shape in shapes_of(tuple(rates))
        for whole in (shape.count, round((shape.length + late) * MICROSECONDS), round(shape.span * MICROSECONDS))
    )
