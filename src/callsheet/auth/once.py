"""Work that takes too long to be done where it is needed: one thread does it, and any number of calls wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from callsheet.verdicts import Ticket

T = TypeVar("T")


class Once(Generic[T]):
    """Work that is done once, in a thread of its own that holds up no exit.

    `result` or `error` is there when `is_done`. Whoever wants to know when asks for a ticket.
    """

    def __init__(self, work: Callable[[], T], name: str) -> None:
        self.result: T | None = None
        self.error: Exception | None = None
        self.is_done = False
        self._waiting: list[Ticket] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._do, args=(work,), name=f"callsheet-{name}", daemon=True).start()

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
        """A ticket that is granted at the end; None if that is past."""
        with self._lock:
            if self.is_done:
                return None
            ticket = new_ticket()
            self._waiting.append(ticket)
            return ticket
