"""How many requests may be sent in how much time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` units in any `seconds`."""

    count: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.count}/{self.seconds:g} s"


@dataclass(frozen=True, slots=True)
class RateLimit:
    """All of `rates` hold (none: nothing is declared), each counted `per` service, operation or value of an argument.

    A request costs `cost` units (1). `learn`: heed what the service says about its own limits (true: it knows them better
    than the sheet). `when_full`: `wait` for a turn that comes before the deadline, or `fail` at once.
    """

    rates: tuple[Rate, ...] = ()
    per: str = "service"
    cost: int = 1
    learn: bool = True
    when_full: Literal["wait", "fail"] = "wait"
