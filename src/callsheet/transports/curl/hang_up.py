"""Kept connections that nothing may be sent on any more: the server closed them, or sent what nobody asked for.

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
    """What is known of the connections that one multi keeps, by descriptor.

    `lost` holds our ends of those that nothing may be sent on. `http2`: they may speak HTTP/2.
    """

    def __init__(self, *, http2: bool = False) -> None:
        self.lost: set[tuple[str, int]] = set()
        self._ends: dict[int, tuple[str, int]] = {}
        self._received: dict[int, int] = {}
        self.http2 = http2

    def note(self, easy: pycurl.Curl) -> None:
        """Remember how much has come on the connection of a whole answer under TLS. Call it before the handle leaves its multi."""
        fd = easy.getinfo(pycurl.ACTIVESOCKET)
        if fd >= 0:
            speaks_http2 = self.http2 and easy.getinfo(pycurl.INFO_HTTP_VERSION) == HTTP_2
            self._received[fd] = FRAMES if speaks_http2 else bytes_received(fd)

    def is_unasked(self, easy: pycurl.Curl, lines: list[bytes]) -> bool:
        """Whether an answer that begins as soon as its request is sent had come before; its connection is lost then."""
        if easy.getinfo(pycurl.NUM_CONNECTS) or lines[0].startswith(b"HTTP/2"):
            return False
        fd = easy.getinfo(pycurl.ACTIVESOCKET)
        if fd < 0:  # the answer ends the connection, which libcurl still takes leave of
            end = (easy.getinfo(pycurl.LOCAL_IP), easy.getinfo(pycurl.LOCAL_PORT))
            fd = next((known for known in self._received if local_end(known) == end), fd)
        known = self._received.get(fd, UNCOUNTED)
        if known < 0 or bytes_received(fd) - known >= sum(map(len, lines)) + RECORD:
            return False
        self._lose(fd)
        return True

    def is_lost(self, fd: int) -> bool:
        """Whether nothing may be sent on an idle connection. What waits on one of HTTP/2 are frames, which do no harm."""
        poll = select.poll()
        poll.register(fd, HUNG_UP if self._received.get(fd) == FRAMES else UNUSABLE)
        return bool(poll.poll(0))

    def lose(self, fd: int) -> bool:
        """Note that something happened on an idle connection; whether nothing may be sent on it now."""
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
    """A socket of libcurl's, which dropping this leaves open."""

    def __del__(self) -> None:
        self.detach()


@lru_cache(4096)
def _borrowed(fd: int) -> _Borrowed:
    """Made once for each descriptor, whatever socket that is by now: making one takes longer than asking it."""
    return _Borrowed(socket.AF_INET, socket.SOCK_STREAM, 0, fd)


def bytes_received(fd: int) -> int:
    """How many bytes have come on a connection; UNCOUNTED where the kernel does not tell."""
    if sys.platform != "linux":
        return UNCOUNTED
    told = _borrowed(fd).getsockopt(socket.IPPROTO_TCP, TCP_INFO, BYTES_RECEIVED.stop)
    return int.from_bytes(told[BYTES_RECEIVED], sys.byteorder)


def local_end(fd: int) -> tuple[str, int] | None:
    """Address and port of our side of a connection; None if the descriptor is no connection any more."""
    try:
        with socket.socket(fileno=socket.dup(fd)) as sock:
            address = sock.getsockname()
    except OSError:
        return None
    return (address[0], address[1]) if isinstance(address, tuple) else None
