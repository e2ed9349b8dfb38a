"""How the engine waits, in two colours: by blocking a thread, or by suspending a task."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from callsheet.call import Limits
from callsheet.errors import CLOSED, UsageError
from callsheet.events import WireFacts
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.process.gate import Gate
from callsheet.settings.tls import TLS
from callsheet.verdicts import Ticket

T = TypeVar("T")
Work = Callable[[], Coroutine[Any, Any, None]]
"""Makes a coroutine that runs in the background, so that no call has to wait for it."""


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
        """Makes a ticket that a thread, or a task, can wait for."""

    async def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """The transport's answer."""

    async def read(self, stream: Any) -> bytes:
        """The next bytes of a stream, b"" at its end."""

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds."""

    async def ask(self, store: Any, question: Any, seconds: float) -> Any:
        """A store's answer, waited for at most `seconds`."""

    async def wait(self, ticket: Any, seconds: float) -> bool:
        """Whether the ticket is granted within `seconds`."""

    def later(self, work: Work) -> bool:
        """Start work in the background; false if the client is closed."""

    @property
    def is_closed(self) -> Callable[[], bool]:
        """Whether the client was closed, so that nothing is worth waiting for."""

    def beside(self, tls: TLS) -> Io:
        """An io that sends under this TLS: for requests to another host than the service, such as a token endpoint."""


def never() -> bool:
    """Default for `is_closed`: the client is never closed."""
    return False


def finish(steps: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, on a blocking io. Raises RuntimeError if it suspends, which is a bug of ours."""
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

    __slots__ = ("_gate",)

    def __init__(self) -> None:
        self._gate = Gate()

    @property
    def is_granted(self) -> bool:
        """Whether `grant` was called."""
        return self._gate.is_open

    def grant(self) -> None:
        """Let the waiter go on."""
        self._gate.open()

    def wait(self, seconds: float) -> bool:
        """Whether it is granted within `seconds`."""
        return self._gate.wait(seconds)


@dataclass(eq=False, repr=False)
class _AnyIo:
    """What both ios are made of; `later`, `beside` and the clocks are those of Io, `pause` is what sleeps."""

    transport: Any
    later: Callable[[Work], bool]
    beside: Callable[[TLS], Any]
    pause: Callable[[float], Any]
    now: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    is_closed: Callable[[], bool] = never


@dataclass(eq=False, repr=False)
class ThreadIo(_AnyIo):
    """Waits by blocking the calling thread."""

    new_ticket: Callable[[], Any] = ThreadTicket

    async def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """The transport's answer."""
        return self.transport.send(request, limits)  # type: ignore[no-any-return]

    async def read(self, stream: Any) -> bytes:
        """The next bytes of a stream, b"" at its end."""
        return stream.read()  # type: ignore[no-any-return]

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds."""
        self.pause(seconds)

    async def ask(self, store: Any, question: Any, seconds: float) -> Any:
        """A store's answer, waited for at most `seconds`."""
        return store.ask(question, seconds)

    async def wait(self, ticket: ThreadTicket, seconds: float) -> bool:
        """Whether the ticket is granted within `seconds`."""
        return ticket.wait(seconds)


class Pauses:
    """Sleeps of threads, which `close` ends: no thread goes on sleeping in a closed client."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew in a forked child: a thread of the parent's may hold the gate's lock."""
        self._closed = Gate()

    def sleep(self, seconds: float) -> None:
        """Wait for so many seconds. Raises UsageError as soon as the client is closed."""
        if self._closed.wait(seconds):
            raise UsageError(CLOSED)

    def close(self) -> None:
        """End every pause under way; a later one ends at once."""
        self._closed.open()


class AsyncPauses:
    """Sleeps of tasks, which `close` ends."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew in a forked child: the event belongs to the parent's loop."""
        self._closed = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds. Raises UsageError as soon as the client is closed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closed.wait()
        if self._closed.is_set():
            raise UsageError(CLOSED)

    def close(self) -> None:
        """End every pause under way; a later one ends at once."""
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
            except RuntimeError:  # the loop is closed, so no task waits any more
                pass

    def _wake(self) -> None:
        if not self._future.done():
            self._future.set_result(None)

    async def wait(self, seconds: float | None) -> bool:
        """Whether it is granted within `seconds` (None: no limit); may be called again after a timeout."""
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


@dataclass(eq=False, repr=False)
class TaskIo(_AnyIo):
    """Waits by suspending the running task."""

    new_ticket: Callable[[], Any] = TaskTicket

    def __post_init__(self) -> None:
        self.send = (
            self.transport.send
        )  # awaited as they are: a method around each would be one more coroutine per call
        self.sleep = self.pause

    async def read(self, stream: Any) -> bytes:
        """The next bytes of a stream, b"" at its end."""
        return await stream.read()  # type: ignore[no-any-return]

    async def ask(self, store: Any, question: Any, seconds: float) -> Any:
        """A store's answer, waited for at most `seconds`."""
        return await store.ask(question, seconds)

    async def wait(self, ticket: TaskTicket, seconds: float) -> bool:
        """Whether the ticket is granted within `seconds`."""
        return await ticket.wait(seconds)
