"""libcurl for threads."""

from __future__ import annotations

import contextlib
import os
import threading
import time

import pycurl

from callsheet.call import Limits
from callsheet.errors import AttemptTimeout, ConnectTimeout, UsageError
from callsheet.events import WireFacts
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.transports.curl.lane import AbortedError, Lane
from callsheet.transports.curl.names import Addresses, Lookup, Names
from callsheet.transports.curl.options import CLOSED, Wiring, constant_options, less
from callsheet.transports.curl.stream import StreamedTransfer
from callsheet.transports.curl.transfer import Transfer
from callsheet.transports.forked import forget_after_fork, leak


class CurlTransport:
    """Sends requests by libcurl, for any number of threads: each call in flight has a lane of its own.

    Lanes wait last in, first out, so that few connections do the work and the others age out.
    """

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self._constants = constant_options(wiring)
        self._begin()
        forget_after_fork(self)

    def _begin(self) -> None:
        self._names = Names()
        self._idle: list[Lane] = []
        self._busy: set[Lane] = set()
        self._lock = threading.Lock()
        self._wake, self._waker = os.pipe()
        self._is_closed = False

    def forget(self) -> None:
        """Leave the parent's connections alone: this is a forked child."""
        for lane in (*self._idle, *self._busy):
            leak(lane)
        self._begin()

    def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts]:
        """The answer, body still coded. Raises TransportError, ResponseTooLarge, or UsageError once closed."""
        addresses, limits = self._addresses(request, limits)
        lane = self._take()
        try:
            answer = (self._open if request.is_stream else self._exchange)(lane, request, limits, addresses)
        except AbortedError:
            self._destroy(lane)
            raise UsageError(f"{CLOSED}: it was closed while this call was in flight") from None
        except BaseException:
            self._destroy(lane)
            raise
        if not request.is_stream:
            self._give_back(lane)
        return answer

    def _exchange(
        self, lane: Lane, request: Request, limits: Limits, addresses: Addresses | None
    ) -> tuple[Response, WireFacts]:
        transfer = Transfer(lane.easy, request)
        transfer.arm(self._constants, limits)
        if addresses is not None:
            lane.pin(request.origin.host, addresses)
        lane.start()
        errno, text = lane.run(transfer, limits.read)
        if errno:
            self._note_failure(request, transfer)
            raise transfer.failure(errno, text)
        return transfer.answer(), transfer.facts()

    def _open(
        self, lane: Lane, request: Request, limits: Limits, addresses: Addresses | None
    ) -> tuple[Response, WireFacts]:
        transfer = StreamedTransfer(lane.easy, request, progress=lambda: None)
        transfer.arm(self._constants, limits)
        if addresses is not None:
            lane.pin(request.origin.host, addresses)
        lane.start()
        in_time = lane.run_until(lambda: transfer.are_headers_complete, limits.attempt, limits.read)
        if not in_time:
            raise transfer.failure(pycurl.E_OPERATION_TIMEDOUT, "")
        transfer.outcome = lane.outcome()
        if transfer.outcome and transfer.outcome[0]:
            self._note_failure(request, transfer)
            raise transfer.failure(*transfer.outcome)
        response = transfer.answer()
        response.stream = LaneStream(self, lane, transfer, limits.read)
        return response, transfer.facts()

    def _note_failure(self, request: Request, transfer: Transfer) -> None:
        if not transfer.sends:
            self._names.forget(request.origin.host, request.origin.port)

    def _addresses(self, request: Request, limits: Limits) -> tuple[Addresses | None, Limits]:
        """Where the host is, and the limits less the time that finding out took."""
        origin = request.origin
        known = self._names.ready(origin.host, origin.port)
        if not isinstance(known, Lookup):
            return known, limits
        started = time.monotonic()
        most = min(limits.connect, limits.attempt)
        if not known.done.wait(most):
            raise ConnectTimeout(f"the name {origin.host} was not resolved within {most:g} s (timeout.connect)")
        return known.addresses(origin.host), less(limits, time.monotonic() - started)

    def _take(self) -> Lane:
        with self._lock:
            if self._is_closed:
                raise UsageError(CLOSED)
            lane = self._idle.pop() if self._idle else Lane(self._wake)
            self._busy.add(lane)
        return lane

    def _give_back(self, lane: Lane) -> None:
        now = lane.last_used = time.monotonic()
        with self._lock:
            self._busy.discard(lane)
            if self._is_closed or len(self._idle) >= self.wiring.pool.connections:
                lane.close()
                return
            self._idle.append(lane)
            while now - self._idle[0].last_used > self.wiring.pool.idle:
                self._idle.pop(0).close()

    def _destroy(self, lane: Lane) -> None:
        with self._lock:
            self._busy.discard(lane)
        lane.close()

    def close(self) -> None:
        """Abort what is in flight and let go of every connection; never waits for the network."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            idle, self._idle = self._idle, []
        os.write(self._waker, b"x")
        for lane in idle:
            lane.close()

    def __del__(self) -> None:
        for fd in (self._wake, self._waker):
            with contextlib.suppress(OSError):
                os.close(fd)


class LaneStream:
    """The body of an answer, read by the thread that asks for it."""

    def __init__(self, transport: CurlTransport, lane: Lane, transfer: StreamedTransfer, quiet: float | None) -> None:
        self._transport = transport
        self._lane = lane
        self._transfer = transfer
        self._quiet = quiet
        self._is_closed = False
        self.facts = transfer.facts()

    def read(self) -> bytes:
        """The next bytes as they stand on the wire, b"" at the end. Raises NoAnswer if the body breaks off."""
        transfer = self._transfer
        if self._is_closed:
            raise UsageError("the answer is closed; its body cannot be read any more")
        if not transfer.pieces and transfer.outcome is None:
            self._advance()
        if transfer.pieces:
            taken = transfer.take()
            if transfer.outcome is None and not transfer.pieces:
                self._lane.nudge()
            return taken
        return transfer.end_of_body()

    def _advance(self) -> None:
        transfer = self._transfer
        try:
            in_time = self._lane.run_until(lambda: bool(transfer.pieces), None, self._quiet)
        except AbortedError:
            raise UsageError(f"{CLOSED}: it was closed while this answer was read") from None
        if not in_time:
            raise AttemptTimeout(
                f"no byte for {self._quiet:g} s (timeout.read) in the middle of the body",
                was_sent=True,
                request=transfer.request.redacted(),
            )
        transfer.outcome = self._lane.outcome()

    def close(self) -> None:
        """Give the lane back after a whole body; else close its connection."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._transfer.outcome is not None and self._transfer.outcome[0] == 0:
            self._transport._give_back(self._lane)
        else:
            self._transport._destroy(self._lane)
