"""Send no faster than was declared.

A service that limits its callers answers 429 to requests above the limit, and some lock out a caller that goes on. Here
requests are counted before they are sent: an attempt waits for its turn, first come first served, and is refused at once if
the turn would come too late.
"""

from __future__ import annotations

import hashlib
import threading

from callsheet.arithmetic.shared_window import NO_PLACE, Reserve, Reserved, Taken, horizon, tolerance, whole_shapes
from callsheet.arithmetic.sliding_window import Limiter
from callsheet.arithmetic.store_clock import StoreClock
from callsheet.call import Attempt, Call
from callsheet.errors import LimitReached, SheetError
from callsheet.policies.scope import Own, Scope, SharedStore
from callsheet.settings.rate_limit import RateLimit as RateLimitSettings
from callsheet.settings.settings import Settings
from callsheet.verdicts import Ask, Refuse, StoreFailure, Wait

COUNTED_APART = frozenset({"rate_limit.rates", "rate_limit.per"})
"""An operation that writes one of these has limiters of its own beside the service's."""
AT_ONCE = 0.001
"""Seconds that a call may wait although it must not (`when_full: fail`): another thread may have read the clock later."""
MANY = 10_000
"""Limiters, one for each value of an argument, above which the idle ones are dropped."""


class Limiters:
    """The limiters of one declared `rate_limit`: a single one, one per operation, or one for each value of an argument.

    `name` is the operation that declares it; empty for the service's own.
    """

    def __init__(self, settings: RateLimitSettings, name: str = "") -> None:
        self.name = name
        self.rates = settings.rates
        self.per = settings.per
        self.told = ", ".join(str(rate) for rate in settings.rates)
        self.by_key: dict[str, Limiter] = {}
        self.most = MANY
        self.clock = StoreClock()
        self.lock = threading.Lock()

    def key_of(self, call: Call) -> str:
        """The key of the limiter that counts this call."""
        if self.per == "service":
            return ""
        return call.operation if self.per == "operation" else str(call.arguments.get(self.per, ""))

    def limiter(self, key: str, now: float) -> Limiter:
        """The limiter of a key, made when it is first asked for."""
        known = self.by_key.get(key)
        if known is not None:
            return known
        with self.lock:
            if len(self.by_key) >= self.most:
                self.by_key = {name: each for name, each in self.by_key.items() if not each.is_idle(now)}
                self.most = max(MANY, 2 * len(self.by_key))
            return self.by_key.setdefault(key, Limiter(self.rates))

    def forget(self) -> None:
        """Begin anew in a forked child: the turns given belong to calls of the parent. Policies keep the limiters: so do we."""
        self.lock = threading.Lock()
        for limiter in self.by_key.values():
            limiter.forget()


class RateLimit:
    """Have an attempt wait for its turn, or refuse it if the turn would come too late."""

    name = "rate_limit"

    def __init__(self, limits: Limiters, settings: RateLimitSettings) -> None:
        self.limits = limits
        self.cost = settings.cost
        self.waits = settings.when_full == "wait"
        self.only = limits.limiter("", 0.0) if limits.per == "service" else None

    def before(self, attempt: Attempt, now: float) -> Wait | Refuse | Ask | None:
        """Reserve a turn and wait for it; None if the attempt has its turn already."""
        return None if self in attempt.held else self.by_itself(attempt, now)

    def by_itself(self, attempt: Attempt, now: float) -> Wait | Refuse | None:
        """Reserve a turn with the limiter of this process."""
        limiter = self.only or self.limits.limiter(self.limits.key_of(attempt.call), now)
        turn = limiter.reserve(now, self.cost, attempt.call.deadline if self.waits else now + AT_ONCE)
        if not turn.is_reserved:
            return Refuse(self._too_late(turn.wait, attempt.call.deadline - now), by=self.name)
        attempt.held[self] = limiter, turn
        return Wait(turn.wait, f"its turn (rate_limit {self.limits.told})") if turn.wait > 0.0 else None

    def let_go(self, attempt: Attempt, sent: bool) -> None:  # noqa: FBT001 the questions are asked by position
        """Free a turn that was not used."""
        if not sent:
            limiter, turn = attempt.held[self]
            limiter.give_back(turn)

    def _too_late(self, wait: float, left: float) -> LimitReached:
        limit = f"rate_limit {self.limits.told}"
        if not self.waits:
            message = (
                f"the limit is reached ({limit}, when_full: fail); the next turn is in {wait:.3g} s; nothing was sent"
            )
        else:
            message = f"your turn is in {wait:.3g} s, your call has {left:.3g} s ({limit}); nothing was sent: use map, or raise total"
        return LimitReached(message, retry_after=wait)


