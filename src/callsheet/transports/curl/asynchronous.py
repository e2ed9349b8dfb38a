"""The libcurl transport for the tasks of an event loop."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, NoReturn

import pycurl

from callsheet.call import Limits
from callsheet.errors import CLOSED, ConnectTimeout, NotSent, TLSError, UsageError
from callsheet.events import WireFacts
from callsheet.http.public import is_public
from callsheet.http.request import Origin, Request
from callsheet.http.response import Response
from callsheet.process.forked import forget_after_fork
from callsheet.transports.connection_settings import ConnectionSettings
from callsheet.transports.curl.driver import Driver, Finished
from callsheet.transports.curl.due import after_body
from callsheet.transports.curl.feed import FedUpload
from callsheet.transports.curl.guard import Allows, allows_of
from callsheet.transports.curl.handle import Handle
from callsheet.transports.curl.handles import Handles
from callsheet.transports.curl.names import Addresses, HostNames, Lookup, joined
from callsheet.transports.curl.next_hop import next_hop_for
from callsheet.transports.curl.options import NO_MEANS, less
from callsheet.transports.curl.quiet import DueGuard, QuietGuard
from callsheet.transports.curl.task_stream import TaskStream
from callsheet.transports.curl.transfer import Transfer
from callsheet.transports.curl.upload import SourceUpload, read_body
from callsheet.transports.curl.waiting import within
from callsheet.transports.curl.watch import Watching, watch_for
from callsheet.transports.refusals import CLOSED_IN_FLIGHT

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

    def __init__(
        self, settings: ConnectionSettings, *, watch: Watching = watch_for, classify: Allows = is_public
    ) -> None:
        self.settings = settings
        self._allows = allows_of(settings, classify)
        self._watch = watch
        self._route = next_hop_for(settings)
        self._is_closed = False
        self._begin()
        forget_after_fork(self)

    def _begin(self) -> None:
        self._names = HostNames(allows=self._allows)
        self._handles: Handles | None = None
        self._nameless: set[Origin] = set()

    def forget(self) -> None:
        """Start with new handles and names in a forked child: the parent's handles are left alone."""
        self._begin()

    async def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """Send and give the answer, content codings not undone. Raises TransportError, ResponseTooLarge, UsageError."""
        handles = self._handles_here()
        origin = request.origin
        route = self._route
        known: Addresses | Lookup | None
        if route.is_proxied:
            known, limits = await self._looked_up_all(handles, route.ends(origin), limits)
        else:
            known = self._names.ready(origin.host, origin.port)
            if isinstance(known, Lookup):
                known, limits = await self._looked_up(handles, known, origin.host, limits)
        send = self._open if request.is_stream else self._exchange
        constants = route.constants_for(origin) if route.varies else route.constants
        if origin in self._nameless:  # no certificate can be read from a kept connection or a resumed session
            constants = [*constants, (pycurl.SSL_SESSIONID_CACHE, 0)]
            limits = limits._replace(fresh=True)
        handle = handles.take(constants)
        try:
            return await send(handles, handle, request, limits, known)
        except TLSError:
            if handle.found_nameless:
                self._nameless.add(origin)
            raise
        except NotSent:
            if not handle.found_dead:
                raise
        # The kept connection was dead before anything was sent, so send on a new one within the same attempt.
        handle = handles.new(route.constants_for(origin))
        return await send(handles, handle, request, limits._replace(fresh=True), known)

    async def _exchange(
        self, handles: Handles, handle: Handle, request: Request, limits: Limits, addresses: Addresses | None
    ) -> tuple[Response, WireFacts | None]:
        driver = handles.driver
        transfer = Transfer(handle, request)
        over: asyncio.Future[tuple[int, str]] = driver.loop.create_future()
        finished = _setter(over)
        guards: list[QuietGuard | DueGuard] = []
        handles.in_flight.add(over)
        try:
            if request.is_upload:
                _carry(driver, transfer)
            transfer.arm(limits)
            if addresses is not None:
                driver.pin(handle, addresses)
            driver.start(handle.easy, finished)
            if request.is_upload:
                guards.append(DueGuard(driver, after_body(transfer, limits.attempt), finished))
            if limits.read is not None:
                guards.append(QuietGuard(driver, transfer, limits.read, finished))
            errno, text = await over
            if errno:
                self._raise_failure(transfer, errno, text)
            answer = transfer.answer(), transfer.facts() if limits.wants_facts else None
        except BaseException:
            handles.drop(handle)
            raise
        else:
            handles.give_back(handle)
            return answer
        finally:
            handles.in_flight.discard(over)
            for guard in guards:
                guard.stop()
            if transfer.upload is not None:
                await transfer.upload.wait_closed()

    async def _open(
        self, handles: Handles, handle: Handle, request: Request, limits: Limits, addresses: Addresses | None
    ) -> tuple[Response, WireFacts | None]:
        driver = handles.driver
        stream = TaskStream(handles, handle, request, limits)
        transfer = stream.transfer
        try:
            if request.is_upload:
                _carry(driver, transfer)
            transfer.arm(limits)
            if addresses is not None:
                driver.pin(handle, addresses)
            await stream.start(limits.attempt)
            if transfer.outcome and transfer.outcome[0] and not transfer.are_headers_complete:
                self._raise_failure(transfer, *transfer.outcome)
            response = transfer.answer()
        except BaseException:
            stream.close()
            raise
        response.stream = stream
        return response, stream.facts if limits.wants_facts else None

    def _raise_failure(self, transfer: Transfer, errno: int, text: str) -> NoReturn:
        """Raise the error of a failed transfer. If it sent nothing, its names are looked up anew next time."""
        if not transfer.sends:
            for host, port in self._route.ends(transfer.request.origin):
                self._names.forget(host, port)
        raise transfer.failure(errno, text)

    def _handles_here(self) -> Handles:
        if self._is_closed:
            raise UsageError(CLOSED)
        loop = asyncio.get_running_loop()
        if self._handles is None:
            try:
                driver = Driver(loop, self.settings.pool, self._watch)
            except NotImplementedError:
                raise UsageError(NO_READERS) from None
            except (pycurl.error, OSError) as error:
                raise NotSent(NO_MEANS.format(error=error)) from None
            self._handles = Handles(driver, self.settings.pool.connections, self._allows)
        elif self._handles.driver.loop is not loop:
            raise UsageError(WRONG_LOOP)
        return self._handles

    async def _looked_up_all(
        self, handles: Handles, ends: tuple[tuple[str, int], ...], limits: Limits
    ) -> tuple[Addresses | None, Limits]:
        found = []
        for host, port in ends:
            known = self._names.ready(host, port)
            if isinstance(known, Lookup):
                known, limits = await self._looked_up(handles, known, host, limits)
            found.append(known)
        return joined(*found), limits

    async def _looked_up(self, handles: Handles, lookup: Lookup, host: str, limits: Limits) -> tuple[Addresses, Limits]:
        loop = handles.driver.loop
        started = loop.time()
        over: asyncio.Future[Any] = loop.create_future()
        handles.in_flight.add(over)
        lookup.when_done(lambda: _tell(loop, over))
        most = min(limits.connect, limits.attempt)
        try:
            in_time = await within(over, most)
        finally:
            handles.in_flight.discard(over)
        if not in_time:
            raise ConnectTimeout(f"the name {host} was not resolved within {most:g} s (timeout.connect)")
        if self._is_closed:
            raise UsageError(CLOSED_IN_FLIGHT)
        return lookup.addresses(host), less(limits, loop.time() - started)

    async def aclose(self) -> None:
        """Abort every transfer in flight and close every connection, without waiting for the network."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._handles is not None:
            self._handles.close()


def _carry(driver: Driver, transfer: Transfer) -> None:
    body = read_body(transfer.request)
    pieces = body.asynchronous
    easy = transfer.easy
    upload = SourceUpload(body) if pieces is None else FedUpload(pieces, lambda: driver.resume(easy, transfer.pauses))
    transfer.carry(upload)


def _setter(over: asyncio.Future[tuple[int, str]]) -> Finished:
    def finished(errno: int, text: str) -> None:
        if not over.done():
            over.set_result((errno, text))

    return finished


def _tell(loop: asyncio.AbstractEventLoop, over: asyncio.Future[Any]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed, and no task of it waits
        loop.call_soon_threadsafe(_end, over)


def _end(over: asyncio.Future[Any]) -> None:
    if not over.done():
        over.set_result(True)
