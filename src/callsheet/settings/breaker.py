"""When a service that fails is left alone."""

from __future__ import annotations

from dataclasses import dataclass

from callsheet.settings.reasons import chosen

RECENT = 60.0
"""Seconds after which a failure, or a breaker that nobody asked meanwhile, says nothing of the service any more."""
LEAST_PART = 0.8
"""Of a pause at a `ratio` of 1.0: the random part that remains keeps processes apart without making recovery much later."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """Open, it refuses every attempt; after a pause it lets a few through as probes.

    At a `ratio` of 1.0 it opens when nothing works any more, and any success closes it. Below that see ShareBreaker.
    """

    ratio: float = chosen(
        1.0, "Open where all attempts fail (100%: while some succeed, retries help more than refusing)"
    )
    samples: int = chosen(20, "`samples` failures in a row (20: fewer prove nothing)")
    window: float = chosen(2.0, "the first of them at least `window` seconds ago (2: a blip is over sooner)")
    open: float = chosen(1.0, "It stays open for `open` seconds (1: how soon a short outage is seen to be over)")
    max_open: float = chosen(
        5.0,
        "twice as long after each round of probes that fails, at most `max_open` (5: how late a recovery is noticed)",
    )
    probes: int = chosen(1, "`probes` attempts at once (1) show whether the service is back; one success is enough")


@dataclass(frozen=True, slots=True)
class ShareBreaker(Breaker):
    """A breaker with a `ratio` below 1.0: it opens at a share of failures, and closes when all probes have succeeded."""

    ratio: float = chosen(0.5, "Open at a share `ratio` of failures (0.5: below it retries still help)")
    samples: int = chosen(20, "among at least `samples` attempts (20: fewer prove nothing)")
    window: float = chosen(30.0, "in the last `window` seconds (30)")
    open: float = chosen(5.0, "It stays open for `open` seconds (5: a restart takes about that)")
    max_open: float = chosen(
        60.0, "twice as long after each probe that fails, at most `max_open` (60: how late a recovery may be noticed)"
    )
    probes: int = chosen(3, "`probes` attempts (3) show whether the service is back")
