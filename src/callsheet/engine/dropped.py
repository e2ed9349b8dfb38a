"""Answers that were dropped without being closed: what their attempts hold is given back by whoever comes next.

A finalizer may run anywhere, in the very thread that holds the lock of the policy it would tell. So it takes none: it
only puts down what is to be done, and the loop does that before it asks policies and while it waits for others.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from callsheet.call import Attempt
from callsheet.engine.let_go import let_go
from callsheet.engine.tell import tell_call
from callsheet.forked import forget_after_fork
from callsheet.plan.plan import Plan


class Dropped(NamedTuple):
    """The attempt that brought an answer nobody closed, and what its call's end is told with."""

    attempt: Attempt
    plan: Plan
    status: int
    elapsed: float


class DroppedAnswers:
    """Put down by finalizers, ended by the loop."""

    def __init__(self) -> None:
        self._waiting: deque[Dropped] = deque()
        forget_after_fork(self)

    def add(self, dropped: Dropped) -> None:
        """Have it ended soon. Takes no lock."""
        self._waiting.append(dropped)

    def end(self) -> None:
        """Let go of what they hold, and say that their calls are over."""
        waiting = self._waiting
        while waiting:
            try:
                attempt, plan, status, elapsed = waiting.popleft()
            except IndexError:  # another thread was quicker
                return
            let_go(attempt)
            for ended in plan.ended:
                ended(attempt.call)
            if plan.listeners:
                tell_call(plan, attempt.call, status, None, elapsed)

    def forget(self) -> None:
        """In a forked child: they are the parent's."""
        self._waiting.clear()


DROPPED = DroppedAnswers()
