"""End the call when its time is up.

A timeout per attempt is no deadline: three attempts of 10 s with their pauses take 40 s, and a body that arrives drop by
drop takes for ever. All waits and attempts of a call share this one deadline.
"""

from __future__ import annotations

from callsheet.call import SHORTEST, Attempt, deadline_passed
from callsheet.errors import AttemptTimeout
from callsheet.policies.scope import Own, Scope
from callsheet.settings.settings import Settings
from callsheet.verdicts import Refuse


class Deadline:
    """Refuse an attempt for which no time is left, and raise the deadline's error for an attempt that it cut short."""

    name = "deadline"

    def before(self, attempt: Attempt, now: float) -> Refuse | None:
        """Refuse once the call's time is up."""
        if attempt.call.deadline - now >= SHORTEST:
            return None
        return Refuse(deadline_passed(attempt), by=self.name)

    def after(self, attempt: Attempt, now: float) -> Refuse | None:
        """Replace the timeout of an attempt by the error of the deadline, if the deadline had shortened the attempt."""
        if not attempt.is_cut_short or not isinstance(attempt.outcome, AttemptTimeout):
            return None
        return self.before(attempt, now)


def make(settings: Settings, scope: Scope, own: Own) -> tuple[Deadline, ...]:
    """The policy, which is always on: every call has a deadline."""
    return (Deadline(),)
