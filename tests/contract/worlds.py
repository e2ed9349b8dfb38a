"""One synchronous face for the transports of both colours, so that every test is written once."""

from __future__ import annotations

import asyncio
import signal
import threading
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

from callsheet.call import Limits
from callsheet.errors import APIError
from callsheet.http.body import Content
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.testing import FakeTransport, Faults
from callsheet.transports.asgi import ASGITransport, AsyncASGITransport
from callsheet.transports.connection_settings import ConnectionSettings
from callsheet.transports.curl.asynchronous import AsyncCurlTransport
from callsheet.transports.curl.blocking import CurlTransport
from callsheet.transports.curl.watch import LoopWatch
from tests.contract.apps import echo_app, echoed
from tests.loops import COLOURS as OF_LOOPS
from tests.loops import ON_UVLOOP, new_runner

T = TypeVar("T")
Fact = Callable[[], bool]
PLAIN = ConnectionSettings()
LIMITS = Limits(connect=2.0, read=None, attempt=4.0)


class Interrupted(BaseException):
    """What Ctrl-C would raise in a thread; a test's own, so that it can never end the test run."""


def request(
    url: str, method: str = "GET", body: bytes | None = None, *, is_stream: bool = False, **fields: str
) -> Request:
    """A request; field names are written with `_` for `-`."""
    headers = Headers((name.replace("_", "-"), value) for name, value in fields.items())
    return Request(method, url, headers, None if body is None else Content(body), is_stream=is_stream)


class World(ABC):
    """One transport, and how to wait for it."""

    transport: Any

    def get(self, url: str, limits: Limits = LIMITS) -> Response:
        """The answer to a GET."""
        return self.send(request(url), limits)

    def post(self, url: str, body: bytes = b"{}", limits: Limits = LIMITS) -> Response:
        """The answer to a POST."""
        return self.send(request(url, "POST", body), limits)

    def failure(self, wanted: Request | str, limits: Limits = LIMITS) -> APIError:
        """The error that sending raises: one of ours."""
        with pytest.raises(APIError) as caught:
            self.send(request(wanted) if isinstance(wanted, str) else wanted, limits)
        return caught.value

    def open(self, url: str, limits: Limits = LIMITS) -> Reading:
        """An answer whose body is read as it comes."""
        return Reading(self, self.send(request(url, is_stream=True), limits))

    @abstractmethod
    def send(self, wanted: Request, limits: Limits = LIMITS) -> Response:
        """The answer."""

    @abstractmethod
    def read(self, stream: Any) -> bytes:
        """The next bytes of a stream."""

    @abstractmethod
    def together(self, wanted: Sequence[Request], limits: Limits = LIMITS) -> list[Response | BaseException]:
        """The outcomes of requests that are all in flight at once, by threads or by tasks."""

    @abstractmethod
    def interrupted(self, work: Callable[[], Any], when: Fact) -> BaseException:
        """What comes of work that is interrupted (blocking) or cancelled (asyncio) once a fact holds."""

    @abstractmethod
    def closed_during(self, work: Callable[[], Any], when: Fact) -> BaseException:
        """What comes of work during which, once a fact holds, the transport is closed."""

    @abstractmethod
    def ended_by(self, end: Callable[[], None], work: Callable[[], Any]) -> BaseException:
        """What comes of work that another thread or task ends by `end`."""

    @abstractmethod
    def start(self, wanted: Request, limits: Limits = LIMITS) -> Any:
        """Work for `interrupted` and `closed_during`: send a request."""

    @abstractmethod
    def start_reading(self, stream: Any) -> Any:
        """Work for `interrupted` and `closed_during`: read a stream."""

    @abstractmethod
    def close(self) -> None:
        """Close the transport."""

    @abstractmethod
    def end(self) -> None:
        """Close the transport and everything of this world."""


class Reading:
    """An open answer."""

    def __init__(self, world: World, response: Response) -> None:
        self.world = world
        self.response = response
        self.stream = response.stream

    def read(self) -> bytes:
        """The next bytes."""
        return self.world.read(self.stream)

    def rest(self) -> bytes:
        """All bytes to the end."""
        pieces = []
        while piece := self.read():
            pieces.append(piece)
        return b"".join(pieces)

    def close(self) -> None:
        """Close the answer."""
        self.stream.close()


