"""A threading.Event that an interrupt cannot break."""

from __future__ import annotations

import threading


class Gate:
    """Shut until it is opened, for which any number of threads wait.

    An Event takes its lock in Python code. An interrupt there leaves it locked, and whoever sets the Event hangs.
    """

    __slots__ = ("_lock", "is_open")

    def __init__(self) -> None:
        self.is_open = False
        self._lock = threading.Lock()
        self._lock.acquire()

    def open(self) -> None:
        """Let every waiter go on. Opening twice does nothing."""
        self.is_open = True
        self._release()

    def wait(self, seconds: float) -> bool:
        """Whether it is open within `seconds`."""
        if not self.is_open and self._lock.acquire(timeout=min(max(seconds, 0.0), threading.TIMEOUT_MAX)):
            self._release()  # for the next
        return self.is_open

    def _release(self) -> None:
        try:
            self._lock.release()
        except RuntimeError:  # it was open
            pass
