"""Answers that were dropped without being closed, calls cut short by an interrupt: the next call gives back what they hold.

A finalizer may run anywhere, also in a thread that holds the lock of a policy, where taking that lock again would block for
ever. So it only notes the attempt; the loop ends it before it asks policies, and while it waits for a ticket.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from callsheet.call import Attempt
from callsheet.engine.io import Io
from callsheet.engine.let_go import let_go
from callsheet.engine.tell import facts_of, tell_call
from callsheet.events import CallEnded
from callsheet.plan.plan import Plan
from callsheet.process.finalized import Finalized, nothing
from callsheet.process.forked import forget_after_fork


class Open(NamedTuple):
    """The attempt of an answer that is still to be read, and what listeners are told of its call if it is dropped unclosed."""

    attempt: Attempt
    plan: Plan
    io: Io
    status: int


class Lease(Finalized):
    """Only the frames that make a call, and its answer, refer to it: when they are gone, the attempt holds nothing any more."""

    __slots__ = ()

    def __init__(self, attempt: Attempt) -> None:
        self.__del__ = partial(_ended.append, attempt)

    def cover(self, answer: Open) -> None:
        """Note also when the answer was dropped, of which listeners will be told."""
        now: Callable[[], float | None] = answer.io.now
        # Only when it is called is the time looked at, and appended beside the answer: by C functions.
        self.__del__ = map(_ended.append, zip((answer,), iter(now, None), strict=False)).__next__

    def end(self) -> None:
        """The attempt has let go of everything."""
        self.__del__ = nothing


_ended: deque[Attempt | tuple[Open, float]] = deque()


class DroppedAnswers:
    """What finalizers have noted and the loop has not ended yet."""

    def __init__(self) -> None:
        forget_after_fork(self)

    def end(self) -> None:
        """Give back what each attempt holds. If it had brought an answer, tell listeners that its call is over."""
        while _ended:
            _end_oldest()

    def forget(self) -> None:
        """In a forked child: forget them; the parent ends their calls."""
        _ended.clear()


def _end_oldest() -> None:
    """Under a lease of one's own, so that an interrupt here loses nothing either."""
    try:
        over = _ended[0]
    except IndexError:  # another thread was quicker
        return
    attempt = over if isinstance(over, Attempt) else over[0].attempt
    lease = Lease(attempt)
    try:
        _ended.remove(over)
    except ValueError:
        lease.end()
        return
    let_go(attempt)
    lease.end()
    if not isinstance(over, Attempt):
        _tell_dropped(*over)


def _tell_dropped(answer: Open, at: float) -> None:
    attempt, plan, io, status = answer
    for ended in plan.ended:
        ended(attempt.call)
    if plan.told[CallEnded]:
        facts = facts_of(attempt.call, plan, io)
        tell_call(attempt.call, plan, facts, None, status=status, elapsed=at - attempt.call.started)


DROPPED = DroppedAnswers()
