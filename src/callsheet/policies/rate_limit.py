"""Send no faster than was declared.

A service that limits its callers answers 429 to what is too much, and some lock out who goes on. Whoever counts before
sending waits a little instead, in the order of asking, and is told at once if its turn would come too late.
"""

from __future__ import annotations

import threading

from callsheet.arithmetic.sliding_window import Limiter
from callsheet.call import Attempt, Call
from callsheet.errors import LimitReached
from callsheet.settings.rate_limit import RateLimit as RateLimitSettings
from callsheet.verdicts import Refuse, Wait

MANY = 10_000
"""Values of an argument after which those that have had their turns are forgotten."""


class Limits:
    """The limiters of one declaration: one in all, one per operation, or one for each value of an argument."""

    def __init__(self, settings: RateLimitSettings) -> None:
        self.rates = settings.rates
        self.per = settings.per
        self.told = ", ".join(str(rate) for rate in settings.rates)
        self.by_key: dict[str, Limiter] = {}
        self.lock = threading.Lock()

    def key_of(self, call: Call) -> str:
        """What this call is counted with."""
        if self.per == "service":
            return ""
        return call.operation if self.per == "operation" else str(call.arguments.get(self.per, ""))

    def limiter(self, key: str, now: float) -> Limiter:
        """The limiter of a key, made when it is first asked for."""
        known = self.by_key.get(key)
        if known is not None:
            return known
        with self.lock:
            if len(self.by_key) >= MANY:
                self.by_key = {name: each for name, each in self.by_key.items() if not each.is_idle(now)}
            return self.by_key.setdefault(key, Limiter(self.rates))

    def forget(self) -> None:
        """Begin anew in a forked child: who waits is in the parent."""
        self.lock = threading.Lock()
        self.by_key = {}


class RateLimit:
    """Have an attempt wait for its turn, or refuse it if the turn would come too late."""

    name = "rate_limit"

    def __init__(self, limits: Limits, settings: RateLimitSettings) -> None:
        self.limits = limits
        self.cost = settings.cost
        self.waits = settings.when_full == "wait"
        self.only = limits.limiter("", 0.0) if limits.per == "service" else None

    def before(self, attempt: Attempt, now: float) -> Wait | Refuse | None:
        """Nothing if it is this attempt's turn; one that has its turn is not asked for another."""
        if self in attempt.held:
            return None
        limiter = self.only or self.limits.limiter(self.limits.key_of(attempt.call), now)
        turn = limiter.reserve(now, self.cost, attempt.call.deadline if self.waits else now)
        if not turn.is_reserved:
            return Refuse(self._too_late(turn.wait, attempt.call.deadline - now), by=self.name)
        attempt.held[self] = limiter, turn
        return Wait(turn.wait, f"its turn (rate_limit {self.limits.told})") if turn.wait > 0.0 else None

    def let_go(self, attempt: Attempt, sent: bool) -> None:  # noqa: FBT001 the questions are asked by position
        """A turn that was not used is free again."""
        limiter, turn = attempt.held[self]
        if not sent:
            limiter.give_back(turn)

    def _too_late(self, wait: float, left: float) -> LimitReached:
        return too_late(f"rate_limit {self.limits.told}", wait, left, waits=self.waits)


def too_late(limit: str, wait: float, left: float, *, waits: bool) -> LimitReached:
    """The error of a call whose turn comes too late."""
    if not waits:
        message = f"the limit is reached ({limit}, when_full: fail); the next turn is in {wait:.3g} s; nothing was sent"
    else:
        message = f"your turn is in {wait:.3g} s, your call has {left:.3g} s ({limit}); nothing was sent: use map, or raise total"
    return LimitReached(message, retry_after=wait)
