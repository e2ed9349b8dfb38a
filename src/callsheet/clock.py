"""Where a client's time comes from."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol


class Clock(Protocol):
    """A time of its own for a client under test: a `callsheet.testing.FrozenClock`. How a client asks it is internal."""

    def now(self) -> float:
        """Seconds that only ever grow, as `time.monotonic` gives them."""

    def wall(self) -> float:
        """The time of day as a Unix timestamp, as `time.time` gives it."""

    def sleep(self, seconds: float) -> None:
        """Have a thread wait for so many seconds."""

    async def asleep(self, seconds: float) -> None:
        """Have a task wait for so many seconds."""

    def new_ticket(self) -> Any:
        """A place in a queue that a thread waits for by this clock."""

    def new_task_ticket(self) -> Any:
        """A place in a queue that a task waits for by this clock."""

    def under_way(self) -> AbstractContextManager[None]:
        """Hold the clock still while a request, or a question to a store, takes real time."""
