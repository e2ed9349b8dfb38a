"""Work that would block an event loop: one thread does it, and any number of calls wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from callsheet.new_thread import new_thread
from callsheet.verdicts import Ticket

T = TypeVar("T")


class Once(Generic[T]):
    """Work that is done once, in a thread of its own. Raises LocalFault if none can be started.

    `result` or `error` is set when `is_done`. `awaited` gives a ticket to wait for that.
    """

    def __init__(self, work: Callable[[], T], name: str) -> None:
        self.result: T | None = None
        self.error: Exception | None = None
        self.is_done = False
        self._waiting: list[Ticket] = []
        self._lock = threading.Lock()
        new_thread(name, self._do, work)

    def _do(self, work: Callable[[], T]) -> None:
        try:
            self.result = work()
        except Exception as error:  # noqa: BLE001 it is raised where the result is wanted
            self.error = error.with_traceback(None)
        with self._lock:
            self.is_done = True
        for ticket in self._waiting:
            ticket.grant()

    def awaited(self, new_ticket: Callable[[], Ticket]) -> Ticket | None:
        """A ticket that is granted when the work ends; None if it has ended."""
        with self._lock:
            if self.is_done:
                return None
            ticket = new_ticket()
            self._waiting.append(ticket)
            return ticket
