"""The body of an answer that a task reads as it comes."""

from __future__ import annotations

import asyncio
import contextlib
import warnings
from functools import partial
from typing import Any

import pycurl

from callsheet.call import Limits
from callsheet.errors import CLOSED, UsageError
from callsheet.events import WireFacts
from callsheet.http.request import Request
from callsheet.process.finalized import Finalized, nothing
from callsheet.transports.curl.due import left_for
from callsheet.transports.curl.handle import Handle
from callsheet.transports.curl.handles import Handles
from callsheet.transports.curl.quiet import QuietGuard
from callsheet.transports.curl.stream import NEVER_CLOSED, StreamedTransfer
from callsheet.transports.curl.waiting import within
from callsheet.transports.refusals import OF_PARENT, STREAM_CLOSED


class NextStep:
    """Wakes the task that waits for the next step of a transfer.

    The driver refers to this instead of the stream, so that a stream which the user has dropped is garbage-collected,
    with a warning.
    """

    __slots__ = ("waiter",)

    def __init__(self) -> None:
        self.waiter: asyncio.Future[Any] | None = None

    def __call__(self) -> None:
        """Wake the waiting task, if there is one."""
        if self.waiter is not None and not self.waiter.done():
            self.waiter.set_result(True)


class TaskStream(Finalized):
    """Reads the body of a transfer, for one task at a time."""

    def __init__(self, handles: Handles, handle: Handle, request: Request, limits: Limits) -> None:
        self._handles = handles
        self._driver = handles.driver
        self._quiet = limits.read
        self._step = NextStep()
        self._is_closed = False
        self.transfer = StreamedTransfer(handle, request, self._step)
        self.__del__ = partial(_drop, handles, self.transfer)

    @property
    def facts(self) -> WireFacts:
        """What was measured so far."""
        return self.transfer.facts()

    async def start(self, seconds: float) -> None:
        """Send, and wait `seconds` at most for the headers. Raises AttemptTimeout (or ConnectTimeout)."""
        transfer, driver = self.transfer, self._driver
        left = left_for(transfer, seconds)
        guard = None
        if self._quiet is not None and (self._quiet < seconds or transfer.upload is not None):
            guard = QuietGuard(driver, transfer, self._quiet, transfer.finished)
        try:
            driver.start(transfer.handle, transfer.finished)
            while not transfer.are_headers_complete and transfer.outcome is None:
                seconds = left()
                if seconds <= 0:
                    raise transfer.failure(pycurl.E_OPERATION_TIMEDOUT, "")
                await self._next_step(seconds)
        finally:
            if guard is not None:
                guard.stop()

    async def read(self) -> bytes:
        """The next bytes as they stand on the wire, b"" at the end. Raises NoAnswer if the body breaks off."""
        transfer = self.transfer
        self._check()
        while not transfer.waiting_bytes and transfer.outcome is None:
            in_time = await self._next_step(self._quiet)
            if self._is_closed:
                raise UsageError(STREAM_CLOSED)
            if not in_time:
                raise transfer.stalled(self._quiet)
        return transfer.next_bytes(self._driver.nudge)

    def _check(self) -> None:
        if self._is_closed:
            raise UsageError(STREAM_CLOSED)
        if self._driver.is_of_parent:
            raise UsageError(OF_PARENT)
        if self._driver.is_closed:
            raise UsageError(f"{CLOSED}, and this answer with it")
        if self._step.waiter is not None:
            raise UsageError("another task is reading this answer; let one task read it")

    async def _next_step(self, seconds: float | None) -> bool:
        """Wait for headers, bytes or the end; False if none came within `seconds`."""
        self._step.waiter = waiter = self._driver.loop.create_future()
        in_flight = self._handles.in_flight
        in_flight.add(waiter)
        try:
            return bool(await within(waiter, seconds))
        finally:
            in_flight.discard(waiter)
            self._step.waiter = None

    def close(self) -> None:
        """Keep the connection if the whole body was received, else close it. A reading task gets UsageError at once."""
        if self._is_closed:
            return
        self._is_closed = True
        self.__del__ = nothing
        if self.transfer.is_whole:
            self._handles.give_back(self.transfer.handle)
        else:
            self._handles.drop(self.transfer.handle)
        self._step()


def _drop(handles: Handles, transfer: StreamedTransfer) -> None:
    """The end of a stream that was dropped unclosed. An answer in a cycle may outlive it, and close it: the handle is not kept."""
    transfer.outcome = (pycurl.E_ABORTED_BY_CALLBACK, "")
    with contextlib.suppress(RuntimeError):  # the loop is closed; its connections end with the driver
        handles.driver.loop.call_soon_threadsafe(handles.drop, transfer.handle)
    warnings.warn(f"{NEVER_CLOSED}: {transfer.request!r}", ResourceWarning, stacklevel=1, source=transfer)
