"""Kept connections that are not used again: the server closed them while they were idle, or sent bytes that nobody asked for.

libcurl checks only once a second whether a kept connection is still good. A request sent on a connection that the server
closed a moment ago is lost, and because it may have been processed, only an idempotent one may be sent again. Bytes that
came on an idle connection of HTTP/1 would be taken for the answer to the next request (RFC 9112 9.2). The kernel knows
both at once, so it is asked before anything is sent.

Bytes that came together with an answer under TLS have left the kernel: OpenSSL has read them ahead. They show when the
next answer is there at once, although fewer bytes than it has have arrived since the last one.
"""

from __future__ import annotations

import select
import socket
import sys
from functools import lru_cache

import pycurl

HUNG_UP = getattr(select, "POLLRDHUP", select.POLLIN) | select.POLLHUP | select.POLLERR
"""Without POLLRDHUP the kernel cannot tell a hang-up from unexpected bytes, so both count as a hang-up."""
UNUSABLE = HUNG_UP | select.POLLIN
TCP_INFO, BYTES_RECEIVED = 11, slice(128, 136)
"""A socket option of Linux, and where its value holds `tcpi_bytes_received` (linux/tcp.h)."""
UNCOUNTED, FRAMES = -1, -2
"""Stand for a number of bytes: it is not known; the connection speaks HTTP/2, where each answer names its request."""
HTTP_2 = 3
RECORD = 21
"""Bytes that TLS adds to an answer at least. A farewell (close_notify and FIN) is shorter than any answer with them."""


class Kept:
    """What is known about the connections that one multi keeps, by file descriptor.

    `lost` holds our ends (address and port) of the connections that are not used again. `http2`: they may speak HTTP/2.
    """

    def __init__(self, *, http2: bool = False) -> None:
        self.lost: set[tuple[str, int]] = set()
        self._ends: dict[int, tuple[str, int]] = {}
        self._received: dict[int, int] = {}
        self.http2 = http2

    def note(self, easy: pycurl.Curl) -> None:
        """Remember how many bytes its connection had received when a whole answer under TLS ended.

        libcurl tells the connection only before the handle is removed from its multi.
        """
        fd = easy.getinfo(pycurl.ACTIVESOCKET)
        if fd >= 0:
            speaks_http2 = self.http2 and easy.getinfo(pycurl.INFO_HTTP_VERSION) == HTTP_2
            self._received[fd] = FRAMES if speaks_http2 else bytes_received(fd)

    def is_unasked(self, easy: pycurl.Curl, lines: list[bytes]) -> bool:
        """Whether an answer that begins in the very moment its request is sent had come earlier. Its connection is then lost."""
        if easy.getinfo(pycurl.NUM_CONNECTS) or (self.http2 and lines[0].startswith(b"HTTP/2")):
            return False
        fd = easy.getinfo(pycurl.ACTIVESOCKET)
        if fd < 0:  # `Connection: close`: libcurl is still shutting it down
            end = (easy.getinfo(pycurl.LOCAL_IP), easy.getinfo(pycurl.LOCAL_PORT))
            fd = next((known for known in self._received if local_end(known) == end), fd)
        known = self._received.get(fd, UNCOUNTED)
        if known < 0 or bytes_taken(fd) - known >= sum(map(len, lines)) + RECORD:
            return False
        self._lose(fd)
        return True

    def is_lost(self, fd: int) -> bool:
        """Whether an idle connection was closed or has bytes to read. Over HTTP/2 these are frames, which do no harm."""
        poll = select.poll()
        poll.register(fd, HUNG_UP if self._received.get(fd) == FRAMES else UNUSABLE)
        return bool(poll.poll(0))

    def lose(self, fd: int) -> bool:
        """Mark an idle connection as lost if it is; gives whether it is."""
        if not self.is_lost(fd):
            return False
        self._lose(fd)
        return True

    def _lose(self, fd: int) -> None:
        before, end = self._ends.pop(fd, None), local_end(fd)
        if before is not None:
            self.lost.discard(before)
        if end is not None:
            self._ends[fd] = end
            self.lost.add(end)


class _Borrowed(socket.socket):
    """A socket that belongs to libcurl: it stays open when this object is collected."""

    def __del__(self) -> None:
        self.detach()


@lru_cache(4096)
def _borrowed(fd: int) -> _Borrowed:
    """One object per descriptor, whichever socket has that number now: making it takes longer than the question."""
    return _Borrowed(socket.AF_INET, socket.SOCK_STREAM, 0, fd)


def bytes_received(fd: int) -> int:
    """How many bytes a connection has received, by the kernel; UNCOUNTED where it does not tell."""
    if sys.platform != "linux":
        return UNCOUNTED
    told = _borrowed(fd).getsockopt(socket.IPPROTO_TCP, TCP_INFO, BYTES_RECEIVED.stop)
    return int.from_bytes(told[BYTES_RECEIVED], sys.byteorder)


def bytes_taken(fd: int) -> int:
    """How many of the bytes that a connection has received were read from it (Linux)."""
    from fcntl import ioctl  # noqa: PLC0415 - not on Windows
    from termios import FIONREAD  # noqa: PLC0415

    while True:
        received = bytes_received(fd)
        unread = int.from_bytes(ioctl(fd, FIONREAD, bytes(4)), sys.byteorder)
        if bytes_received(fd) == received:  # else some came in between
            return received - unread


def local_end(fd: int) -> tuple[str, int] | None:
    """Address and port of our side of a connection; None if the descriptor is no connection any more."""
    try:
        with socket.socket(fileno=socket.dup(fd)) as sock:
            address = sock.getsockname()
    except OSError:
        return None
    return (address[0], address[1]) if isinstance(address, tuple) else None
