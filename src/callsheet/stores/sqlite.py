"""Answers kept in a SQLite file, for all processes of a machine.

A look-up reads inline and waits for nobody: while the file is busy, it is a miss. Everything else is done by the thread of
`sqlite_writer.py`. A look-up sees at once what this process has given it to write.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from callsheet.process.forked import forget_after_fork, new_lock, rest_while_forking
from callsheet.stores.base import (
    MOST_VARIANTS,
    Answer,
    Clear,
    Drop,
    Entry,
    Find,
    HashKey,
    Holdings,
    Info,
    Keep,
    Question,
    Show,
    StoreUnavailableError,
)
from callsheet.stores.memory import MOST, Vary
from callsheet.stores.packed import packed_head, packed_vary, unpacked
from callsheet.stores.sqlite_entries import (
    FIND,
    HASH_KEY,
    LAYOUT,
    clear,
    drop,
    hash_key,
    make_room,
    note_used,
    show,
    totals,
    write_entry,
)
from callsheet.stores.sqlite_file import Opened, SqliteFile, is_busy, is_damage
from callsheet.stores.sqlite_writer import CLOSE_WAITS, REST, SqliteWriter, Work

MOST_USED = 4096
"""Look-ups that are remembered until something is written, so that what is not looked up goes first."""


class SqliteStore:
    """Keeps entries in the file at `path`, which stays below `max_bytes`. For threads."""

    def __init__(
        self, path: str | os.PathLike[str], max_bytes: int = MOST, *, wall: Callable[[], float] = time.time
    ) -> None:
        self._file = SqliteFile(path, LAYOUT)
        self._most = max_bytes
        self._wall = wall
        self._writer = SqliteWriter(self._file, self._tidy)
        self._reading = new_lock()
        self._lock = new_lock()
        self._opened: Opened | None = None
        self._hash_key: bytes | None = None
        self._works: dict[type[Question[Any]], Callable[[Any], Work]] = {
            Drop: lambda question: partial(drop, question),
            Clear: lambda question: partial(clear, question),
            Info: lambda _: self._info,
            Show: lambda question: partial(show, question.limit),
            HashKey: lambda _: self._agree,
        }
        self.forget()
        forget_after_fork(self)
        rest_while_forking(self)

    def forget(self) -> None:
        """Begin anew in a forked child: what waits is the parent's to write."""
        self._pending: dict[str, dict[Vary, Entry]] = {}
        self._used: dict[int, float] = {}
        self._rests_until = float("-inf")

    def rest(self) -> None:
        """Before a fork: let no thread read, and close the file."""
        self._reading.acquire()
        self._let_go()

    def wake(self) -> None:
        """After a fork, in the parent."""
        self._reading.release()

    def ask(self, question: Question[Answer], seconds: float) -> Answer:
        """The answer; Find and Keep at once, the others within `seconds`. Raises StoreUnavailableError."""
        begun = self.begun(question)
        if not isinstance(begun, Future):
            return begun
        try:
            return begun.result(min(seconds, threading.TIMEOUT_MAX))
        except concurrent.futures.TimeoutError:
            raise StoreUnavailableError(f"{self._file.path}: busy for {seconds:.3g} s") from None

    def close(self) -> None:
        """Write what waits, for half a second at most, and close the file."""
        self._writer.close()
        self.stop_reading()

    def stop(self) -> Future[None]:
        """Take no more questions. The future is done when everything is written."""
        self.stop_reading()
        return self._writer.stop()

    def stop_reading(self) -> None:
        """Close the file that look-ups read."""
        with self._reading:
            self._let_go()

    def begun(self, question: Question[Answer]) -> Answer | Future[Answer]:
        """The answer, or what will be it once the writer had its turn. Raises StoreUnavailableError."""
        if isinstance(question, Find):
            return self._found(question.key)  # type: ignore[return-value]
        if isinstance(question, Keep):
            self._keep(question.entry)
            return None  # type: ignore[return-value]
        if isinstance(question, HashKey) and self._known_hash_key():
            return self._hash_key  # type: ignore[return-value]
        if not isinstance(question, HashKey) and not self._pending and self._file.identity() is None:
            return self._of_nothing(question)  # type: ignore[no-any-return]
        return self._writer.do(self._works[type(question)](question))

    def _known_hash_key(self) -> bool:
        """Whether it is known, or stands in the file already: then no other process's transaction is waited for."""
        if self._hash_key is None:
            rows = self._rows(HASH_KEY, ())
            self._hash_key = bytes(rows[0][0]) if rows else None
        return self._hash_key is not None

    def _of_nothing(self, question: object) -> Any:
        """The answer where there is no file: it is not made to be asked."""
        if isinstance(question, Info):
            return Holdings(self._place, 0, 0, self._most)
        return () if isinstance(question, Show) else 0

    @property
    def _place(self) -> str:
        return f"sqlite:{self._file.path}"

    def _found(self, key: str) -> tuple[Entry, ...]:
        now = self._wall()
        pending: dict[Vary, Entry] = {}
        if self._pending:  # before the file is read: what is written meanwhile is in both
            with self._lock:
                pending = dict(self._pending.get(key, ()))
        found = {}
        for number, head, body in self._rows(FIND, (key, now)):
            entry = unpacked(head, body)
            if entry is None or entry.key != key:
                self._forget_rows(key)
                return ()
            found[entry.vary] = entry
            if len(self._used) < MOST_USED:
                self._used[number] = now
        for vary, entry in pending.items():
            found.pop(vary, None)
            found[vary] = entry
        return tuple(entry for entry in found.values() if entry.keep_until > now)[-MOST_VARIANTS:]

    def _forget_rows(self, key: str) -> None:
        with contextlib.suppress(StoreUnavailableError):
            self._writer.do(partial(drop, Drop(key)))

    def _rows(self, select: str, given: tuple[Any, ...]) -> list[Any]:
        try:
            with self._reading:
                connection = self._connection()
                return [] if connection is None else connection.execute(select, given).fetchall()
        except Exception as error:
            if isinstance(error, StoreUnavailableError):
                raise
            if is_busy(error):
                return []
            self.stop_reading()
            if is_damage(error):
                # The writer meets the damage, too, and sets the file aside.
                with contextlib.suppress(StoreUnavailableError):
                    self._writer.do(lambda connection: connection.execute(select, given).fetchall())
                return []
            self._rests_until = time.monotonic() + REST
            raise StoreUnavailableError(f"{self._file.path}: {error}") from None

    def _connection(self) -> sqlite3.Connection | None:
        identity = self._file.identity()
        if self._opened is not None and self._opened.identity != identity:
            self._let_go()  # the file was removed or set aside
        if self._opened is None and identity is not None:
            if time.monotonic() < self._rests_until:
                raise StoreUnavailableError(f"{self._file.path}: it could not be read just now", is_resting=True)
            self._opened = self._file.open_to_read()
        return None if self._opened is None else self._opened.connection

    def _let_go(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            with contextlib.suppress(sqlite3.Error):
                opened.connection.close()

    def _keep(self, entry: Entry) -> None:
        if entry.size > self._most:
            return
        write = partial(write_entry, entry, packed_head(entry), packed_vary(entry), self._wall())
        with self._lock:
            pending = self._pending.setdefault(entry.key, {})
            pending.pop(entry.vary, None)
            pending[entry.vary] = entry
        try:
            self._writer.do(write, entry.size).add_done_callback(lambda _: self._written(entry))
        except StoreUnavailableError:
            self._written(entry)
            raise

    def _written(self, entry: Entry) -> None:
        with self._lock:
            pending = self._pending.get(entry.key, {})
            if pending.get(entry.vary) is entry:
                del pending[entry.vary]
            if not pending:
                self._pending.pop(entry.key, None)

    def _tidy(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            used, self._used = self._used, {}
        note_used(used, connection)
        make_room(self._wall(), self._most, connection)

    def _info(self, connection: sqlite3.Connection) -> Holdings:
        return Holdings(self._place, *totals(connection), self._most)

    def _agree(self, connection: sqlite3.Connection) -> bytes:
        self._hash_key = hash_key(connection)
        return self._hash_key


class AsyncSqliteStore:
    """The same for tasks: what the writer does is awaited."""

    def __init__(
        self, path: str | os.PathLike[str], max_bytes: int = MOST, *, wall: Callable[[], float] = time.time
    ) -> None:
        self._store = SqliteStore(path, max_bytes, wall=wall)

    async def ask(self, question: Question[Answer], seconds: float) -> Answer:
        """The answer; Find and Keep at once, the others within `seconds`. Raises StoreUnavailableError, TimeoutError."""
        begun = self._store.begun(question)
        if not isinstance(begun, Future):
            return begun
        async with asyncio.timeout(seconds):
            return await asyncio.wrap_future(begun)

    async def aclose(self) -> None:
        """Write what waits, for half a second at most, and close the file."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSE_WAITS):
                await asyncio.wrap_future(self._store.stop())
