"""How many connections are kept, and for how long."""

from __future__ import annotations

from dataclasses import dataclass

from callsheet.settings.reasons import chosen


@dataclass(frozen=True, slots=True)
class Pool:
    """How many connections of a service are kept, and how long one may be idle."""

    connections: int = chosen(100, "`connections` kept per service (100)")
    idle: float = chosen(
        60.0,
        "each at most `idle` seconds (60: below the idle limits of common load balancers and servers, "
        "so that we close first)",
    )
