"""Read a small regular file, and refuse anything else: to read a pipe may block, and a device has no end."""

from __future__ import annotations

import os
import stat
from pathlib import Path

LARGEST = 1024 * 1024
"""Bytes: more than any secret, key or `.env` file has."""


def small_file(path: Path) -> bytes:
    """What is in a regular file of at most 1 MiB. Raises OSError, whose `strerror` says what it is instead."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(0, "it is no regular file")
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise OSError(0, "it is larger than 1 MiB")
    return content
