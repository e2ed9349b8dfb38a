"""What this machine lacks: libcurl and the resolver tell it as if the service, or its name, were not there."""

from __future__ import annotations

import errno
import os
import socket

LACKS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})


class LackingError(OSError):
    """There is no descriptor or memory for a connection."""


def lacking(number: int = 0) -> LackingError | None:
    """What is lacking, by the system's error number; where that does not say, by trying to make a socket now."""
    if not number:
        try:
            socket.socket().close()
        except OSError as error:
            number = error.errno or 0
    return LackingError(number, os.strerror(number)) if number in LACKS else None
