"""When a service that fails is left alone."""

from __future__ import annotations

from dataclasses import dataclass

from callsheet.settings.reasons import chosen


@dataclass(frozen=True, slots=True)
class Breaker:
    """Open, it refuses every attempt; after a while it lets a few through as probes, and closes if they succeed."""

    ratio: float = chosen(0.5, "Open at a share `ratio` of failures (0.5: below it retries still help)")
    samples: int = chosen(20, "among at least `samples` attempts (20: fewer prove nothing)")
    window: float = chosen(30.0, "in the last `window` seconds (30)")
    open: float = chosen(5.0, "It stays open for `open` seconds (5: a restart takes about that)")
    max_open: float = chosen(
        60.0, "twice as long after each probe that fails, at most `max_open` (60: how late a recovery may be noticed)"
    )
    probes: int = chosen(3, "`probes` attempts (3) show whether the service is back")
