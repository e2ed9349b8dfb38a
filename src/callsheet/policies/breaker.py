"""Leave a service alone that fails, and find out gently when it is back.

Calls to a service that is down cost their callers the wait and the service the chance to recover. An open breaker refuses
them at once; after a while a few attempts, the probes, show whether it may close (Nygard, "Release It!", 2007).
"""

from __future__ import annotations

import threading
from typing import Literal

from callsheet.arithmetic.rolling_window import RollingWindow
from callsheet.call import Attempt
from callsheet.errors import (
    AttemptTimeout,
    BreakerOpen,
    ConnectTimeout,
    DeadlinePassed,
    NoAnswer,
    ResponseError,
    TransportError,
)
from callsheet.events import NO_CALL, BreakerChanged
from callsheet.http.response import Response
from callsheet.policies.scope import Own, Scope
from callsheet.settings.breaker import Breaker as BreakerSettings
from callsheet.settings.settings import Settings
from callsheet.verdicts import Refuse, Tell

State = Literal["closed", "open", "half-open", "forced-open", "forced-closed"]
"""`closed` lets calls through, `open` refuses them, `half-open` lets a few probes through; the last two were set by hand."""
TOO_MANY_REQUESTS = 429
CLOSED = frozenset({"closed", "forced-closed"})
FORCED = frozenset({"forced-open", "forced-closed"})
NEARLY = 0.9
"""An attempt that had this share of the time it is granted was cut off by the service's slowness, not by its caller."""


class Breaker:
    """Refuse attempts while the service fails; one Breaker serves all operations of a service, or one that has its own."""

    name = "breaker"

    def __init__(self, settings: BreakerSettings) -> None:
        self.settings = settings
        self.state: State = "closed"
        self.since = float("-inf")
        """When the state began: what was sent before says nothing of it."""
        self.changes = 0
        """By which a probe knows whether the half-open state that let it through still is."""
        self.until = 0.0
        """When an open breaker lets probes through."""
        self.window = RollingWindow(settings.window)
        self.openings = 0
        """How often it opened since it was closed."""
        self.in_flight = 0
        self.proven = 0
        """Probes of this half-open state: those under way, and those that went well."""
        self.lock = threading.Lock()

    def before(self, attempt: Attempt, now: float) -> Refuse | Tell | None:
        """Nothing while closed; else a refusal, or a place among the probes."""
        if self.state in CLOSED or self in attempt.held:
            return None
        with self.lock:
            if self.state == "forced-open":
                return Refuse(BreakerOpen("the breaker was forced open; nothing was sent"), by=self.name)
            changed = None
            if self.state == "open":
                if now < self.until:
                    return Refuse(self._open(now), by=self.name)
                self._become("half-open", now)
                changed = Tell(self._changed(0.0))
            if self.state == "half-open":
                if self.in_flight + self.proven >= self.settings.probes:
                    return Refuse(self._probing(), by=self.name)
                self.in_flight += 1
                attempt.held[self] = self.changes
            return changed

    def after(self, attempt: Attempt, now: float) -> Tell | None:
        """Count the outcome, and open or close by it."""
        has_failed = failed(attempt)
        if has_failed is None or self.state in FORCED:
            return None
        with self.lock:
            if attempt.began < self.since:
                return None
            if self.state == "half-open":
                is_probe = attempt.held.get(self) == self.changes
                return self._probed(attempt, now, has_failed=has_failed) if is_probe else None
            self.window.add(now, has_failed, 1)
            return self._opened(now) if has_failed and self._is_too_much() else None

    def let_go(self, attempt: Attempt, sent: bool) -> None:  # noqa: FBT001 the questions are asked by position
        """A probe is over. One of an earlier time has no place to give back."""
        with self.lock:
            if attempt.held[self] == self.changes:
                self.in_flight -= 1

    def counted(self, now: float) -> tuple[int, int]:
        """Failures and all samples in the window that ends now."""
        with self.lock:
            self.window.advance(now)
            return self.window.hits, self.window.total

    def force(self, state: State, now: float) -> None:
        """Hold it open or closed whatever happens, or have it begin anew, closed."""
        with self.lock:
            self.openings = 0
            self._become(state, now)

    def forget(self) -> None:
        """Begin anew in a forked child, whose parent's probes are not its own."""
        self.lock = threading.Lock()
        self.changes += 1
        self.in_flight = 0

    def _is_too_much(self) -> bool:
        return (
            self.window.total >= self.settings.samples and self.window.hits >= self.settings.ratio * self.window.total
        )

    def _probed(self, attempt: Attempt, now: float, *, has_failed: bool) -> Tell | None:
        if has_failed:
            return self._opened(now)
        # Proven at its headers: a stream that stays open must not count twice.
        del attempt.held[self]
        self.in_flight -= 1
        self.proven += 1
        if self.proven < self.settings.probes:
            return None
        self.openings = 0
        self._become("closed", now)
        return Tell(self._changed(0.0))

    def _opened(self, now: float) -> Tell:
        seconds = open_for(self.settings, self.openings)
        self.openings += 1
        changed = self._changed(seconds, "open")
        self.until = now + seconds
        self._become("open", now)
        return Tell(changed)

    def _become(self, state: State, now: float) -> None:
        self.state = state
        self.since = now
        self.changes += 1
        self.proven = 0
        self.in_flight = 0
        self.window.clear()

    def _changed(self, seconds: float, state: str | None = None) -> BreakerChanged:
        return BreakerChanged(*NO_CALL, state or self.state, self.window.hits, self.window.total, seconds)

    def _open(self, now: float) -> BreakerOpen:
        left = self.until - now
        message = (
            f"the service has been failing, and is left alone for another {left:.1f} s (breaker); nothing was sent"
        )
        return BreakerOpen(message, retry_after=left)

    def _probing(self) -> BreakerOpen:
        return BreakerOpen(
            "the service has been failing, and a few attempts try it out (breaker.probes); nothing was sent"
        )


