"""Bound the attempts in flight; further ones wait, first come first served.

A service that slows down would otherwise occupy all our threads, sockets and memory. An attempt takes a slot before it is
sent and gives it back when the answer is complete; if no slot is free it waits in a queue.
"""

from __future__ import annotations

import threading

from callsheet.call import Attempt
from callsheet.errors import LimitReached
from callsheet.policies.scope import Own, Scope
from callsheet.settings.concurrency import Concurrency
from callsheet.settings.settings import Settings
from callsheet.verdicts import Refuse, Ticket, WaitFor

SHOWN = 5
"""How many operations an error names as holders of slots, those with the most slots first."""


class Slot:
    """At most `limit` attempts in flight and `queue` waiting; one Slot serves all operations of a service."""

    name = "concurrency"

    def __init__(self, settings: Concurrency) -> None:
        self.limit = settings.limit
        self.queue = settings.queue
        self.in_flight = 0
        self.holders: dict[Attempt, float | None] = {}
        """Since when each holds its slot; None until one that waited for it has gone on."""
        self.waiting: dict[Attempt, Ticket] = {}
        self.lock = threading.Lock()

    def before(self, attempt: Attempt, now: float) -> WaitFor | Refuse | None:
        """Take a slot, or a place in the queue, or refuse if that is full; None if the attempt has its slot."""
        if self in attempt.held:
            self.holders[attempt] = self.holders.get(attempt) or now
            return None
        with self.lock:
            # Held before it is taken: what an interrupt leaves half done, `let_go` undoes.
            if len(self.holders) < self.limit:
                attempt.held[self] = None
                self.holders[attempt] = now
                self.in_flight = len(self.holders)
                return None
            if len(self.waiting) >= self.queue:
                return Refuse(self._full(now), by=self.name)
            ticket = attempt.held[self] = attempt.call.new_ticket()
            self.waiting[attempt] = ticket
        return WaitFor(ticket, lambda at: f"one of {self.limit} slots (concurrency.limit), {self._held(at)}")

    def let_go(self, attempt: Attempt, sent: bool) -> None:  # noqa: FBT001 the questions are asked by position
        """Hand the slot to the attempt that waits longest, or leave the queue; after an interrupt, it may be done again."""
        with self.lock:
            self.holders.pop(attempt, None)
            if self.waiting:
                self.waiting.pop(attempt, None)
            while self.waiting:
                waiter, ticket = next(iter(self.waiting.items()))
                if waiter not in self.holders:
                    if len(self.holders) >= self.limit:
                        break
                    self.holders[waiter] = None
                ticket.grant()
                del self.waiting[waiter]
            self.in_flight = len(self.holders)

    def forget(self) -> None:
        """Begin anew in a forked child: the attempts that have slots or wait are the parent's."""
        self.lock = threading.Lock()
        self.in_flight = 0
        self.holders.clear()
        self.waiting.clear()

    def _full(self, now: float) -> LimitReached:
        return LimitReached(
            f"{self.limit} attempts are in flight and {self.queue} wait (concurrency: limit, queue), {self._held(now)}; "
            "nothing was sent"
        )

    def _held(self, now: float) -> str:
        """Which operations hold the slots, and for how long: what to look at when calls have to wait."""
        since: dict[str, list[float]] = {}
        for holder, at in list(self.holders.items()):
            since.setdefault(holder.call.label, []).append(now if at is None else at)
        most = sorted(since.items(), key=lambda item: -len(item[1]))[:SHOWN]
        told = [f"{len(times)} by {label} (the longest for {now - min(times):.1f} s)" for label, times in most]
        return f"held: {', '.join(told)}" if told else "held by nobody any more"


def make(settings: Settings, scope: Scope, own: Own) -> tuple[Slot, ...]:
    """The slots that an attempt needs: the operation's own, then those of the service under each set of settings.

    The operation's own is taken first, so that a call that queues for it holds no slot that all operations share.
    """
    chosen = [("", each) for each in dict.fromkeys(one.concurrency for one in scope.settings)]
    if "concurrency" in own.written:
        chosen.insert(0, (own.operation, settings.concurrency))
    return tuple(_slot(operation, each, scope) for operation, each in chosen)


def _slot(operation: str, chosen: Concurrency, scope: Scope) -> Slot:
    return scope.one(("concurrency", operation, chosen), lambda: Slot(chosen))
