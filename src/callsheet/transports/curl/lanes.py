"""The lanes of a blocking transport, idle and in use."""

from __future__ import annotations

import contextlib
import os
import threading
import time

import pycurl

from callsheet.errors import CLOSED, NotSent, UsageError
from callsheet.process.forked import forget_after_fork
from callsheet.settings.pool import Pool
from callsheet.transports.curl.guard import Allows
from callsheet.transports.curl.lane import Lane
from callsheet.transports.curl.options import NO_MEANS, CurlOptions


class Lanes:
    """A lane for each call in flight, for any number of threads.

    The lane that was given back last is taken first, so that few connections do the work and the others age out. Every
    lane also polls the read end of one pipe; `close` writes to it, which wakes every waiting thread.
    """

    def __init__(self, pool: Pool, constants: CurlOptions, allows: Allows | None) -> None:
        self._pipe: tuple[int, ...] = ()
        self._pool = pool
        self._constants = constants
        self._allows = allows
        self.is_closed = False
        self._begin()
        forget_after_fork(self)

    def _begin(self) -> None:
        self._idle: list[Lane] = []
        self._busy: set[Lane] = set()
        self._lock = threading.Lock()
        self._pipe = () if self.is_closed else _new_pipe()

    def forget(self) -> None:
        """In a forked child, start without lanes and leave the parent's connections alone."""
        for lane in (*self._idle, *self._busy):
            lane.leave_to_parent()
        self._close_pipe()
        self._begin()

    def take(self) -> Lane:
        """An idle lane whose connection is alive, or a new one. Raises UsageError once closed, NotSent if none can be made."""
        while True:
            with self._lock:
                if self.is_closed:
                    raise UsageError(CLOSED)
                lane = self._idle.pop() if self._idle else self._new()
                self._busy.add(lane)
            if not lane.has_died():
                return lane
            self.drop(lane)

    def _new(self) -> Lane:
        try:
            return Lane(self._pipe[0], self._constants, self._allows)
        except (pycurl.error, OSError) as error:
            raise NotSent(NO_MEANS.format(error=error)) from None

    def give_back(self, lane: Lane) -> None:
        """Keep a lane whose answer came whole for the next request."""
        if lane.is_of_parent:
            return
        lane.handle.let_go()
        now = lane.last_used = time.monotonic()
        with self._lock:
            if not self.is_closed and len(self._idle) < self._pool.connections:
                self._busy.discard(lane)
                self._idle.append(lane)
                while now - self._idle[0].last_used > self._pool.idle:
                    self._idle.pop(0).close()
                return
        self.drop(lane)

    def drop(self, lane: Lane) -> None:
        """Close a lane whose transfer failed or was cut short. It takes no lock: the garbage collector may call it anywhere."""
        lane.close()
        self._busy.discard(lane)
        if self.is_closed and not self._busy:
            self._close_pipe()

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
            lane.close()
        if not self._busy:
            self._close_pipe()
        return True

    def _close_pipe(self) -> None:
        pipe, self._pipe = self._pipe, ()
        for fd in pipe:
            with contextlib.suppress(OSError):
                os.close(fd)

    def __del__(self) -> None:
        self._close_pipe()


def _new_pipe() -> tuple[int, int]:
    try:
        return os.pipe()
    except OSError as error:
        raise NotSent(NO_MEANS.format(error=error)) from None
