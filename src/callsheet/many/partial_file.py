"""A file while it is downloaded: `NAME.part` beside `NAME`, and `NAME.part.json`, which notes where it comes from."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path
from typing import Self

from callsheet.errors import ArgumentError, UsageError
from callsheet.http.headers import check_field
from callsheet.process.exposure import open_private

if sys.platform != "win32":
    import fcntl

MODE = 0o666
"""Mode of a new file, less the process's umask: as `open` makes it."""
LONGEST_NOTE = 64 * 1024


@dataclass(frozen=True, slots=True)
class WholeFile:
    """What a part is the beginning of.

    `source` is the hash of its URL, which may hold a credential; `validator` a strong ETag or a Last-Modified; `total` the
    size, if the server told it.
    """

    source: str
    validator: str
    total: int | None


class PartialFile:
    """The file while it is incomplete; only one download at a time may write it.

    Leaving `with` closes it, and removes it unless a later download can continue it.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self.path = target.with_name(f"{target.name}.part")
        self._note = target.with_name(f"{target.name}.part.json")
        self._file = _opened_alone(self.path)
        self._process = os.getpid()
        self._is_complete = False
        self.size = self._file.seek(0, os.SEEK_END)
        self.begun = self._remembered() if self.size else None

    def _remembered(self) -> WholeFile | None:
        try:
            with self._note.open("rb") as file:
                told = json.loads(file.read(LONGEST_NOTE))
            begun = WholeFile(str(told["source"]), told["validator"], told["total"])
            check_field("If-Range", begun.validator)
        except (OSError, ValueError, TypeError, LookupError, ArgumentError):  # there is no note, or it is not ours
            return None
        return begun if begun.total is None or type(begun.total) is int else None

    def begin(self, begun: WholeFile | None) -> None:
        """Begin anew; with None, what is written cannot be continued later."""
        self._file.seek(0)
        self._file.truncate()
        self.size = 0
        self.begun = begun
        self._note.unlink(missing_ok=True)
        if begun is not None:
            with open_private(self._note, is_new=True) as file:
                json.dump(asdict(begun), file)

    def write(self, piece: bytes) -> None:
        """Add to the end. Nothing is buffered: in a forked child it would be written once more."""
        left = memoryview(piece)
        while left:
            left = left[self._file.write(left) :]
        self.size += len(piece)

    def complete(self) -> None:
        """Put the file in its place, where it replaces what was there."""
        self.path.replace(self._target)
        self._is_complete = True
        self._note.unlink(missing_ok=True)

    def give_up(self) -> None:
        """Have no later download continue it: it is removed at the end."""
        self.begun = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        try:
            is_ours = os.getpid() == self._process
            if is_ours and not self._is_complete and (self.begun is None or not self.size):
                self.path.unlink(missing_ok=True)
                self._note.unlink(missing_ok=True)
        finally:
            self._file.close()


def _opened_alone(path: Path) -> FileIO:
    """The file, locked. Raises UsageError if another download holds it."""
    while True:
        # O_NOFOLLOW: a link that another user put into the folder must not decide which file is written.
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        # By C functions, one within the other: an interrupt between them would leave the descriptor open.
        file = next(map(FileIO, map(os.open, (path,), (flags,), (MODE,)), ("r+",)))
        try:
            _lock(file.fileno(), path)
            if _is_still(path, file.fileno()):
                return file
        except BaseException:
            file.close()
            raise
        file.close()


def _lock(number: int, path: Path) -> None:
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UsageError(f"{path} is being written by another download; let it end, or choose another file") from None


def _is_still(path: Path, number: int) -> bool:
    """Whether the path names the open file: its last writer may have put it in its place meanwhile."""
    try:
        return os.path.samestat(path.stat(), os.fstat(number))
    except FileNotFoundError:
        return False
