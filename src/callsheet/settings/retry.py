"""When a failed attempt is made again."""

from __future__ import annotations

from dataclasses import dataclass

from callsheet.settings.reasons import chosen

REPEATABLE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""Idempotent by RFC 9110 9.2.2: sending a request twice has the same effect as sending it once."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Safe by RFC 9110 9.2.1: sending a request only reads."""

UNPROCESSED_REPEATS = 2
"""Further requests, beside `attempts`, for what a service gave back unprocessed as it ended a connection of HTTP/2."""

TRANSIENT_STATUSES = frozenset({408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})
"""A later attempt may well succeed; any other status would come back the same.

520 to 524 are of networks before a service that did not reach it or got no answer from it (Cloudflare), 529 of services that are
overloaded (Anthropic, Qualys).
"""

BUDGETED = (
    "Retries of a service in the last `window` seconds: at most `ratio` of its calls "
    "(0.2: an outage costs it a fifth more)"
)


@dataclass(frozen=True, slots=True)
class Backoff:
    """The pause before attempt n is a random part of `first * 2**(n - 2)` seconds, `max` at most: full jitter."""

    first: float = chosen(0.5, "`first` is 0.5 s (a restart or a failover needs about that)")
    max: float = chosen(20.0, "at most `max`: full jitter")
    throttled: float = chosen(
        1.0, "`throttled` the first pause after a 429 (1 s: the service has just said that we are too fast)"
    )


@dataclass(frozen=True, slots=True)
class Budget:
    """Bounds the retries of a service: a share of its recent calls, and some per second in addition."""

    ratio: float = chosen(0.2, BUDGETED)
    floor: float = chosen(10.0, "`floor` per second beside (10: a service with few calls may retry them all)")
    window: float = chosen(10.0, BUDGETED)


@dataclass(frozen=True, slots=True)
class Retry:
    """Which attempts are made again, how often, and with what pauses.

    `budget` bounds the retries of a whole service; None lets each call make all of its own.

    A method that is not in `methods` (POST, PATCH) is sent again only if it was never sent, on a 429, if the operation is
    declared `idempotent`, or with an idempotency key.
    """

    attempts: int = chosen(
        3, "`attempts` tries in all (3: two more outlast a blip, further ones add load to an outage)"
    )
    backoff: Backoff = Backoff()
    statuses: frozenset[int] = chosen(TRANSIENT_STATUSES, "for `statuses` and for attempts without a usable answer")
    methods: frozenset[str] = chosen(REPEATABLE_METHODS, "A method in `methods` may be sent twice")
    budget: Budget | None = Budget()
