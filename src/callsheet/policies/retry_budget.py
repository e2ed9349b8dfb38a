"""Keep retries from making an outage worse.

Three attempts of one caller are harmless. Three attempts of a thousand callers triple the load on a service that has just
failed under a third of it. So the retries of a whole service are limited to a share of its calls (Beyer et al., "Site
Reliability Engineering", 2016, chapter 21), and a few more, for services that are seldom called.
"""

from __future__ import annotations

import threading

from callsheet.arithmetic.rolling_window import RollingWindow
from callsheet.call import Attempt
from callsheet.errors import NotSent, TransportError
from callsheet.policies.scope import Own, Scope
from callsheet.settings.retry import Budget
from callsheet.settings.settings import Settings
from callsheet.verdicts import GiveUp, TryAgain


class RetryBudget:
    """Forbid a retry that the service's budget does not cover. One RetryBudget serves all operations of a service."""

    name = "retry.budget"

    def __init__(self, settings: Budget) -> None:
        self.settings = settings
        self.floor = settings.floor * settings.window
        self.window = RollingWindow(settings.window)
        self.lock = threading.Lock()

    def before(self, attempt: Attempt, now: float) -> None:
        """Count the call; the engine asks this once per call."""
        with self.lock:
            self.window.add(now, 0, 1)

    def after(self, attempt: Attempt, now: float) -> GiveUp | None:
        """Count the retry that another policy wants, or forbid it if the budget is spent. A local fault is no call.

        A retry of what the service gave back unprocessed when it ended a kept connection is free.
        """
        if attempt.number == 1 and isinstance(attempt.outcome, TransportError) and attempt.outcome.is_local:
            with self.lock:
                self.window.add(now, 0, -1)
        if attempt.again is None or not isinstance(attempt.again, TryAgain):
            return None
        outcome = attempt.outcome
        if isinstance(outcome, NotSent) and outcome.on_kept_connection:
            return None
        with self.lock:
            self.window.advance(now)
            if self.window.hits + 1 > self.settings.ratio * max(self.window.total, 0) + self.floor:
                return GiveUp(self.name)
            self.window.add(now, 1, 0)
            return None

    def forget(self) -> None:
        """Replace the lock in a forked child, where a thread of the parent may hold it for ever, and count from nothing."""
        self.lock = threading.Lock()
        self.window.clear()


def make(settings: Settings, scope: Scope, own: Own) -> tuple[RetryBudget, ...]:
    """The budget of the service; an operation's own `retry` settings do not change it."""
    of_service = scope.settings[0].retry
    chosen = of_service.budget if of_service is not None else None
    if settings.retry is None or chosen is None:
        return ()
    return (scope.one(("retry.budget", chosen), lambda: RetryBudget(chosen)),)
