"""The body of an answer that a thread reads as it comes."""

from __future__ import annotations

import math
import threading
import time
import warnings
from functools import partial
from itertools import chain

from callsheet.errors import CLOSED, UsageError
from callsheet.events import WireFacts
from callsheet.process.finalized import Finalized, nothing
from callsheet.transports.curl.lane import AbortedError, Lane
from callsheet.transports.curl.lanes import Lanes
from callsheet.transports.curl.stream import NEVER_CLOSED, StreamedTransfer
from callsheet.transports.refusals import OF_PARENT, STREAM_CLOSED

CLOSED_WHILE_READ = f"{CLOSED}: it was closed while this answer was read"
GLANCE = 0.1
"""Seconds after which a reading thread checks whether another one has closed the answer: waking it at once would take a
descriptor per stream, which costs more."""


class LaneStream(Finalized):
    """Reads the body from a lane. If one thread closes it while another reads, the reading thread gives up the lane."""

    def __init__(self, lanes: Lanes, lane: Lane, transfer: StreamedTransfer, quiet: float | None) -> None:
        self._lanes = lanes
        self._lane = lane
        self._transfer = transfer
        self._quiet = quiet
        self._reading = threading.Lock()
        self._is_closed = False
        self._is_aborted = False
        warned = f"{NEVER_CLOSED}: {transfer.request!r}"
        warn = partial(warnings.warn, warned, ResourceWarning, stacklevel=1, source=transfer)
        self._finally_do(chain(lane.endings, [lane.endings.clear, partial(lanes.dropped.append, lane), warn]))

    @property
    def facts(self) -> WireFacts:
        """What was measured so far."""
        return self._transfer.facts()

    def read(self) -> bytes:
        """The next bytes as they stand on the wire, b"" at the end. Raises NoAnswer if the body breaks off."""
        with self._reading:
            if self._is_closed:
                raise UsageError(f"{CLOSED}, and this answer with it" if self._is_aborted else STREAM_CLOSED)
            if self._lane.is_of_parent:
                raise UsageError(OF_PARENT)
            try:
                return self._next()
            finally:
                self._let_go_if_closed()

    def _let_go_if_closed(self) -> None:
        if self._is_closed:
            self._let_go()

    def _next(self) -> bytes:
        transfer = self._transfer
        if not transfer.waiting_bytes and transfer.outcome is None:
            self._advance()
        return transfer.next_bytes(self._lane.nudge)

    def _advance(self) -> None:
        transfer = self._transfer
        # Bytes that are no part of the body (chunk extensions, trailers) do not count: they could come for ever.
        began, upload = time.monotonic(), transfer.upload
        quiet = math.inf if self._quiet is None else self._quiet

        def left() -> float:
            since = began if upload is None else max(began, upload.touched)
            return 0.0 if self._is_closed else min(GLANCE, since + quiet - time.monotonic())

        try:
            in_time = self._lane.run_until(lambda: transfer.waiting_bytes > 0, transfer, left, None)
        except AbortedError:
            raise UsageError(CLOSED_WHILE_READ) from None
        if self._is_closed:
            raise UsageError(CLOSED_WHILE_READ if self._is_aborted else STREAM_CLOSED)
        if not in_time:
            raise transfer.stalled(self._quiet)
        transfer.outcome = self._lane.outcome()

    def close(self) -> None:
        """Give the lane back if the whole body was received, else close its connection."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._reading.acquire(blocking=False):
            try:
                self._let_go()
            finally:
                self._reading.release()

    def abort(self) -> None:
        """Close this answer because its transport closes: reading then says so."""
        self._is_aborted = not self._is_closed
        self.close()

    def _let_go(self) -> None:
        self.__del__ = nothing
        if (
            self._transfer.is_whole and self._lane.endings
        ):  # not closed by the finalizer, which an answer in a cycle may outlive
            self._lanes.give_back(self._lane)
        else:
            self._lanes.drop(self._lane)