def make(settings: Settings, scope: Scope, own: Own) -> tuple[Breaker, ...]:
    """The breaker of the service, or the one that an operation with settings of its own has instead."""
    chosen = settings.breaker
    if chosen is None:
        return ()
    operation = own.operation if "breaker" in own.written else ""
    return (scope.one(("breaker", operation, chosen), lambda: Breaker(chosen)),)


def open_for(settings: BreakerSettings, openings: int) -> float:
    """Seconds that a breaker stays open which opened so often before without closing: doubled each time, up to the most."""
    return min(settings.max_open, settings.open * 2.0 ** min(openings, 62))


def failed(attempt: Attempt) -> bool | None:
    """Whether the service failed in this attempt; None if the attempt says nothing of it.

    A 429 and our own refusals say nothing, nor does an attempt that its caller gave less time than the settings grant, or
    one that met the end of a kept connection's idle time.
    """
    outcome = attempt.outcome
    if attempt.meaning is not None:
        return None if attempt.meaning == "rate_limited" else attempt.meaning == "transient"
    if isinstance(outcome, Response):
        return None if outcome.status_code == TOO_MANY_REQUESTS else outcome.status_code >= 500
    if isinstance(outcome, AttemptTimeout | ConnectTimeout | DeadlinePassed):
        return True if had_its_time(attempt, is_connecting=isinstance(outcome, ConnectTimeout)) else None
    if isinstance(outcome, ResponseError):
        return False
    if isinstance(outcome, NoAnswer) and outcome.on_kept_connection:
        return None
    return True if isinstance(outcome, TransportError) and not outcome.is_local else None


def had_its_time(attempt: Attempt, *, is_connecting: bool) -> bool:
    """Whether an attempt had the time that the settings grant, whatever its caller wants."""
    given, granted = attempt.call.timeout, attempt.call.granted
    if is_connecting:
        return min(attempt.allowed, given.connect) >= NEARLY * min(granted.connect, granted.attempt)
    return attempt.allowed >= NEARLY * granted.attempt and given.read >= min(granted.read, granted.attempt)
