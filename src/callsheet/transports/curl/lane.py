"""A libcurl multi with one handle, which a thread steps. Lanes share no connections."""

from __future__ import annotations

import math
import select
import time
from collections.abc import Callable
from functools import partial

import pycurl

from callsheet.process.forked import leak
from callsheet.transports.curl.due import Left
from callsheet.transports.curl.guard import Allows
from callsheet.transports.curl.handle import Handle
from callsheet.transports.curl.hang_up import Kept
from callsheet.transports.curl.names import Addresses
from callsheet.transports.curl.options import LONGEST, CurlOptions
from callsheet.transports.curl.told import told
from callsheet.transports.curl.transfer import Transfer

TO_POLL = {
    pycurl.POLL_IN: select.POLLIN,
    pycurl.POLL_OUT: select.POLLOUT,
    pycurl.POLL_INOUT: select.POLLIN | select.POLLOUT,
}
TO_CURL = [
    (pycurl.CSELECT_IN if mask & (select.POLLIN | select.POLLHUP) else 0)
    | (pycurl.CSELECT_OUT if mask & select.POLLOUT else 0)
    | (pycurl.CSELECT_ERR if mask & (select.POLLERR | select.POLLNVAL) else 0)
    for mask in range(64)
]
"""libcurl's CSELECT bits for each combination of poll's bits."""


class AbortedError(Exception):
    """The transport was closed while the lane waited."""


