"""How many connections are kept, and for how long."""

from __future__ import annotations

from dataclasses import dataclass

from callsheet.settings.reasons import chosen


@dataclass(frozen=True, slots=True)
class Pool:
    """How many connections of a service are kept, how long one may be idle, and how old it may become."""

    connections: int = chosen(100, "`connections` kept per service (100)")
    idle: float = chosen(
        60.0,
        "each at most `idle` seconds (60: below the idle limits of common load balancers and servers, "
        "so that we close first)",
    )
    lifetime: float | None = chosen(
        300.0,
        "none sent on after `lifetime` seconds (300: a service that moved to another address is followed there under "
        "steady load, too; None: no limit)",
    )
