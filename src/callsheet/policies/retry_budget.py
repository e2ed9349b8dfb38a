"""Keep retries from making an outage worse.

One caller's three attempts are harmless. A thousand callers' three attempts are three times the load on a service that
has just failed under a lesser one. So the retries of a whole service are a share of its calls (Beyer et al., "Site
Reliability Engineering", 2016, chapter 21), and a few beside, for services that are seldom called.
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
    """Take back a retry that the service's budget does not cover; one serves all operations of a service."""

    name = "retry.budget"

    def __init__(self, settings: Budget) -> None:
        self.settings = settings
        self.floor = settings.floor * settings.window
        self.window = RollingWindow(settings.window)
        self.lock = threading.Lock()

    def before(self, attempt: Attempt, now: float) -> None:
        """Count the call; asked once for each."""
        with self.lock:
            self.window.add(now, 0, 1)

    def after(self, attempt: Attempt, now: float) -> GiveUp | None:
        """Spend on the retry that is wanted, or take it back."""
        if attempt.again is None or not isinstance(attempt.again, TryAgain):
            return None
        with self.lock:
            self.window.advance(now)
            if self.window.hits + 1 > self.settings.ratio * self.window.total + self.floor:
                return GiveUp(self.name)
            self.window.add(now, 1, 0)
            return None

    def forget(self) -> None:
        """Begin anew in a forked child."""
        self.lock = threading.Lock()


def make(settings: Settings, scope: Scope, own: Own) -> tuple[RetryBudget, ...]:
    """The budget of the service, whatever an operation's own settings of `retry` are."""
    of_service = scope.settings[0].retry
    chosen = of_service.budget if of_service is not None else None
    if settings.retry is None or chosen is None:
        return ()
    return (scope.one(("retry.budget", chosen), lambda: RetryBudget(chosen)),)
