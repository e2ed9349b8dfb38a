"""The call ends when its time is up.

A timeout per attempt is no deadline: three attempts of 10 s and their pauses are 40 s, and a body that drips may last
for ever. Everything else spends from the total that stands here.
"""

from __future__ import annotations

from callsheet.call import SHORTEST, Attempt, deadline_passed
from callsheet.errors import AttemptTimeout
from callsheet.policies.scope import Own, Scope
from callsheet.settings.settings import Settings
from callsheet.verdicts import Refuse


class Deadline:
    """Refuse an attempt for which no time is left, and name the deadline where it cut one short."""

    name = "deadline"

    def before(self, attempt: Attempt, now: float) -> Refuse | None:
        """Refuse once the call's time is up."""
        if attempt.call.deadline - now >= SHORTEST:
            return None
        return Refuse(deadline_passed(attempt), by=self.name)

    def after(self, attempt: Attempt, now: float) -> Refuse | None:
        """An attempt that the total cut off did not time out by itself: the outcome is our deadline."""
        if not attempt.is_cut_short or not isinstance(attempt.outcome, AttemptTimeout):
            return None
        return self.before(attempt, now)


def make(settings: Settings, scope: Scope, own: Own) -> tuple[Deadline, ...]:
    """Every call has a deadline."""
    return (Deadline(),)
