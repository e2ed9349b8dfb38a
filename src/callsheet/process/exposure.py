"""Who else on this machine can read a file of ours, and how we write one that nobody else can."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TextIO

PRIVATE = 0o600
OF_OTHERS = stat.S_IRGRP | stat.S_IROTH


def exposed_mode(path: Path) -> str:
    """The mode of a file that others than its owner can read, as in `0644`; else, and where files have none, nothing."""
    if os.name != "posix":
        return ""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return ""
    return f"{stat.S_IMODE(mode):04o}" if stat.S_ISREG(mode) and mode & OF_OTHERS else ""


def open_private(path: Path, *, is_new: bool) -> TextIO:
    """A text file to be written anew, its owner's alone if it was not there before; one that was keeps its mode.

    With `is_new` it must not be there. Line breaks are written as they are. Raises OSError.
    """
    flags = os.O_WRONLY | os.O_CREAT | (os.O_EXCL if is_new else os.O_TRUNC) | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, PRIVATE), "w", encoding="utf-8", newline="")
