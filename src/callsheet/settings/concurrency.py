"""How many calls may be in flight."""

from __future__ import annotations

from dataclasses import dataclass

from callsheet.settings.reasons import chosen


@dataclass(frozen=True, slots=True)
class Concurrency:
    """How many attempts of a service may be in flight, and how many may wait for their turn."""

    limit: int = chosen(100, "`limit` attempts in flight per service (100: as many as there are pooled connections)")
    queue: int = chosen(1000, "`queue` waiting (1,000: more would only wait to pass their deadline)")
