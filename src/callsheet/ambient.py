"""A deadline around whatever a block of code calls."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import Any, Self

until: ContextVar[float] = ContextVar("callsheet_deadline", default=math.inf)
"""When every call begun here must be over, by the clock of its client."""


class deadline:  # noqa: N801 it reads as the statement that it is
    """End every call that is made inside within `seconds` from now: `with callsheet.deadline(2.0):`.

    It holds for the calls of every client in this thread or task, whatever their own `timeout`, and for those of the tasks
    and threads that take over its context variables: tasks begun inside, `map`, `asyncio.to_thread`. A deadline inside
    another cannot be later than that one. A call that it ends raises DeadlinePassed.

    `now` gives the time in seconds; a test with a FrozenClock hands over `clock.now`. Raises ValueError unless `seconds` is
    a number, 0 or more.
    """

    def __init__(self, seconds: float, *, now: Callable[[], float] = time.monotonic) -> None:
        self.seconds: float = _seconds(seconds)
        self._now = now
        self._tokens: list[Token[float]] = []

    @property
    def remaining(self) -> float:
        """Seconds left until the deadline that holds here; `math.inf` where none does."""
        return until.get() - self._now()

    def __enter__(self) -> Self:
        self._tokens.append(until.set(min(until.get(), self._now() + self.seconds)))
        return self

    def __exit__(self, *_exception: object) -> None:
        until.reset(self._tokens.pop())


def _seconds(written: Any) -> float:
    if isinstance(written, bool) or not isinstance(written, int | float) or not 0 <= written < math.inf:
        raise ValueError(f"deadline: expected a number of seconds, 0 or more, found {written!r}")
    return float(written)