class Lane:
    """Steps one transfer at a time with `poll`, so that Ctrl-C interrupts it in every phase."""

    def __init__(self, wake: int, constants: CurlOptions, allows: Allows | None, kept: Kept) -> None:
        self.kept = kept
        self.handle = Handle(constants, kept, allows)
        self.easy = self.handle.easy
        self.last_used = 0.0
        self.is_of_parent = False
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, 1)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        # `append` runs no Python: libcurl sets its timer three times per request, and only the last time counts.
        self._timers: list[int] = []
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._timers.append)
        self._poll = select.poll()
        self._poll.register(wake, select.POLLIN)
        self._wake = wake
        self._fd = -1
        self._wanted: dict[int, int] = {}
        self._polled: dict[int, int] = {}
        self._alarm = math.inf
        self._running = 0
        self._moved = 0.0
        self._pinned: dict[str, Addresses] = {}
        self.endings: list[Callable[[], object]] = [
            partial(self._multi.setopt, pycurl.M_SOCKETFUNCTION, None),
            self.easy.close,
            self._multi.close,
        ]
        """The C functions that close the connections, for a finalizer."""

    def pin(self, addresses: Addresses) -> None:
        """Have this lane connect to these addresses of a host. Set after the handle was armed."""
        if self._pinned.get(addresses.host) is not addresses:
            self.handle.pin(addresses)
            self._pinned[addresses.host] = addresses

    def has_died(self) -> bool:
        """Whether the server closed the connection since the last answer, or sent what nobody asked for."""
        return self._fd >= 0 and self.kept.is_lost(self._fd)

    def start(self) -> None:
        """Begin the transfer that the handle is armed for."""
        self._multi.add_handle(self.easy)
        self._moved = time.monotonic()
        self._running = told(self._multi.socket_action, pycurl.SOCKET_TIMEOUT, 0)[1]
        handle = self.handle
        if handle.is_secure and handle.head.lines and self.kept.is_unasked(self.easy, handle.head.lines):
            handle.found_unasked = True
            self._running = 0

    def run(self, transfer: Transfer, quiet: float | None = None) -> tuple[int, str]:
        """Step to the end: libcurl's number (0 is success) and message. `quiet` seconds without a byte end it, too."""
        while self._running:
            if not self._step(quiet) and self._is_too_quiet(transfer):
                return pycurl.E_OPERATION_TIMEDOUT, ""
        return self._outcome()

    def run_until(
        self, is_enough: Callable[[], bool], transfer: Transfer, left: Left | None, quiet: float | None
    ) -> bool:
        """Step until `is_enough` or the end of the transfer. False if time ran out or no byte moved for `quiet` seconds first."""
        self._moved = time.monotonic()
        while self._running and not is_enough():
            seconds = None if left is None else left()
            if seconds is not None and seconds <= 0:
                return False
            if not self._step(quiet, seconds) and self._is_too_quiet(transfer):
                return False
        return True

    def _is_too_quiet(self, transfer: Transfer) -> bool:
        """Whether no byte moved for too long. Time before the request is sent, or spent reading its body, does not count."""
        upload = transfer.upload
        if not transfer.sends:
            self._moved = time.monotonic()
        elif upload is not None and upload.touched > self._moved:
            self._moved = upload.touched
        else:
            transfer.was_quiet = True
        return transfer.was_quiet

    def outcome(self) -> tuple[int, str] | None:
        """The number (0 is success) and message of libcurl; None while the transfer runs."""
        return None if self._running else self._outcome()

    def nudge(self) -> None:
        """Let libcurl continue a handle that was unpaused."""
        self._running = told(self._multi.socket_action, pycurl.SOCKET_TIMEOUT, 0)[1]

    def _outcome(self) -> tuple[int, str]:
        _, done, failed = self._multi.info_read()
        self._fd = self.easy.getinfo(pycurl.ACTIVESOCKET)
        if done and self.handle.is_secure:
            self.kept.note(self.easy)
        told(self._multi.remove_handle, self.easy)
        if done:
            return 0, ""
        return (failed[0][1], failed[0][2]) if failed else (pycurl.E_RECV_ERROR, "")

    def _step(self, quiet: float | None, at_most: float | None = None) -> bool:
        """Wait for events and hand them to libcurl. False if no byte moved for `quiet` seconds."""
        events = self._poll.poll(self._wait(quiet, at_most))
        if not events:
            self._running = told(self._multi.socket_action, pycurl.SOCKET_TIMEOUT, 0)[1]
            return quiet is None or time.monotonic() < self._moved + quiet
        for fd, mask in events:
            if fd == self._wake:
                raise AbortedError
            self._running = told(self._multi.socket_action, fd, TO_CURL[mask & 63])[1]
        if quiet is not None:
            self._moved = time.monotonic()
        return True

    def _wait(self, quiet: float | None, at_most: float | None) -> int | None:
        """Register the sockets that libcurl wants, and give the milliseconds to wait; None for no limit."""
        # libcurl unregisters its sockets after each request and registers them in the next: mostly nothing has changed.
        if self._wanted != self._polled:
            self._poll_wanted()
        now = time.monotonic()
        if self._timers:
            milliseconds = self._timers[-1]
            self._timers.clear()
            self._alarm = math.inf if milliseconds < 0 else now + milliseconds / 1000
        until = self._alarm
        if quiet is not None:
            until = min(until, self._moved + quiet)
        if at_most is not None:
            until = min(until, now + at_most)
        return None if until == math.inf else max(0, min(math.ceil((until - now) * 1000), LONGEST))

    def _poll_wanted(self) -> None:
        for fd in self._polled.keys() - self._wanted.keys():
            self._poll.unregister(fd)
        for fd, mask in self._wanted.items():
            self._poll.register(fd, mask)
        self._polled = self._wanted.copy()

    def _on_socket(self, what: int, fd: int, _multi: pycurl.CurlMulti, _data: object) -> None:
        if what == pycurl.POLL_REMOVE:
            self._wanted.pop(fd, None)
        else:
            self._wanted[fd] = TO_POLL.get(what, 0)

    def close(self) -> None:
        """Close the connections, without waiting."""
        while self.endings:
            self.endings.pop(0)()
        if not self.is_of_parent:
            self.handle.close()

    def leave_to_parent(self) -> None:
        """In a forked child, neither use nor close the connections: they are the parent's."""
        self.is_of_parent = True
        self.endings.clear()
        leak(self)
