"""Connections that the server has closed while they were idle.

libcurl checks only once a second whether a kept connection is still open. A request sent on a connection that the server
closed a moment ago is lost, and because it may have been processed, only an idempotent one may be sent again. The kernel
knows at once, so it is asked before anything is sent.
"""

from __future__ import annotations

import select
import socket

HUNG_UP = getattr(select, "POLLRDHUP", select.POLLIN) | select.POLLHUP | select.POLLERR
"""Without POLLRDHUP the kernel cannot tell a hang-up from unexpected bytes, so both count as a hang-up."""


def is_hung_up(fd: int) -> bool:
    """Whether the other side of an idle connection has closed."""
    poll = select.poll()
    poll.register(fd, HUNG_UP)
    return any(mask & HUNG_UP for _, mask in poll.poll(0))


def local_end(fd: int) -> tuple[str, int] | None:
    """Address and port of our side of a connection; None if the descriptor is no connection any more."""
    try:
        with socket.socket(fileno=socket.dup(fd)) as sock:
            address = sock.getsockname()
    except OSError:
        return None
    return (address[0], address[1]) if isinstance(address, tuple) else None
