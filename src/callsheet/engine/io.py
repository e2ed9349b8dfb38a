"""How the engine waits, in two colours."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, TypeVar

from callsheet.call import Limits
from callsheet.errors import CLOSED, UsageError
from callsheet.events import WireFacts
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.settings.tls import TLS
from callsheet.transports.base import AsyncTransport, Transport
from callsheet.verdicts import Ticket

T = TypeVar("T")
Work = Callable[[], Coroutine[Any, Any, None]]
"""Makes a coroutine that belongs to nobody's call."""


class Io(Protocol):
    """Everything the engine may wait for."""

    @property
    def now(self) -> Callable[[], float]:
        """The clock, in seconds."""

    @property
    def wall(self) -> Callable[[], float]:
        """The time of day, as a Unix timestamp."""

    @property
    def new_ticket(self) -> Callable[[], Ticket]:
        """Makes a ticket of this colour."""

    async def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """The transport's answer."""

    async def read(self, stream: Any) -> bytes:
        """The next bytes of a stream, b"" at its end."""

    async def sleep(self, seconds: float) -> None:
        """Go on later."""

    async def ask(self, store: Any, question: Any, seconds: float) -> Any:
        """A store's answer, for which it has so many seconds."""

    async def wait(self, ticket: Any, seconds: float) -> bool:
        """Whether the ticket was granted in time."""

    def later(self, work: Work) -> bool:
        """Have it done by somebody else; false if nobody will."""

    @property
    def is_closed(self) -> Callable[[], bool]:
        """Whether the client was closed, so that nothing is worth waiting for."""

    def beside(self, tls: TLS) -> Io:
        """The same, but for what it sends: that goes under this TLS, as the service itself allows for the rest."""


def never() -> bool:
    """Default for `is_closed`: the client is never closed."""
    return False


def finish(steps: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine whose io blocks, to its end."""
    try:
        steps.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    steps.close()
    raise RuntimeError(
        f"a bug in Callsheet: {getattr(steps, '__qualname__', steps)} suspended in a blocking call; please report it"
    )


class ThreadTicket:
    """A ticket that a thread waits for."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event = threading.Event()

    @property
    def is_granted(self) -> bool:
        """Whether `grant` was called."""
        return self._event.is_set()

    def grant(self) -> None:
        """Let the waiter go on."""
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Whether it was granted in time."""
        return self._event.wait(min(seconds, threading.TIMEOUT_MAX))


class ThreadIo:
    """Waits by blocking the calling thread."""

    def __init__(
        self,
        transport: Transport,
        later: Callable[[Work], bool],
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        new_ticket: Callable[[], Any] = ThreadTicket,
        *,
        wall: Callable[[], float] = time.time,
        beside: Callable[[TLS], Any] | None = None,
        is_closed: Callable[[], bool] = never,
    ) -> None:
        self.now = now
        self.wall = wall
        self.new_ticket = new_ticket
        self.later = later
        self.beside = beside or (lambda tls: self)
        self.is_closed = is_closed
        self._sleep = sleep
        self._send = transport.send

    async def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """The transport's answer."""
        return self._send(request, limits)

    async def read(self, stream: Any) -> bytes:
        """The next bytes of a stream, b"" at its end."""
        return stream.read()  # type: ignore[no-any-return]

    async def sleep(self, seconds: float) -> None:
        """Go on later."""
        self._sleep(seconds)

    async def ask(self, store: Any, question: Any, seconds: float) -> Any:
        """A store's answer, for which it has so many seconds."""
        return store.ask(question, seconds)

    async def wait(self, ticket: ThreadTicket, seconds: float) -> bool:
        """Whether the ticket was granted in time."""
        return ticket.wait(seconds)


class Pauses:
    """Sleeps that `close` ends, so that nobody is asleep in a client that is closed."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew in a forked child: a thread of the parent's may hold the event's lock."""
        self._closed = threading.Event()

    def sleep(self, seconds: float) -> None:
        """Wait so many seconds. Raises UsageError once the client is closed: nothing goes on after that."""
        if self._closed.wait(seconds):
            raise UsageError(CLOSED)

    def close(self) -> None:
        """End every pause, now and later."""
        self._closed.set()


class AsyncPauses:
    """The same for tasks."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew in a forked child: the event belongs to the parent's loop."""
        self._closed = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """Wait so many seconds. Raises UsageError once the client is closed: nothing goes on after that."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closed.wait()
        if self._closed.is_set():
            raise UsageError(CLOSED)

    def close(self) -> None:
        """End every pause, now and later."""
        self._closed.set()


class TaskTicket:
    """A ticket that a task waits for; it may be granted from any thread."""

    __slots__ = ("_future", "_loop", "_thread", "is_granted")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._future: asyncio.Future[None] = self._loop.create_future()
        self.is_granted = False

    def grant(self) -> None:
        """Let the waiter go on."""
        self.is_granted = True
        if threading.get_ident() == self._thread:
            self._wake()
        else:
            try:
                self._loop.call_soon_threadsafe(self._wake)
            except RuntimeError:  # the loop is closed: nobody waits any more
                pass

    def _wake(self) -> None:
        if not self._future.done():
            self._future.set_result(None)

    async def wait(self, seconds: float) -> bool:
        """Whether it was granted in time; it may be asked again."""
        if self.is_granted:
            return True
        if self._future.done():  # by the timeout of an earlier wait, which cancels what it waited for
            self._future = self._loop.create_future()
        try:
            # Not `wait_for`: before Python 3.12 it loses a cancellation that meets the grant.
            async with asyncio.timeout(seconds):
                await self._future
        except TimeoutError:
            pass
        return self.is_granted


class TaskIo:
    """Waits by suspending the running task."""

    def __init__(
        self,
        transport: AsyncTransport,
        later: Callable[[Work], bool],
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        new_ticket: Callable[[], Any] = TaskTicket,
        *,
        wall: Callable[[], float] = time.time,
        beside: Callable[[TLS], Any] | None = None,
        is_closed: Callable[[], bool] = never,
    ) -> None:
        self.now = now
        self.wall = wall
        self.new_ticket = new_ticket
        self.later = later
        self.beside = beside or (lambda tls: self)
        self.is_closed = is_closed
        self.sleep = sleep
        self.send = transport.send

    async def read(self, stream: Any) -> bytes:
        """The next bytes of a stream, b"" at its end."""
        return await stream.read()  # type: ignore[no-any-return]

    async def ask(self, store: Any, question: Any, seconds: float) -> Any:
        """A store's answer, for which it has so many seconds."""
        async with asyncio.timeout(seconds):
            return await store.ask(question, seconds)

    async def wait(self, ticket: TaskTicket, seconds: float) -> bool:
        """Whether the ticket was granted in time."""
        return await ticket.wait(seconds)
