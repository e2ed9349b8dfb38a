"""How many calls may be in flight."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Concurrency:
    """`limit` attempts in flight per service (100: as many as there are pooled connections), `queue` waiting
    (1,000: more would only wait to pass their deadline).
    """

    limit: int = 100
    queue: int = 1000
