"""Whether other users of this machine can read a file, and how to write one that they cannot."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TextIO

PRIVATE = 0o600
OF_OTHERS = stat.S_IRGRP | stat.S_IROTH


def exposed_mode(path: Path) -> str:
    """The mode, such as `0644`, of a file that other users can read; "" for any other, and where files have no mode."""
    if os.name != "posix":
        return ""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return ""
    return f"{stat.S_IMODE(mode):04o}" if stat.S_ISREG(mode) and mode & OF_OTHERS else ""


def open_private(path: Path, *, is_new: bool) -> TextIO:
    """Open a text file and write it anew. A new one can be read by its owner alone; one that was there keeps its mode.

    With `is_new`, one that is there raises FileExistsError. Line breaks are written as they are. Raises OSError.
    """
    flags = os.O_WRONLY | os.O_CREAT | (os.O_EXCL if is_new else os.O_TRUNC) | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, PRIVATE), "w", encoding="utf-8", newline="")
