"""Bounded calls in flight, in the order they came.

A service that slows down would otherwise collect all our threads, sockets and memory. A slot is taken before anything
is sent and given back when the answer is complete; whoever finds none waits in a queue that is first come, first served.
"""

from __future__ import annotations

import threading
from collections import deque

from callsheet.call import Attempt
from callsheet.errors import LimitReached
from callsheet.settings.concurrency import Concurrency
from callsheet.verdicts import Refuse, Ticket, WaitFor


class Slot:
    """At most `limit` attempts in flight and `queue` waiting; one Slot serves all operations of a service."""

    name = "concurrency"

    def __init__(self, settings: Concurrency) -> None:
        self.limit = settings.limit
        self.queue = settings.queue
        self.in_flight = 0
        self.waiting: deque[Ticket] = deque()
        self.lock = threading.Lock()

    def before(self, attempt: Attempt, now: float) -> WaitFor | Refuse | None:
        """Take a slot, or a place in the queue; nothing if this attempt has one already."""
        if self in attempt.held:
            return None
        with self.lock:
            if self.in_flight < self.limit:
                self.in_flight += 1
                attempt.held[self] = None
                return None
            if len(self.waiting) >= self.queue:
                return Refuse(self._full(), by=self.name)
            ticket = attempt.held[self] = attempt.call.new_ticket()
            self.waiting.append(ticket)
        return WaitFor(ticket, f"one of {self.limit} slots (concurrency.limit)")

    def let_go(self, attempt: Attempt, sent: bool) -> None:  # noqa: FBT001 the questions are asked by position
        """Hand the slot to the oldest waiter, or leave the queue if it was never had."""
        ticket: Ticket | None = attempt.held[self]
        with self.lock:
            if ticket is not None and not ticket.is_granted:
                self.waiting.remove(ticket)
            elif self.waiting:
                self.waiting.popleft().grant()
            else:
                self.in_flight -= 1

    def forget(self) -> None:
        """Begin anew in a forked child: whoever held or waited is in the parent."""
        self.lock = threading.Lock()
        self.in_flight = 0
        self.waiting.clear()

    def _full(self) -> LimitReached:
        return LimitReached(
            f"{self.limit} attempts are in flight and {self.queue} wait (concurrency: limit, queue); nothing was sent"
        )
