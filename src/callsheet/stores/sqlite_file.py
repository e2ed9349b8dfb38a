"""A SQLite file that is ours: opened, laid out, and set aside if it is damaged or somebody else's.

Several processes may do the same at once. What changes which file has the name is done under a lock on the folder, and only
if the name still means the file that was looked at. POSIX locks end when a process closes the file by any descriptor: it is
opened by SQLite alone.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import sqlite3
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from callsheet.process.exposure import PRIVATE
from callsheet.stores.base import StoreUnavailableError

if sys.platform != "win32":
    import fcntl

log = logging.getLogger("callsheet")
DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a file."""
WAL_SIZE = 4 * 1024 * 1024


class Layout(NamedTuple):
    """What is in the file: `application` marks it as ours, `version` counts the changes of `statements`, which lay it out."""

    application: int
    version: int
    statements: tuple[str, ...]


class Identity(NamedTuple):
    """Which file a name means."""

    device: int
    inode: int


class Opened(NamedTuple):
    """A connection, and the file that it is to."""

    connection: sqlite3.Connection
    identity: Identity


class ForeignFileError(Exception):
    """The file has the form of SQLite, but is not ours."""


def is_damage(error: Exception) -> bool:
    """Whether it says that the file cannot be used as it is."""
    if isinstance(error, sqlite3.Error):
        return _code(error) in DAMAGE or str(error).startswith("no such ")  # table or column
    return isinstance(error, ForeignFileError)


def is_busy(error: Exception) -> bool:
    """Whether another process is writing, so that it may work a little later."""
    return _code(error) in BUSY


def _code(error: Exception) -> int:
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


class SqliteFile:
    """The file at `path`, made at its first use with its folder. Nobody else on the machine can read a new one."""

    def __init__(self, path: str | os.PathLike[str], layout: Layout) -> None:
        self.path = Path(os.path.realpath(path))
        self.layout = layout

    def identity(self) -> Identity | None:
        """Which file has the name now; None if none has. Raises StoreUnavailableError if it is no regular file."""
        try:
            found = os.stat(self.path)  # noqa: PTH116 a third of the time of Path.stat, and once for each look-up
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreUnavailableError(f"{self.path}: {error.strerror}") from None
        if not stat.S_ISREG(found.st_mode):
            raise StoreUnavailableError(f"{self.path}: it is no regular file")
        return Identity(found.st_dev, found.st_ino)

    def open_to_read(self) -> Opened | None:
        """A connection that waits for nobody; None while there is no file, or nothing in it. Raises sqlite3.Error."""
        opened = self._opened(0.0)
        if opened is not None and not self._checked(opened):
            opened.connection.close()
            return None
        return opened

    def open_to_write(self, patience: float) -> Opened:
        """A connection that waits `patience` seconds for another writer; a file that cannot be used is set aside.

        Raises sqlite3.Error and StoreUnavailableError.
        """
        self._make()
        opened = self._opened(patience)
        if opened is None:
            raise StoreUnavailableError(f"{self.path}: it is removed again and again")
        try:
            if not self._checked(opened):
                self._lay_out(opened.connection)
            opened.connection.execute("PRAGMA synchronous = NORMAL")
            opened.connection.execute("PRAGMA foreign_keys = ON")
            opened.connection.execute(f"PRAGMA journal_size_limit = {WAL_SIZE}")
        except BaseException as error:
            opened.connection.close()
            if isinstance(error, Exception) and is_damage(error):
                self.set_aside(opened.identity, error)
            raise
        return opened

    def set_aside(self, seen: Identity, why: Exception) -> None:
        """Rename the file, with a warning, unless another process has done so already."""
        with self._folder_locked():
            if self.identity() != seen:
                return
            aside = self._free_name()
            for suffix in ("", *BESIDE):
                with contextlib.suppress(FileNotFoundError):
                    os.rename(f"{self.path}{suffix}", f"{aside}{suffix}")  # noqa: PTH104
        log.warning("%s cannot be used as a store (%s): it was set aside as %s", self.path, why, aside)

    def _free_name(self) -> Path:
        names = (self.path.with_name(f"{self.path.name}.set-aside-{number}") for number in itertools.count(1))
        return next(name for name in names if not name.exists())

    def _make(self) -> None:
        if self.identity() is not None:
            return
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._folder_locked():
                if self.identity() is None:
                    for suffix in BESIDE:  # of a file that was removed: SQLite would play it into the new one
                        Path(f"{self.path}{suffix}").unlink(missing_ok=True)
                    os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE))
        except OSError as error:
            raise StoreUnavailableError(f"{self.path}: {error.strerror}") from None

    def _opened(self, patience: float) -> Opened | None:
        seen = self.identity()
        if seen is None:
            return None
        connection = sqlite3.connect(
            f"file:{quote(str(self.path))}?mode=rw",
            uri=True,
            timeout=patience,
            isolation_level=None,
            check_same_thread=False,  # a lock of ours keeps threads apart
        )
        try:
            connection.execute("PRAGMA schema_version")  # opens the file
            if self.identity() == seen:
                return Opened(connection, seen)
        except sqlite3.Error as error:
            connection.close()
            if is_damage(error) and patience:
                self.set_aside(seen, error)
            raise
        connection.close()
        return None

    def _checked(self, opened: Opened) -> bool:
        """Whether it is laid out; false if it is empty. Raises ForeignFileError, StoreUnavailableError, sqlite3.Error."""
        connection = opened.connection
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if (application, version) == self.layout[:2]:
            return True
        if application == self.layout.application:
            if version > self.layout.version:
                raise StoreUnavailableError(f"{self.path}: a newer Callsheet wrote it: give this one a file of its own")
            raise ForeignFileError("an older Callsheet wrote it")
        if application or version or connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
            raise ForeignFileError("another program wrote it")
        # SQLite takes a short text for an empty file, and would write over it.
        if self.path.stat().st_size and not connection.execute("PRAGMA page_count").fetchone()[0]:
            raise ForeignFileError("file is not a database")
        return False

    def _lay_out(self, connection: sqlite3.Connection) -> None:
        self.path.chmod(PRIVATE)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        try:
            if not connection.execute("PRAGMA user_version").fetchone()[0]:  # another process may have been quicker
                for statement in self.layout.statements:
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {self.layout.application}")
                connection.execute(f"PRAGMA user_version = {self.layout.version}")
            connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def _folder_locked(self) -> Iterator[None]:
        if sys.platform == "win32":  # it does not rename a file that is open: nothing is to be kept apart
            yield
            return
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)
