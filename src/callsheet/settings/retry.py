"""When a failed attempt is made again."""

from __future__ import annotations

from dataclasses import dataclass

REPEATABLE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""Idempotent by RFC 9110 9.2.2: to send one twice is to send it once."""

TRANSIENT_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
"""A later attempt may well succeed; any other status would come back the same."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """The pause before attempt n is a random part of `first * 2**(n - 2)` seconds, at most `max`: full jitter.

    `first` is 0.5 s (a restart or a failover needs about that), `max` 20 s, `throttled` the first pause after a 429
    (1 s: the service has just said that we are too fast).
    """

    first: float = 0.5
    max: float = 20.0
    throttled: float = 1.0


@dataclass(frozen=True, slots=True)
class Budget:
    """Retries of a service in the last `window` seconds: at most `ratio` of its calls (0.2: an outage costs it a fifth more)
    and `floor` per second beside (10: a service with few calls may retry them all).
    """

    ratio: float = 0.2
    floor: float = 10.0
    window: float = 10.0


@dataclass(frozen=True, slots=True)
class Retry:
    """`attempts` tries in all (3: two more outlast a blip, further ones add load to an outage) with `backoff` between,
    for `statuses` and for attempts without a usable answer.

    A method in `methods` may be sent twice. Any other (POST, PATCH) only if it was never sent, on a 429, if the
    operation is declared `idempotent`, or with an idempotency key. `budget` bounds the retries of a whole service.
    """

    attempts: int = 3
    backoff: Backoff = Backoff()
    statuses: frozenset[int] = TRANSIENT_STATUSES
    methods: frozenset[str] = REPEATABLE_METHODS
    budget: Budget = Budget()
