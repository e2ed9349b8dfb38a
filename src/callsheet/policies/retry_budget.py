"""Keep retries from making an outage worse.

Three attempts of one caller are harmless. Three attempts of a thousand callers triple the load on a service that has just
failed under a third of it. So the retries of a whole service are limited to a share of its calls (Beyer et al., "Site
Reliability Engineering", 2016, chapter 21), and a few more, for services that are seldom called.
"""

from __future__ import annotations

import threading

from callsheet.arithmetic.rolling_window import RollingWindow
from callsheet.call import Attempt
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
        """Count the retry that another policy wants, or forbid it if the budget is spent."""
        if attempt.again is None or not isinstance(attempt.again, TryAgain):
            return None
        with self.lock:
            self.window.advance(now)
            if self.window.hits + 1 > self.settings.ratio * self.window.total + self.floor:
                return GiveUp(self.name)
            self.window.add(now, 1, 0)
            return None

    def forget(self) -> None:
        """Replace the lock in a forked child, where a thread of the parent may hold it for ever. The counts stay."""
        self.lock = threading.Lock()


def make(settings: Settings, scope: Scope, own: Own) -> tuple[RetryBudget, ...]:
    """The budget of the service; an operation's own `retry` settings do not change it."""
    of_service = scope.settings[0].retry
    if settings.retry is None or of_service is None:
        return ()
    chosen = of_service.budget
    return (scope.one(("retry.budget", chosen), lambda: RetryBudget(chosen)),)
