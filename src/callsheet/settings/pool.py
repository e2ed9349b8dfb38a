"""How many connections are kept, and for how long."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pool:
    """`connections` kept per service (100), each at most `idle` seconds (60: below the idle limits of common load
    balancers and servers, so that we close first).
    """

    connections: int = 100
    idle: float = 60.0
