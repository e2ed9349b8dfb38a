"""What this machine lacks: libcurl and the resolver tell it as if the service, or its name, were not there."""

from __future__ import annotations

import errno
import os
import socket

LACKS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})


def lacking(number: int = 0) -> str:
    """What is lacking, by the system's error number; where that does not say, by trying to make a socket now."""
    if not number:
        try:
            socket.socket().close()
        except OSError as error:
            number = error.errno or 0
    return os.strerror(number) if number in LACKS else ""
