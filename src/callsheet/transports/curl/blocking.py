"""The libcurl transport for threads."""

from __future__ import annotations

import time
from typing import NoReturn
from weakref import ref

import pycurl

from callsheet.call import Limits
from callsheet.errors import CLOSED, ConnectTimeout, UsageError
from callsheet.events import WireFacts
from callsheet.http.public import is_public
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.process.forked import forget_after_fork
from callsheet.transports.connection_settings import ConnectionSettings
from callsheet.transports.curl.due import after_body, left_for
from callsheet.transports.curl.guard import Allows, allows_of
from callsheet.transports.curl.lane import AbortedError, Lane
from callsheet.transports.curl.lane_stream import LaneStream
from callsheet.transports.curl.lanes import Lanes
from callsheet.transports.curl.names import Addresses, HostNames, Lookup, joined
from callsheet.transports.curl.next_hop import next_hop_for
from callsheet.transports.curl.options import less
from callsheet.transports.curl.stream import StreamedTransfer
from callsheet.transports.curl.transfer import Transfer
from callsheet.transports.curl.upload import SourceUpload, read_body
from callsheet.transports.refusals import CLOSED_IN_FLIGHT


class CurlTransport:
    """Sends requests by libcurl, for any number of threads: each call in flight has a lane of its own."""

    def __init__(self, settings: ConnectionSettings, *, classify: Allows = is_public) -> None:
        self.settings = settings
        self._allows = allows_of(settings, classify)
        self._route = next_hop_for(settings)
        self._lanes = Lanes(settings.pool, self._route.constants, self._allows, http2=settings.http2)
        self._begin()
        forget_after_fork(self)

    def _begin(self) -> None:
        self._names = HostNames(allows=self._allows)
        self._streams: set[ref[LaneStream]] = set()

    def forget(self) -> None:
        """Forget names and streams in a forked child. `Lanes.forget` leaves the parent's connections alone."""
        self._begin()

    def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """Send and give the answer, content codings not undone. Raises TransportError, ResponseTooLarge, UsageError."""
        if self._lanes.dropped:
            self._lanes.drop_dropped()
        addresses, limits = self._addresses(request, limits)
        constants = self._route.constants_for(request.origin) if self._route.varies else None
        lane = self._lanes.take()
        if constants is not None:
            lane.handle.use(constants)
        try:
            send = self._open if request.is_stream else self._exchange
            answer = send(lane, request, limits, addresses)
        except AbortedError:
            self._lanes.drop(lane)
            raise UsageError(CLOSED_IN_FLIGHT) from None
        except BaseException:
            self._lanes.drop(lane)
            raise
        if not request.is_stream:
            self._lanes.give_back(lane)
        return answer

    def _exchange(
        self, lane: Lane, request: Request, limits: Limits, addresses: Addresses | None
    ) -> tuple[Response, WireFacts | None]:
        transfer = Transfer(lane.handle, request)
        _start(lane, transfer, limits, addresses)
        if request.is_upload:
            left = after_body(transfer, limits.attempt)
            if not lane.run_until(lambda: False, transfer, left, limits.read):
                raise transfer.failure(pycurl.E_OPERATION_TIMEDOUT, "")
        errno, text = lane.run(transfer, limits.read)
        if errno:
            self._raise_failure(transfer, errno, text)
        return transfer.answer(), transfer.facts() if limits.wants_facts else None

    def _open(
        self, lane: Lane, request: Request, limits: Limits, addresses: Addresses | None
    ) -> tuple[Response, WireFacts | None]:
        transfer = StreamedTransfer(lane.handle, request, progress=lambda: None)
        _start(lane, transfer, limits, addresses)
        left = left_for(transfer, limits.attempt)
        if not lane.run_until(lambda: transfer.are_headers_complete, transfer, left, limits.read):
            raise transfer.failure(pycurl.E_OPERATION_TIMEDOUT, "")
        transfer.outcome = lane.outcome()
        if transfer.outcome and transfer.outcome[0] and not transfer.are_headers_complete:
            self._raise_failure(transfer, *transfer.outcome)
        response = transfer.answer()
        response.stream = stream = LaneStream(self._lanes, lane, transfer, limits.read)
        self._streams.add(ref(stream, self._streams.discard))
        return response, transfer.facts() if limits.wants_facts else None

    def _raise_failure(self, transfer: Transfer, errno: int, text: str) -> NoReturn:
        """Raise the error of a failed transfer. If it sent nothing, its names are looked up anew next time."""
        if not transfer.sends:
            for host, port in self._route.ends(transfer.request.origin):
                self._names.forget(host, port)
        raise transfer.failure(errno, text)

    def _addresses(self, request: Request, limits: Limits) -> tuple[Addresses | None, Limits]:
        """The addresses to connect to, and the limits less the time that looking them up took."""
        if self._lanes.is_closed:
            raise UsageError(CLOSED)
        origin = request.origin
        if not self._route.is_proxied:
            return self._found(origin.host, origin.port, limits)
        found = []
        for host, port in self._route.ends(origin):
            addresses, limits = self._found(host, port, limits)
            found.append(addresses)
        return joined(*found), limits

    def _found(self, host: str, port: int, limits: Limits) -> tuple[Addresses | None, Limits]:
        known = self._names.ready(host, port)
        if not isinstance(known, Lookup):
            return known, limits
        started = time.monotonic()
        most = min(limits.connect, limits.attempt)
        if not known.done.wait(most):
            raise ConnectTimeout(f"the name {host} was not resolved within {most:g} s (timeout.connect)")
        if self._lanes.is_closed:
            raise UsageError(CLOSED_IN_FLIGHT)
        return known.addresses(host), less(limits, time.monotonic() - started)

    def close(self) -> None:
        """Abort every transfer in flight and close every connection, without waiting for the network."""
        if self._lanes.close():
            self._names.close()
            for known in list(self._streams):
                stream = known()
                if stream is not None:
                    stream.abort()


def _start(lane: Lane, transfer: Transfer, limits: Limits, addresses: Addresses | None) -> None:
    if transfer.request.is_upload:
        transfer.carry(SourceUpload(read_body(transfer.request)))
    transfer.arm(limits)
    if addresses is not None:
        lane.pin(addresses)
    lane.start()
