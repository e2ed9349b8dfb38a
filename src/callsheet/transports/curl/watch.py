"""Telling an event loop which sockets libcurl waits for.

libcurl changes its mind twice per request. An epoll of our own, itself watched by the loop, takes such a change for
one system call; the loop's own `add_reader` builds objects each time. Where there is no epoll, the loop is asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import sys
from collections.abc import Callable
from typing import Protocol

import pycurl

from callsheet.transports.curl.hang_up import UNUSABLE

Lose = Callable[[int], bool]
"""Takes an idle socket that something happened on; False if requests may still be sent there."""
Ready = Callable[[list[tuple[int, int]]], None]
"""Takes (socket, libcurl's CSELECT bits) pairs."""


class Watch(Protocol):
    """Tells `ready` about sockets."""

    def look(self) -> None:
        """Tell now about idle sockets that something happened on."""

    def set(self, fd: int, what: int) -> None:
        """Wait for what libcurl says it wants of a socket; POLL_REMOVE: for nothing more."""

    def close(self) -> None:
        """Wait for nothing."""


Watching = Callable[[asyncio.AbstractEventLoop, Ready, Lose], Watch]


class LoopWatch:
    """By the event loop's own readers and writers: works wherever those do."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ready: Ready, lose: Lose) -> None:
        self._loop = loop
        self._ready = ready
        self._lose = lose
        self._fds: set[int] = set()
        self._idle = select.poll()

    def look(self) -> None:
        """See Watch."""
        for fd, _ in self._idle.poll(0):
            if self._lose(fd):
                self._idle.unregister(fd)

    def set(self, fd: int, what: int) -> None:
        """See Watch."""
        self._remove(fd)
        if what == pycurl.POLL_REMOVE:
            self._idle.register(fd, UNUSABLE)
        else:
            with contextlib.suppress(KeyError):
                self._idle.unregister(fd)
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

    HANG_UP = select.EPOLLRDHUP | select.EPOLLONESHOT
    IDLE = select.EPOLLIN | HANG_UP

    class EpollWatch:
        """By an epoll, which the loop watches as one descriptor.

        A socket that libcurl wants nothing of for now is kept, to notice, once, that something happened on it.
        """

        def __init__(self, loop: asyncio.AbstractEventLoop, ready: Ready, lose: Lose) -> None:
            self._loop = loop
            self._ready = ready
            self._lose = lose
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
                except FileNotFoundError:  # it was closed, and its number given to a new one
                    pass
            self._known.add(fd)
            self._epoll.register(fd, mask)

        def look(self) -> None:
            """See Watch."""
            for fd, _ in self._epoll.poll(0):
                if fd in self._idle:
                    self._on_idle(fd)

        def _on_idle(self, fd: int) -> None:
            if self._lose(fd):
                self._idle.discard(fd)
            else:
                self._epoll.modify(fd, HANG_UP)

        def _on_events(self) -> None:
            events = []
            for fd, mask in self._epoll.poll(0):
                if fd in self._idle:
                    self._on_idle(fd)
                else:
                    events.append((fd, TO_CURL[mask & 31]))
            if events:
                self._ready(events)

        def close(self) -> None:
            """See Watch."""
            if not self._loop.is_closed():
                self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()


def watch_for(loop: asyncio.AbstractEventLoop, ready: Ready, lose: Lose) -> Watch:
    """The best watch that this platform and loop have. Raises NotImplementedError on a loop without readers."""
    return EpollWatch(loop, ready, lose) if sys.platform == "linux" else LoopWatch(loop, ready, lose)
