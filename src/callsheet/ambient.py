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
    """End every call made inside within so many seconds from now: `with callsheet.deadline(2.0):`.

    A deadline inside another can only be earlier. It holds for calls of both colours in this thread or task, and in those
    that take its context variables along (tasks begun inside, `map`, `asyncio.to_thread`), whatever their own `timeout`.
    `now` is the clock, for tests with one of their own. Raises ValueError for seconds that are not 0 or more.
    """

    def __init__(self, seconds: float, *, now: Callable[[], float] = time.monotonic) -> None:
        self.seconds = _seconds(seconds)
        self._now = now
        self._tokens: list[Token[float]] = []

    @property
    def remaining(self) -> float:
        """Seconds left of the deadline that holds here; `math.inf` outside of any."""
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