class BlockingWorld(World):
    """Threads."""

    def __init__(self, wiring: ConnectionSettings = PLAIN, transport: Any = None) -> None:
        self.transport = transport or CurlTransport(wiring)

    def send(self, wanted: Request, limits: Limits = LIMITS) -> Response:
        return self.transport.send(wanted, limits)[0]

    def read(self, stream: Any) -> bytes:
        return stream.read()

    def together(self, wanted: Sequence[Request], limits: Limits = LIMITS) -> list[Response | BaseException]:
        def outcome(one: Request) -> Response | BaseException:
            try:
                return self.send(one, limits)
            except APIError as error:
                return error

        with ThreadPoolExecutor(min(len(wanted), 32)) as pool:
            return list(pool.map(outcome, wanted))

    def start(self, wanted: Request, limits: Limits = LIMITS) -> Callable[[], Any]:
        return lambda: self.send(wanted, limits)

    def start_reading(self, stream: Any) -> Callable[[], Any]:
        return stream.read

    def interrupted(self, work: Callable[[], Any], when: Fact) -> BaseException:
        def interrupt(_signal: int, _frame: Any) -> None:
            raise Interrupted

        def wait_and_signal() -> None:
            when()
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

        before = signal.signal(signal.SIGUSR1, interrupt)
        watcher = threading.Thread(target=wait_and_signal)
        try:
            watcher.start()
            work()
        except (Interrupted, APIError) as outcome:
            return outcome
        finally:
            watcher.join()
            signal.signal(signal.SIGUSR1, before)
        raise AssertionError("the work ended by itself")

    def closed_during(self, work: Callable[[], Any], when: Fact) -> BaseException:
        return self._outcome(work, when, self.close)

    def ended_by(self, end: Callable[[], None], work: Callable[[], Any]) -> BaseException:
        began = threading.Event()

        def begun() -> None:
            began.set()
            work()

        return self._outcome(begun, lambda: began.wait(5.0), end)

    def _outcome(self, work: Callable[[], Any], when: Fact, act: Callable[[], None]) -> BaseException:
        with ThreadPoolExecutor(1) as pool:
            under_way = pool.submit(work)
            assert when()
            act()
            error = under_way.exception(5.0)
        assert error is not None
        return error

    def close(self) -> None:
        self.transport.close()

    def end(self) -> None:
        self.close()


class AsyncioWorld(World):
    """Tasks of one event loop, which runs only while a test waits for it."""

    def __init__(
        self, wiring: ConnectionSettings = PLAIN, transport: Any = None, *, loop: str = "asyncio", **options: Any
    ) -> None:
        self.transport = transport or AsyncCurlTransport(wiring, **options)
        self.complaints: list[dict[str, Any]] = []
        self.runner = new_runner(loop)
        self.runner.get_loop().set_exception_handler(lambda _loop, context: self.complaints.append(context))

    def run(self, work: Awaitable[T]) -> T:
        """Run the loop until this is done."""

        async def whole() -> T:
            return await work

        return self.runner.run(whole())

    def send(self, wanted: Request, limits: Limits = LIMITS) -> Response:
        return self.run(self.transport.send(wanted, limits))[0]

    def read(self, stream: Any) -> bytes:
        return self.run(stream.read())

    def together(self, wanted: Sequence[Request], limits: Limits = LIMITS) -> list[Response | BaseException]:
        async def all_of_them() -> list[Any]:
            sends = (self.transport.send(one, limits) for one in wanted)
            return await asyncio.gather(*sends, return_exceptions=True)

        return [each if isinstance(each, BaseException) else each[0] for each in self.run(all_of_them())]

    def start(self, wanted: Request, limits: Limits = LIMITS) -> Callable[[], Any]:
        return lambda: self.transport.send(wanted, limits)

    def start_reading(self, stream: Any) -> Callable[[], Any]:
        return stream.read

    def interrupted(self, work: Callable[[], Any], when: Fact) -> BaseException:
        return self.run(self._outcome(work, when, lambda task: task.cancel()))

    def closed_during(self, work: Callable[[], Any], when: Fact) -> BaseException:
        return self.run(self._outcome(work, when, lambda _: self.transport.aclose()))

    def ended_by(self, end: Callable[[], None], work: Callable[[], Any]) -> BaseException:
        return self.run(self._outcome(work, lambda: True, lambda _: end()))

    async def _outcome(self, work: Callable[[], Any], when: Fact, act: Callable[[Any], Any]) -> BaseException:
        task = asyncio.ensure_future(work())
        assert await asyncio.to_thread(when)
        done = act(task)
        if asyncio.iscoroutine(done):
            await done
        try:
            async with asyncio.timeout(5.0):
                await asyncio.wait([task])
            task.result()
        except (asyncio.CancelledError, APIError) as outcome:
            return outcome
        raise AssertionError("the work ended by itself")

    def close(self) -> None:
        self.run(self.transport.aclose())

    def end(self) -> None:
        self.close()
        self.runner.close()
        assert self.complaints == []


def world_of(colour: str, wiring: ConnectionSettings = PLAIN) -> World:
    """A world by its name in `COLOURS`."""
    if colour == "blocking":
        return BlockingWorld(wiring)
    if colour == "asgi":
        return BlockingWorld(transport=ASGITransport(echo_app))
    if colour == "asgi-asyncio":
        return AsyncioWorld(transport=AsyncASGITransport(echo_app))
    if colour in SCRIPTED:
        return _scripted(colour)
    loop, _, readers = colour.partition("-")
    return AsyncioWorld(wiring, loop=loop, **({"watch": LoopWatch} if readers else {}))


def _scripted(colour: str) -> World:
    fake = FakeTransport()
    fake.otherwise().call(echoed)
    if colour == "faults":
        return BlockingWorld(transport=Faults(fake, rate=0.0))
    if colour == "faults-asyncio":
        return AsyncioWorld(transport=Faults(fake, rate=0.0).asynchronous)
    return BlockingWorld(transport=fake) if colour == "fake" else AsyncioWorld(transport=fake.asynchronous)


COLOURS = (*OF_LOOPS, "asyncio-readers", pytest.param("uvloop-readers", **ON_UVLOOP))
"""The last two watch sockets by the loop's own readers, as on platforms without epoll."""
SCRIPTED = ("fake", "fake-asyncio", "faults", "faults-asyncio")
"""Testing aids, which answer as the echo server does."""
WITHOUT_SOCKETS = ("asgi", "asgi-asyncio", *SCRIPTED)
"""Those, and an app in this process."""
