"""The call ends when its time is up.

A timeout per attempt is no deadline: three attempts of 10 s and their pauses are 40 s, and a body that drips may last
for ever. Everything else spends from the total that stands here.
"""

from __future__ import annotations

from callsheet.call import Attempt
from callsheet.errors import AttemptTimeout, DeadlinePassed
from callsheet.verdicts import Refuse

SHORTEST = 0.001
"""Seconds: less than this is not worth a try on the wire, and no time that is left."""


class Deadline:
    """Refuse an attempt for which no time is left, and name the deadline where it cut one short."""

    name = "deadline"

    def before(self, attempt: Attempt, now: float) -> Refuse | None:
        """Refuse once the call's time is up."""
        if attempt.call.deadline - now >= SHORTEST:
            return None
        return Refuse(passed(attempt), by=self.name)

    def after(self, attempt: Attempt, now: float) -> Refuse | None:
        """An attempt that the total cut off did not time out by itself: the outcome is our deadline."""
        if not attempt.is_cut_short or not isinstance(attempt.outcome, AttemptTimeout):
            return None
        return self.before(attempt, now)


def passed(attempt: Attempt, waiting_for: str = "") -> DeadlinePassed:
    """The error that says where the time went."""
    spent = f" while waiting for {waiting_for}" if waiting_for else ""
    return DeadlinePassed(f"not done within {attempt.call.limit}{spent}, in attempt {attempt.number}")
