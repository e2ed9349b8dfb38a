"""libcurl for tasks."""

from __future__ import annotations

import asyncio
from typing import Any

import pycurl

from callsheet.call import Limits
from callsheet.errors import AttemptTimeout, ConnectTimeout, UsageError
from callsheet.events import WireFacts
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.transports.curl.driver import Driver
from callsheet.transports.curl.names import Addresses, Lookup, Names
from callsheet.transports.curl.options import CLOSED, Wiring, constant_options, less
from callsheet.transports.curl.stream import StreamedTransfer
from callsheet.transports.curl.transfer import Transfer
from callsheet.transports.forked import forget_after_fork, leak

WRONG_LOOP = (
    "this client was first used in another event loop, which its connections belong to; "
    "make one AsyncClient per loop (per asyncio.run)"
)
NO_READERS = (
    "this event loop cannot watch sockets; on Windows use a selector loop: "
    "asyncio.run(main(), loop_factory=asyncio.SelectorEventLoop)"
)


class AsyncCurlTransport:
    """Sends requests by libcurl, for the tasks of one event loop: the first one it is used in."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self._constants = constant_options(wiring)
        self._begin()
        forget_after_fork(self)

    def _begin(self) -> None:
        self._names = Names()
        self._idle: list[pycurl.Curl] = []
        self._driver: Driver | None = None
        self._in_flight: set[asyncio.Future[Any]] = set()
        self._is_closed = False

    def forget(self) -> None:
        """Leave the parent's connections alone: this is a forked child."""
        leak((self._driver, self._idle))
        self._begin()

    async def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts]:
        """The answer, body still coded. Raises TransportError, ResponseTooLarge, or UsageError once closed."""
        driver = self._driver_here()
        origin = request.origin
        known = self._names.ready(origin.host, origin.port)
        if isinstance(known, Lookup):
            known, limits = await self._looked_up(known, origin.host, limits)
        easy = self._idle.pop() if self._idle else pycurl.Curl()
        send = self._open if request.is_stream else self._exchange
        return await send(driver, easy, request, limits, known)

    async def _exchange(
        self, driver: Driver, easy: pycurl.Curl, request: Request, limits: Limits, addresses: Addresses | None
    ) -> tuple[Response, WireFacts]:
        transfer = Transfer(easy, request)
        transfer.arm(self._constants, limits)
        if addresses is not None:
            driver.pin(easy, request.origin.host, addresses)
        over: asyncio.Future[tuple[int, str]] = driver.loop.create_future()
        guard = None if limits.read is None else QuietGuard(driver, transfer, limits.read, over)
        self._in_flight.add(over)
        try:
            driver.start(easy, _setter(over))
            errno, text = await over
            if errno:
                self._note_failure(request, transfer)
                raise transfer.failure(errno, text)
            answer = transfer.answer(), transfer.facts()
        except BaseException:
            driver.abort(easy)
            raise
        finally:
            self._in_flight.discard(over)
            if guard is not None:
                guard.stop()
        self._idle.append(easy)
        return answer

    async def _open(
        self, driver: Driver, easy: pycurl.Curl, request: Request, limits: Limits, addresses: Addresses | None
    ) -> tuple[Response, WireFacts]:
        stream = TaskStream(self, driver, easy, request, limits)
        if addresses is not None:
            driver.pin(easy, request.origin.host, addresses)
        try:
            await stream.start(limits.attempt)
            if stream.transfer.outcome and stream.transfer.outcome[0]:
                self._note_failure(request, stream.transfer)
                raise stream.transfer.failure(*stream.transfer.outcome)
            response = stream.transfer.answer()
        except BaseException:
            stream.close()
            raise
        response.stream = stream
        return response, stream.facts

    def _note_failure(self, request: Request, transfer: Transfer) -> None:
        if not transfer.sends:
            self._names.forget(request.origin.host, request.origin.port)

    def _driver_here(self) -> Driver:
        if self._is_closed:
            raise UsageError(CLOSED)
        loop = asyncio.get_running_loop()
        if self._driver is None:
            try:
                self._driver = Driver(loop, self.wiring.pool)
            except NotImplementedError:
                raise UsageError(NO_READERS) from None
        elif self._driver.loop is not loop:
            raise UsageError(WRONG_LOOP)
        return self._driver

    async def _looked_up(self, lookup: Lookup, host: str, limits: Limits) -> tuple[Addresses, Limits]:
        loop = asyncio.get_running_loop()
        started = loop.time()
        over: asyncio.Future[tuple[int, str]] = loop.create_future()
        self._in_flight.add(over)
        lookup.when_done(lambda: _tell(loop, over))
        most = min(limits.connect, limits.attempt)
        try:
            await asyncio.wait_for(over, most)
        except TimeoutError:
            raise ConnectTimeout(f"the name {host} was not resolved within {most:g} s (timeout.connect)") from None
        finally:
            self._in_flight.discard(over)
        return lookup.addresses(host), less(limits, loop.time() - started)

    async def aclose(self) -> None:
        """Abort what is in flight and let go of every connection; never waits for the network."""
        if self._is_closed:
            return
        self._is_closed = True
        for future in self._in_flight:
            if not future.done():
                future.set_exception(UsageError(f"{CLOSED}: it was closed while this call was in flight"))
        if self._driver is not None:
            self._driver.close()
        for easy in self._idle:
            easy.close()
        self._idle.clear()


