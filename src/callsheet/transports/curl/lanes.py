"""The lanes of a blocking transport, idle and in use."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from contextlib import suppress
from functools import partial
from weakref import ref

import pycurl

from callsheet.errors import CLOSED, LocalFault, UsageError
from callsheet.process.finalized import Finalized
from callsheet.process.forked import forget_after_fork
from callsheet.settings.pool import Pool
from callsheet.transports.curl.guard import Allows
from callsheet.transports.curl.hang_up import Kept
from callsheet.transports.curl.lane import Lane
from callsheet.transports.curl.options import NO_MEANS, CurlOptions


class Lanes(Finalized):
    """A lane for each call in flight, for any number of threads. `dropped` are those of streams that nobody closed.

    The lane that was given back last is taken first, so that few connections do the work and the others age out. Every
    lane also polls the read end of one pipe; `close` writes to it, which wakes every waiting thread.
    """

    def __init__(self, pool: Pool, constants: CurlOptions, allows: Allows | None, *, http2: bool) -> None:
        self._pool = pool
        self._constants = constants
        self._allows = allows
        self._http2 = http2
        self.is_closed = False
        self._begin()
        forget_after_fork(self)

    def _begin(self) -> None:
        self._idle: list[Lane] = []
        # Idle and in use. Weakly, so that one which an interrupt cuts off on its way is collected.
        self._open: set[ref[Lane]] = set()
        self.dropped: deque[Lane] = deque()
        self._lock = threading.Lock()
        self._pipe: tuple[int, ...] = () if self.is_closed else _new_pipe()
        self._finally_do([partial(os.closerange, fd, fd + 1) for fd in self._pipe])

    def forget(self) -> None:
        """In a forked child, start without lanes and leave the parent's connections alone."""
        for known in list(self._open):
            lane = known()
            if lane is not None:
                lane.leave_to_parent()
        self.__del__()
        self._begin()

    def take(self) -> Lane:
        """An idle lane whose connection is alive, or a new one. Raises UsageError once closed, LocalFault if none can be made."""
        while True:
            with self._lock:
                if self.is_closed:
                    raise UsageError(CLOSED)
                lane = self._idle.pop() if self._idle else self._new()
            if not lane.has_died():
                return lane
            self.drop(lane)

    def _new(self) -> Lane:
        try:
            lane = Lane(self._pipe[0], self._constants, self._allows, Kept(http2=self._http2))
        except (pycurl.error, OSError) as error:
            raise LocalFault(NO_MEANS.format(error=error)) from None
        self._open.add(ref(lane, self._open.discard))
        return lane

    def give_back(self, lane: Lane) -> None:
        """Keep a lane whose answer came whole for the next request."""
        if lane.is_of_parent:
            return
        lane.handle.let_go()
        now = lane.last_used = time.monotonic()
        with self._lock:
            if not self.is_closed and len(self._idle) < self._pool.connections:
                self._idle.append(lane)
                while now - self._idle[0].last_used > self._pool.idle:
                    self.drop(self._idle.pop(0))
                return
        self.drop(lane)

    def drop(self, lane: Lane) -> None:
        """Close a lane whose transfer failed or was cut short. Closing twice does nothing."""
        lane.close()
        self._open.discard(ref(lane))
        if self.is_closed and not self._open:
            self.__del__()

    def drop_dropped(self) -> None:
        """Close what is left open of the lanes of dropped streams: what was sent on them."""
        with suppress(IndexError):  # another thread was quicker
            while self.dropped:
                self.drop(self.dropped.popleft())

    def close(self) -> bool:
        """Close the idle lanes and wake the threads that wait in the others; the last lane in use closes the pipe.

        False if they were closed before.
        """
        with self._lock:
            if self.is_closed:
                return False
            self.is_closed = True
            idle, self._idle = self._idle, []
            os.write(self._pipe[1], b"x")
        for lane in idle:
            self.drop(lane)
        self.drop_dropped()
        if not self._open:
            self.__del__()
        return True


def _new_pipe() -> tuple[int, int]:
    try:
        return os.pipe()
    except OSError as error:
        raise LocalFault(NO_MEANS.format(error=error)) from None