class SharedRateLimit(RateLimit):
    """Have an attempt wait for a turn that a store gives, so that several processes share a limit.

    Each exchange and each wait may end late, and a request sent after its turn would come too close to those that follow. So
    the time is looked at once more when nothing waits any more, and a turn that is past is asked for again. A request that
    left late nevertheless, because its connection was new or its process was not given a processor, is told to the store.
    """

    wants_facts = True

    def __init__(self, limits: Limiters, settings: RateLimitSettings, scope: Scope, store: SharedStore) -> None:
        super().__init__(limits, settings)
        self.now, self.service, self.store, self.clock = scope.now, scope.service, store, limits.clock
        self.why = f"its turn (rate_limit {limits.told})"
        self.tolerance = tolerance(limits.rates)
        self.shapes = whole_shapes(limits.rates, self.tolerance)
        self.horizon = horizon(self.shapes)

    def before(self, attempt: Attempt, now: float) -> Ask | None:
        """Ask the store for a turn, and wait until it may be taken; None if the attempt has its turn already."""
        # Once it was its turn it is not asked again, also if another limit waits: each would lose its turn in the other's queue.
        return None if self in attempt.held else self._ask(attempt, now)

    def after(self, attempt: Attempt, now: float) -> Ask | None:
        """Tell the store that the request left later than its turn allows, as far as the transport measured it."""
        turn, wire = attempt.held.get(self), attempt.wire
        if wire is None or not isinstance(turn, Reserved):
            return None
        left = now - (wire.total - wire.sent) - self.clock.most
        if left - turn.at <= self.tolerance:
            return None
        question = Taken(*self._question(attempt, 0.0, turn.place, left))
        return Ask(self.store.store, question, lambda _: None)

    def let_go(self, attempt: Attempt, sent: bool) -> None:  # noqa: FBT001 the questions are asked by position
        """Free a turn of this process that was not used. One from a store is not given back: that would cost a request to the store."""
        if not isinstance(attempt.held[self], Reserved):
            super().let_go(attempt, sent)

    def _ask(self, attempt: Attempt, now: float, place: int = NO_PLACE, at: float = 0.0, ahead: float = 0.0) -> Ask:
        patience = max(0.0, attempt.call.deadline - now) if self.waits else AT_ONCE + ahead
        question = self._question(attempt, patience, place, at + ahead)
        return Ask(self.store.store, question, lambda answer: self._placed(answer, attempt, now))

    def _question(self, attempt: Attempt, patience: float, place: int, earliest: float) -> Reserve:
        key = f"{self.limits.name}={self._shown(self.limits.key_of(attempt.call))}"
        return Reserve(self.service, key, self.shapes, self.cost, patience, place, earliest)

    def _shown(self, key: str) -> str:
        """The key for the store: a hash of an argument's value, which may be long or a secret."""
        if self.limits.per in ("service", "operation"):
            return key
        return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def _placed(self, answer: Reserved | StoreFailure, attempt: Attempt, asked: float) -> Wait | Refuse | Ask | None:
        now = self.now()
        if isinstance(answer, StoreFailure):
            if not self.store.refuses:
                return self.by_itself(attempt, now)
            message = (
                f"the store of the limits could not be asked ({answer.message}); nothing was sent (on_failure: refuse)"
            )
            return Refuse(LimitReached(message), by=self.name)
        self.clock.heard(answer.at - answer.wait, asked, now)
        if not answer.is_reserved:
            return Refuse(self._too_late(answer.wait, attempt.call.deadline - now), by=self.name)
        return self._due(answer, attempt, now, now - asked)

    def _due(self, turn: Reserved, attempt: Attempt, now: float, took: float) -> Wait | Ask | None:
        """Wait until the turn may be taken, or ask again, if it was not promised or is past; the last answer `took` so long."""
        wait = turn.at + self.clock.most - now
        is_promised = turn.wait <= self.horizon
        pause = wait if is_promised else wait - self.horizon / 2
        if pause > 0.0:
            return Wait(pause, self.why, lambda then: self._due(turn, attempt, then, 0.0))
        if not is_promised:
            return self._ask(attempt, now, turn.place, turn.at)
        if -wait <= self.tolerance and self.clock.is_known(self.tolerance / 2):
            attempt.held[self] = turn
            return None
        # The next answer may take as long: the turn is to come when it is here.
        return self._ask(attempt, now, turn.place, turn.at - wait, ahead=min(took, self.horizon / 2))


def make(settings: Settings, scope: Scope, own: Own) -> tuple[RateLimit, ...]:
    """A policy per declared limit: the operation's own first, then the service's under each set of settings.

    Raises SheetError for an operation whose requests cost more than a rate ever allows.
    """
    holding = [("", each.rate_limit) for each in scope.settings]
    if not own.written.isdisjoint(COUNTED_APART):
        holding.insert(0, (own.operation, settings.rate_limit))
    limits = list(dict.fromkeys(_limits(name, each, scope) for name, each in holding if each.rates))
    if own.operation:
        _check_cost(own.operation, settings.rate_limit.cost, limits)
    store = scope.store
    if store is None:
        return tuple(RateLimit(each, settings.rate_limit) for each in limits)
    return tuple(SharedRateLimit(each, settings.rate_limit, scope, store) for each in limits)


def _limits(operation: str, chosen: RateLimitSettings, scope: Scope) -> Limiters:
    return scope.one(("rate_limit", operation, chosen.rates, chosen.per), lambda: Limiters(chosen, operation))


def _check_cost(operation: str, cost: int, limits: list[Limiters]) -> None:
    small = next((rate for each in limits for rate in each.rates if rate.count < cost), None)
    if small is not None:
        message = f"operation `{operation}`: a request costs {cost} units, more than {small} of the service ever allows"
        raise SheetError(f"{message}: lower `rate_limit.cost`, or raise the rate")
