"""Answers that were dropped without being closed: the next call gives back what their attempts hold.

A finalizer may run anywhere, also in a thread that holds the lock of a policy, where taking that lock again would block for
ever. So it only notes the answer; the loop ends its call before it asks policies, and while it waits for a ticket.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from callsheet.call import Attempt
from callsheet.engine.let_go import let_go
from callsheet.engine.tell import tell_call
from callsheet.events import CallEnded, CallFacts
from callsheet.plan.plan import Plan
from callsheet.process.forked import forget_after_fork


class Dropped(NamedTuple):
    """The attempt of an answer that was dropped unclosed, and what listeners are told of its call."""

    attempt: Attempt
    plan: Plan
    facts: CallFacts
    status: int
    elapsed: float


class DroppedAnswers:
    """The dropped answers that finalizers have noted and whose calls the loop has not ended yet."""

    def __init__(self) -> None:
        self._waiting: deque[Dropped] = deque()
        forget_after_fork(self)

    def add(self, dropped: Dropped) -> None:
        """Note it for the loop. Takes no lock, so that a finalizer may call it."""
        self._waiting.append(dropped)

    def end(self) -> None:
        """Give back what the attempt of each answer holds, and tell listeners that its call is over."""
        waiting = self._waiting
        while waiting:
            try:
                attempt, plan, facts, status, elapsed = waiting.popleft()
            except IndexError:  # another thread was quicker
                return
            let_go(attempt)
            for ended in plan.ended:
                ended(attempt.call)
            if plan.told[CallEnded]:
                tell_call(attempt.call, plan, facts, None, status=status, elapsed=elapsed)

    def forget(self) -> None:
        """In a forked child: forget them; the parent ends their calls."""
        self._waiting.clear()


DROPPED = DroppedAnswers()
