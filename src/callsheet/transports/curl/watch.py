"""Telling an event loop which sockets libcurl waits for.

libcurl changes its mind twice per request. An epoll of our own, itself watched by the loop, takes such a change for
one system call; the loop's own `add_reader` builds objects each time. Where there is no epoll, the loop is asked.
"""

from __future__ import annotations

import asyncio
import select
import sys
from collections.abc import Callable
from typing import Protocol

import pycurl

Ready = Callable[[list[tuple[int, int]]], None]
"""Takes (socket, libcurl's CSELECT bits) pairs."""


class Watch(Protocol):
    """Tells `ready` about sockets."""

    def set(self, fd: int, what: int) -> None:
        """Wait for what libcurl says it wants of a socket; POLL_REMOVE: for nothing more."""

    def close(self) -> None:
        """Wait for nothing."""


Watching = Callable[[asyncio.AbstractEventLoop, Ready], Watch]


class LoopWatch:
    """By the event loop's own readers and writers: works wherever those do."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ready: Ready) -> None:
        self._loop = loop
        self._ready = ready
        self._fds: set[int] = set()

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

    class EpollWatch:
        """By an epoll, which the loop watches as one descriptor."""

        def __init__(self, loop: asyncio.AbstractEventLoop, ready: Ready) -> None:
            self._loop = loop
            self._ready = ready
            self._epoll = select.epoll()
            self._known: set[int] = set()
            loop.add_reader(self._epoll.fileno(), self._on_events)

        def set(self, fd: int, what: int) -> None:
            """See Watch."""
            if what == pycurl.POLL_REMOVE:
                self._known.discard(fd)
                self._epoll.unregister(fd)
            elif fd in self._known:
                self._epoll.modify(fd, TO_EPOLL.get(what, 0))
            else:
                self._known.add(fd)
                self._epoll.register(fd, TO_EPOLL.get(what, 0))

        def _on_events(self) -> None:
            self._ready([(fd, TO_CURL[mask & 31]) for fd, mask in self._epoll.poll(0)])

        def close(self) -> None:
            """See Watch."""
            if not self._loop.is_closed():
                self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()


def watch_for(loop: asyncio.AbstractEventLoop, ready: Ready) -> Watch:
    """The best watch that this platform and loop have. Raises NotImplementedError on a loop without readers."""
    return EpollWatch(loop, ready) if sys.platform == "linux" else LoopWatch(loop, ready)
