"""How many requests may be sent in how much time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from callsheet.settings.reasons import chosen


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` units in any `seconds`."""

    count: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.count}/{self.seconds:g} s"


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The declared rates, how many units one request costs, and what a call does that would exceed a rate."""

    rates: tuple[Rate, ...] = chosen((), "All of `rates` hold (none: nothing is declared)")
    per: str = chosen("service", "each counted `per` service, operation or value of an argument")
    cost: int = chosen(1, "A request costs `cost` units (1)")
    learn: bool = chosen(
        True, "heed what the service says about its own limits (true: it knows them better than the sheet)"
    )
    when_full: Literal["wait", "fail"] = chosen(
        "wait", "`wait` for a turn that comes before the deadline, or `fail` at once"
    )
