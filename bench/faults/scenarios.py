"""The faults, and the calls that are made under each.

Calls begin at a fixed rate, whatever became of the earlier ones: a program whose users do not wait for each other.
"""

from typing import NamedTuple

from bench.faults.behaviours import CAPACITY


class Limits(NamedTuple):
    """Seconds: for connecting, for one attempt without news, and for the whole call where a library knows such a thing."""

    connect: float
    read: float
    total: float


NO_BUDGET = (("callsheet, `retry: {budget: off}`", {"retry": {"budget": "off"}}),)
FIRST_1S = (("callsheet, `retry: {backoff: {first: 1s}}`", {"retry": {"backoff": {"first": "1s"}}}),)
FULL = Limits(connect=5, read=10, total=30)
"""Callsheet's defaults."""
TENTH = Limits(connect=0.5, read=1, total=3)
"""All of them a tenth, for everybody alike, so that a run takes minutes."""


class Scenario(NamedTuple):
    """A fault by its name in `upstream.py`, and so many calls, at so many per second, of these methods in turn.

    `counted` is what the upstream can count of what comes in; "" where it never hears of it. `alone`: its load is the
    point, so no other client runs meanwhile. `more` are further columns of its table, `variants` further lines of
    callsheet by name, each with settings.
    """

    name: str
    title: str
    calls: int
    rate: float
    methods: tuple[str, ...] = ("GET", "POST")
    limits: Limits = TENTH
    counted: str = "requests"
    alone: bool = False
    more: tuple[str, ...] = ()
    variants: tuple[tuple[str, dict[str, object]], ...] = ()


SCENARIOS = (
    Scenario("healthy", "No fault", calls=60, rate=40),
    Scenario("dead-host", "Dead host", calls=160, rate=40, counted=""),
    Scenario("blackhole", "Blackhole", calls=160, rate=40, counted=""),
    Scenario("reset-before", "Reset before the request", calls=120, rate=60, counted="connections"),
    Scenario("reset-after", "Reset after the request", calls=120, rate=60),
    Scenario("kept-closed", "Kept connection closed under a POST", calls=60, rate=30, methods=("POST",)),
    Scenario("burst-503", "503 burst", calls=150, rate=50, variants=FIRST_1S),
    Scenario("retry-after", "429 with Retry-After beyond the deadline", calls=20, rate=20),
    Scenario("drip", "Drip body", calls=20, rate=20, methods=("GET",)),
    Scenario("flapping", "Flapping host", calls=200, rate=50, variants=FIRST_1S),
    Scenario(
        "errors-30",
        "30 % errors at 500 calls/s",
        calls=2500,
        rate=500,
        methods=("GET",),
        alone=True,
        more=("calls/s", "most requests/s"),
        variants=NO_BUDGET,
    ),
    Scenario(
        "overload-1",
        "Overload, 1.1 times",
        calls=1650,
        rate=1.1 * CAPACITY,
        methods=("GET",),
        alone=True,
        more=("most requests/s",),
        variants=NO_BUDGET,
    ),
    Scenario(
        "overload-2",
        "Overload, twice",
        calls=2000,
        rate=2 * CAPACITY,
        methods=("GET",),
        alone=True,
        more=("most requests/s",),
        variants=NO_BUDGET,
    ),
    Scenario("answer-lost", "POST whose answer is lost", calls=60, rate=30, methods=("POST",)),
    Scenario(
        "slow",
        "Slow host under load",
        calls=400,
        rate=100,
        methods=("GET",),
        limits=FULL,
        alone=True,
        more=("most in flight", "most callers waiting", "MiB"),
    ),
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
