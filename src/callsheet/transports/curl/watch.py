"""Watches the sockets that libcurl waits for, on behalf of an event loop.

libcurl changes what it waits for twice per request. With an epoll of our own, which the loop watches, a change is one
system call; the loop's `add_reader` builds objects each time. Where there is no epoll, `add_reader` is used.
"""

from __future__ import annotations

import asyncio
import select
import sys
from collections.abc import Callable
from typing import Protocol

import pycurl

HungUp = Callable[[int], None]
"""Called with an idle socket that the other side has closed."""
Ready = Callable[[list[tuple[int, int]]], None]
"""Called with pairs of a socket and libcurl's CSELECT bits."""


class Watch(Protocol):
    """Calls a `Ready` when sockets are ready, and a `HungUp` for idle sockets that were closed."""

    def look(self) -> None:
        """Report idle sockets that the other side has closed by now, if this watch can tell."""

    def set(self, fd: int, what: int) -> None:
        """Watch a socket for what libcurl wants (POLL_IN, POLL_OUT, POLL_INOUT), or no longer (POLL_REMOVE)."""

    def close(self) -> None:
        """Stop watching."""


Watching = Callable[[asyncio.AbstractEventLoop, Ready, HungUp], Watch]


class LoopWatch:
    """Watches by the readers and writers of the event loop; works on every loop that has them."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ready: Ready, _hung_up: HungUp) -> None:
        self._loop = loop
        self._ready = ready
        self._fds: set[int] = set()

    def look(self) -> None:
        """Do nothing: this watch does not see idle sockets."""

    def set(self, fd: int, what: int) -> None:
        """See Watch."""
        self._remove(fd)
        if what in (pycurl.POLL_IN, pycurl.POLL_INOUT):
            self._loop.add_reader(fd, self._ready, [(fd, pycurl.CSELECT_IN)])
        if what in (pycurl.POLL_OUT, pycurl.POLL_INOUT):
            self._loop.add_writer(fd, self._ready, [(fd, pycurl.CSELECT_OUT)])
        if what != pycurl.POLL_REMOVE:
            self._fds.add(fd)

    def _remove(self, fd: int) -> None:
        if fd in self._fds:
            self._fds.discard(fd)
            self._loop.remove_reader(fd)
            self._loop.remove_writer(fd)

    def close(self) -> None:
        """See Watch."""
        if not self._loop.is_closed():
            for fd in list(self._fds):
                self._remove(fd)


if sys.platform == "linux":
    TO_EPOLL = {
        pycurl.POLL_IN: select.EPOLLIN,
        pycurl.POLL_OUT: select.EPOLLOUT,
        pycurl.POLL_INOUT: select.EPOLLIN | select.EPOLLOUT,
    }
    TO_CURL = {
        mask: (pycurl.CSELECT_IN if mask & (select.EPOLLIN | select.EPOLLHUP) else 0)
        | (pycurl.CSELECT_OUT if mask & select.EPOLLOUT else 0)
        | (pycurl.CSELECT_ERR if mask & select.EPOLLERR else 0)
        for mask in range(32)
    }

    IDLE = select.EPOLLRDHUP | select.EPOLLONESHOT

    class EpollWatch:
        """Watches by an epoll, which the loop watches as one descriptor.

        A socket that libcurl no longer waits for stays registered until a hang-up is reported once.
        """

        def __init__(self, loop: asyncio.AbstractEventLoop, ready: Ready, hung_up: HungUp) -> None:
            self._loop = loop
            self._ready = ready
            self._hung_up = hung_up
            self._epoll = select.epoll()
            self._known: set[int] = set()
            self._idle: set[int] = set()
            loop.add_reader(self._epoll.fileno(), self._on_events)

        def set(self, fd: int, what: int) -> None:
            """See Watch."""
            if what == pycurl.POLL_REMOVE:
                self._idle.add(fd)
                mask = IDLE
            else:
                self._idle.discard(fd)
                mask = TO_EPOLL.get(what, 0)
            if fd in self._known:
                try:
                    self._epoll.modify(fd, mask)
                    return
                except FileNotFoundError:  # it was closed, and a new socket has its number
                    pass
            self._known.add(fd)
            self._epoll.register(fd, mask)

        def look(self) -> None:
            """See Watch."""
            for fd, _ in self._epoll.poll(0):
                if fd in self._idle:
                    self._lose(fd)

        def _lose(self, fd: int) -> None:
            self._idle.discard(fd)
            self._hung_up(fd)

        def _on_events(self) -> None:
            events = []
            for fd, mask in self._epoll.poll(0):
                if fd in self._idle:
                    self._lose(fd)
                else:
                    events.append((fd, TO_CURL[mask & 31]))
            if events:
                self._ready(events)

        def close(self) -> None:
            """See Watch."""
            if not self._loop.is_closed():
                self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()


def watch_for(loop: asyncio.AbstractEventLoop, ready: Ready, hung_up: HungUp) -> Watch:
    """An EpollWatch on Linux, else a LoopWatch. Raises NotImplementedError on a loop without readers."""
    return EpollWatch(loop, ready, hung_up) if sys.platform == "linux" else LoopWatch(loop, ready, hung_up)
