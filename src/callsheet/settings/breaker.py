"""When a service that fails is left alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Breaker:
    """Open at a share `ratio` of failures (0.5: below it retries still help) among at least `samples` attempts (20: fewer
    prove nothing) in the last `window` seconds (30).

    It stays open for `open` seconds (5: a restart takes about that), twice as long after each probe that fails, at most
    `max_open` (60: how late a recovery may be noticed). Then `probes` attempts (3) show whether the service is back.
    """

    ratio: float = 0.5
    samples: int = 20
    window: float = 30.0
    open: float = 5.0
    max_open: float = 60.0
    probes: int = 3
