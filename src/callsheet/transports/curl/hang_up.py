"""Connections that the server has closed while they were idle.

libcurl looks whether a kept connection still lives only once a second. A request that goes out on one that the server
closed a moment ago is lost, and as it may have been processed it must not be sent again unless that does no harm. The
kernel knows better, so it is asked before anything is sent.
"""

from __future__ import annotations

import select
import socket

HUNG_UP = getattr(select, "POLLRDHUP", select.POLLIN) | select.POLLHUP | select.POLLERR
"""Where the kernel cannot tell a hang-up from bytes that nobody asked for, those count as one."""


def is_hung_up(fd: int) -> bool:
    """Whether the other side of an idle connection has closed."""
    poll = select.poll()
    poll.register(fd, HUNG_UP)
    return any(mask & HUNG_UP for _, mask in poll.poll(0))


def local_end(fd: int) -> tuple[str, int] | None:
    """Address and port of our side of a connection; None if the descriptor is no such thing any more."""
    try:
        with socket.socket(fileno=socket.dup(fd)) as sock:
            address = sock.getsockname()
    except OSError:
        return None
    return (address[0], address[1]) if isinstance(address, tuple) else None
