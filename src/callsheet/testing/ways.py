"""How the two colours wait for what a script says, and read what it answers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Protocol

from callsheet.clock import Clock
from callsheet.engine.io import finish
from callsheet.errors import UsageError
from callsheet.events import WireFacts
from callsheet.testing.scripted_answer import ReplyPieces


class ReplyBody(Protocol):
    """A body to be read, in no colour."""

    @property
    def facts(self) -> WireFacts:
        """What was measured so far."""

    async def next(self) -> bytes:
        """The next bytes, b"" at the end."""

    def close(self) -> None:
        """Give nothing more."""


CLOSED = "this fake transport is closed; make a new one"


class _AnyWay:
    """What both colours' waits share: a transport that may be closed meanwhile."""

    def __init__(self, clock: Clock, is_closed: Callable[[], bool]) -> None:
        self._clock = clock
        self._is_closed = is_closed

    def now(self) -> float:
        """Seconds of the clock."""
        return self._clock.now()

    def _check(self) -> None:
        if self._is_closed():
            raise UsageError(f"{CLOSED}: it was closed while this call was in flight")


class ThreadWay(_AnyWay):
    """Waits by blocking the thread."""

    async def sleep(self, seconds: float) -> None:
        """See Way."""
        self._clock.sleep(seconds)
        self._check()

    async def result(self, value: Any) -> Any:
        """See Way. Raises UsageError for a coroutine."""
        if inspect.iscoroutine(value):
            value.close()
        if inspect.isawaitable(value):
            raise UsageError("a coroutine function can answer an AsyncClient only; give a plain function")
        return value

    def stream(self, pieces: ReplyPieces) -> ThreadReading:
        """See Way."""
        return ThreadReading(pieces)


class TaskWay(_AnyWay):
    """Waits by suspending the task."""

    async def sleep(self, seconds: float) -> None:
        """See Way."""
        await self._clock.asleep(seconds)
        self._check()

    async def result(self, value: Any) -> Any:
        """See Way."""
        return await value if inspect.isawaitable(value) else value

    def stream(self, pieces: ReplyPieces) -> TaskReading:
        """See Way."""
        return TaskReading(pieces)


class _AnyReading:
    """A body being read."""

    def __init__(self, body: ReplyBody) -> None:
        self._body = body

    @property
    def facts(self) -> WireFacts:
        """What was measured so far."""
        return self._body.facts

    def close(self) -> None:
        """Give nothing more. Closing twice does nothing."""
        self._body.close()


class ThreadReading(_AnyReading):
    """Read by a thread."""

    def read(self) -> bytes:
        """The next bytes, b"" at the end. Raises NoAnswer if the body breaks off."""
        return finish(self._body.next())


class TaskReading(_AnyReading):
    """Read by a task."""

    async def read(self) -> bytes:
        """The next bytes, b"" at the end. Raises NoAnswer if the body breaks off."""
        return await self._body.next()
