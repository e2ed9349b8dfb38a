"""How a FakeTransport waits, and how its streamed bodies are read, for a thread and for a task."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Protocol

from callsheet.clock import Clock
from callsheet.engine.io import finish
from callsheet.errors import UsageError
from callsheet.events import WireFacts


class ReplyBody(Protocol):
    """A streamed body written as coroutines; ThreadReading and TaskReading let a thread or a task read it."""

    @property
    def facts(self) -> WireFacts:
        """What was measured so far."""

    async def next(self) -> bytes:
        """The next bytes, b"" at the end."""

    def close(self) -> None:
        """End the reading."""


CLOSED = "this fake transport is closed; make a new one"


async def settled(value: Any) -> Any:
    """The value, awaited if it can be: so code that is written once can call what blocks and what is awaited."""
    return await value if inspect.isawaitable(value) else value


class _AnyReading:
    """A stream without `read`, which differs for threads and tasks."""

    def __init__(self, body: ReplyBody) -> None:
        self._body = body

    @property
    def facts(self) -> WireFacts:
        return self._body.facts

    def close(self) -> None:
        self._body.close()


class ThreadReading(_AnyReading):
    """The stream of a Client's response."""

    def read(self) -> bytes:
        """The next bytes, b"" at the end. Raises NoAnswer if the body breaks off."""
        return finish(self._body.next())


class TaskReading(_AnyReading):
    """The stream of an AsyncClient's response."""

    async def read(self) -> bytes:
        """The next bytes, b"" at the end. Raises NoAnswer if the body breaks off."""
        return await self._body.next()


class _AnyWay:
    """How a FakeTransport waits, without the waiting itself, which differs for threads and tasks."""

    def __init__(self, clock: Clock, is_closed: Callable[[], bool]) -> None:
        self._clock = clock
        self._is_closed = is_closed

    def now(self) -> float:
        return self._clock.now()

    def _check(self) -> None:
        if self._is_closed():
            raise UsageError(f"{CLOSED}: it was closed while this call was in flight")


class ThreadWay(_AnyWay):
    """Waits by blocking the thread."""

    stream = ThreadReading

    async def sleep(self, seconds: float) -> None:
        """Wait so many seconds of the clock. Raises UsageError if the transport is closed meanwhile."""
        self._clock.sleep(seconds)
        self._check()

    async def result(self, value: Any) -> Any:
        """What a scripted function returned. Raises UsageError for a coroutine."""
        if inspect.iscoroutine(value):
            value.close()
        if inspect.isawaitable(value):
            raise UsageError("a coroutine function can answer an AsyncClient only; give a plain function")
        return value


class TaskWay(_AnyWay):
    """Waits by suspending the task."""

    stream = TaskReading

    async def sleep(self, seconds: float) -> None:
        """Wait so many seconds of the clock. Raises UsageError if the transport is closed meanwhile."""
        await self._clock.asleep(seconds)
        self._check()

    async def result(self, value: Any) -> Any:
        """What a scripted function returned, awaited if it can be."""
        return await settled(value)
