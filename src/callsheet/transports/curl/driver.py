"""A libcurl multi that an event loop drives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pycurl

from callsheet.errors import LocalFault
from callsheet.process.forked import leak
from callsheet.settings.pool import Pool
from callsheet.transports.curl.handle import Handle
from callsheet.transports.curl.hang_up import Kept
from callsheet.transports.curl.names import Addresses
from callsheet.transports.curl.told import told
from callsheet.transports.curl.watch import Watching

Finished = Callable[[int, Any], None]
"""Takes libcurl's number (0 is success) and its message, or what a callback raised."""


class Driver:
    """Runs any number of transfers on one loop.

    Handles are added and removed outside libcurl's callbacks only. libcurl sets its timer with every request; when it sets
    a later time, the loop's timer stays and is set again when it fires, which saves a timer per request.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, pool: Pool, watch: Watching, kept: Kept) -> None:
        self.loop = loop
        self.moved: dict[int, float] = {}
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, pool.connections)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        # `append` runs no Python: from there, what a signal handler raises does not reach the call.
        self._timers: list[int] = []
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._timers.append)
        self.kept = kept
        self._watch = watch(loop, self._on_events, kept.lose)
        self._running: dict[pycurl.Curl, tuple[Handle, Finished]] = {}
        self._due: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._fires = 0.0
        self._pinned: dict[str, Addresses] = {}
        self.counts_moves = 0
        self.is_closed = False
        self.is_of_parent = False

    def pin(self, handle: Handle, addresses: Addresses) -> None:
        """Have this multi connect to these addresses of a host. Call it after the handle is armed."""
        if self._pinned.get(addresses.host) is not addresses:
            handle.pin(addresses)
            self._pinned[addresses.host] = addresses

    def start(self, handle: Handle, finished: Finished) -> None:
        """Begin the transfer that the handle is armed for."""
        self._watch.look()
        easy = handle.easy
        told(self._multi.add_handle, easy)
        self._running[easy] = (handle, finished)
        running = self._step(pycurl.SOCKET_TIMEOUT, 0)
        if (
            running is not None
            and handle.is_secure
            and handle.head.lines
            and self.kept.is_unasked(easy, handle.head.lines)
        ):
            handle.found_unasked = True
            finished(pycurl.E_RECV_ERROR, "")
        self._drain_below(running)
        self._heed_timers()

    def abort(self, handle: Handle) -> None:
        """Stop a transfer if it still runs, and destroy its handle and connection."""
        if self.is_of_parent:
            return
        self._remove(handle.easy)
        handle.close()

    def _remove(self, easy: pycurl.Curl) -> None:
        if self._running.pop(easy, None) is not None:
            told(self._multi.remove_handle, easy)
            self._heed_timers()

    def resume(self, easy: pycurl.Curl, pauses: int) -> None:
        """Let libcurl go on with a transfer; `pauses` are the directions that stay paused."""
        if easy in self._running and not self.is_of_parent:
            told(easy.pause, pauses)
            self.nudge()

    def nudge(self) -> None:
        """Let libcurl continue a handle that was unpaused."""
        self._act(pycurl.SOCKET_TIMEOUT, 0)

    def _act(self, fd: int, mask: int) -> None:
        if not self.is_of_parent:
            self._drain_below(self._step(fd, mask))
            self._heed_timers()

    def _step(self, fd: int, mask: int) -> int | None:
        """How many transfers still run after libcurl has acted; None if a callback failed, which ends them all."""
        try:
            return told(self._multi.socket_action, fd, mask)[1]  # type: ignore[no-any-return]
        except BaseException as error:  # libcurl ends all that a multi runs when a callback of it fails
            ends_loop = isinstance(error, KeyboardInterrupt | SystemExit)
            why = LocalFault(f"{type(error).__name__} ended it", was_sent=True) if ends_loop else error
            for easy in list(self._running):
                self._finish(easy, pycurl.E_ABORTED_BY_CALLBACK, why)
            if ends_loop:
                raise
            return None

    def _drain_below(self, running: int | None) -> None:
        if running is not None and running < len(self._running):
            self._drain()

    def _drain(self) -> None:
        remaining = 1
        while remaining:
            remaining, done, failed = self._multi.info_read()
            for easy in done:
                self._finish(easy, 0, "")
            for easy, errno, text in failed:
                self._finish(easy, errno, text)

    def _finish(self, easy: pycurl.Curl, errno: int, text: Any) -> None:
        running = self._running.pop(easy, None)
        if running is not None and running[0].is_secure and not errno:
            self.kept.note(easy)
        told(self._multi.remove_handle, easy)
        if running is not None:
            running[1](errno, text)

    def _on_events(self, events: list[tuple[int, int]]) -> None:
        if self.counts_moves:
            now = self.loop.time()
            self.moved.update((fd, now) for fd, _ in events)
        for fd, mask in events:
            self._act(fd, mask)

    def _on_socket(self, what: int, fd: int, _multi: pycurl.CurlMulti, _data: object) -> None:
        self._watch.set(fd, what)

    def _heed_timers(self) -> None:
        """Set the loop's timer as libcurl asked last."""
        if self._timers:
            self._on_timer(self._timers[-1])
            self._timers.clear()

    def _on_timer(self, milliseconds: int) -> None:
        if milliseconds < 0 or self.is_closed:
            self._due = None
            return
        self._due = due = self.loop.time() + milliseconds / 1000
        if self._timer is not None:
            if self._fires <= due:
                return
            self._timer.cancel()
        self._set_timer(due)

    def _set_timer(self, due: float) -> None:
        # When it fires is noted here: uvloop has handles that do not tell.
        self._fires = due
        self._timer = self.loop.call_at(due, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        if self._due is None:
            return
        if self.loop.time() + 0.0005 < self._due:
            self._set_timer(self._due)
            return
        self._due = None
        self._act(pycurl.SOCKET_TIMEOUT, 0)

    def close(self) -> None:
        """Stop every transfer and close every connection, without waiting."""
        if self.is_closed or self.is_of_parent:
            return
        self.is_closed = True
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, None)
        self._watch.close()
        for easy in list(self._running):
            self._remove(easy)
            easy.close()
        if self._timer is not None:
            self._timer.cancel()
        self._multi.close()

    def leave_to_parent(self, idle: list[Handle]) -> None:
        """In a forked child, neither use nor close the multi and its idle handles: their connections are the parent's."""
        self.is_of_parent = True
        leak((self, idle))