def _setter(over: asyncio.Future[tuple[int, str]]) -> Any:
    def finished(errno: int, text: str) -> None:
        if not over.done():
            over.set_result((errno, text))

    return finished


def _tell(loop: asyncio.AbstractEventLoop, over: asyncio.Future[tuple[int, str]]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(_setter(over), 0, "")


class QuietGuard:
    """Ends a transfer on whose connection no byte has moved for some seconds."""

    def __init__(
        self, driver: Driver, transfer: Transfer, seconds: float, over: asyncio.Future[tuple[int, str]]
    ) -> None:
        self._driver = driver
        self._transfer = transfer
        self._seconds = seconds
        self._over = over
        self._since = driver.loop.time()
        driver.counts_moves += 1
        self._timer = driver.loop.call_later(seconds, self._look)

    def _look(self) -> None:
        fd = self._transfer.easy.getinfo(pycurl.ACTIVESOCKET)
        quiet_at = max(self._since, self._driver.moved.get(fd, 0.0)) + self._seconds
        if self._driver.loop.time() < quiet_at:
            self._timer = self._driver.loop.call_at(quiet_at, self._look)
        elif not self._over.done():
            self._transfer.was_quiet = True
            self._over.set_result((pycurl.E_OPERATION_TIMEDOUT, ""))

    def stop(self) -> None:
        """The transfer is over."""
        self._timer.cancel()
        self._driver.counts_moves -= 1


class TaskStream:
    """The body of an answer, read by the task that asks for it."""

    def __init__(
        self, transport: AsyncCurlTransport, driver: Driver, easy: pycurl.Curl, request: Request, limits: Limits
    ) -> None:
        self._transport = transport
        self._driver = driver
        self._quiet = limits.read
        self._waiter: asyncio.Future[Any] | None = None
        self._is_closed = False
        self.transfer = StreamedTransfer(easy, request, self._on_progress)
        self.transfer.arm(transport._constants, limits)

    @property
    def facts(self) -> WireFacts:
        """What was measured so far."""
        return self.transfer.facts()

    def _on_progress(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _on_finished(self, errno: int, text: str) -> None:
        self.transfer.outcome = (errno, text)
        self._on_progress()

    async def start(self, seconds: float) -> None:
        """Send, and wait for the headers. Raises AttemptTimeout (or ConnectTimeout)."""
        transfer = self.transfer
        until = self._driver.loop.time() + seconds
        self._driver.start(transfer.easy, self._on_finished)
        while not transfer.are_headers_complete and transfer.outcome is None:
            left = until - self._driver.loop.time()
            limit = left if self._quiet is None else min(left, self._quiet)
            if not await self._progress(limit):
                raise transfer.failure(pycurl.E_OPERATION_TIMEDOUT, "")

    async def read(self) -> bytes:
        """The next bytes as they stand on the wire, b"" at the end. Raises NoAnswer if the body breaks off."""
        transfer = self.transfer
        if self._is_closed:
            raise UsageError("the answer is closed; its body cannot be read any more")
        while not transfer.pieces and transfer.outcome is None:
            if not await self._progress(self._quiet):
                raise AttemptTimeout(
                    f"no byte for {self._quiet:g} s (timeout.read) in the middle of the body",
                    was_sent=True,
                    request=transfer.request.redacted(),
                )
        if not transfer.pieces:
            return transfer.end_of_body()
        taken = transfer.take()
        if transfer.outcome is None:
            self._driver.nudge()
        return taken

    async def _progress(self, seconds: float | None) -> bool:
        """Wait for a step of libcurl; False if there was none for so long."""
        self._waiter = self._driver.loop.create_future()
        self._transport._in_flight.add(self._waiter)
        try:
            await asyncio.wait_for(self._waiter, seconds)
        except TimeoutError:
            return False
        finally:
            self._transport._in_flight.discard(self._waiter)
            self._waiter = None
        return True

    def close(self) -> None:
        """Keep the connection after a whole body; else close it."""
        if self._is_closed:
            return
        self._is_closed = True
        if self.transfer.outcome is not None and self.transfer.outcome[0] == 0 and not self._transport._is_closed:
            self._transport._idle.append(self.transfer.easy)
        else:
            self._driver.abort(self.transfer.easy)
