"""The one thread of a process that writes to a SQLite file, so that no call waits for another process or for the disk.

What it is given is done in order, many at a time in one transaction. The connection is closed before a fork and opened again
after it: SQLite forgets its locks in a child that has inherited an open file.
"""

from __future__ import annotations

import atexit
import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, NamedTuple
from weakref import WeakSet

from callsheet.errors import LocalFault
from callsheet.new_thread import new_thread
from callsheet.process.forked import forget_after_fork, new_lock, rest_while_forking
from callsheet.stores.base import StoreUnavailableError
from callsheet.stores.sqlite_file import Opened, SqliteFile, is_busy, is_damage

MOST_WAITING = 1000
"""Pieces of work that may wait. A further one is refused."""
MOST_BYTES = 16 * 1024 * 1024
"""Bytes of memory that the work may hold while it waits."""
BATCH = 64
BUSY = 0.1
"""Seconds that SQLite waits for another process's transaction. A fork waits for it, too."""
PATIENCE = 5.0
"""Seconds after which a batch is given up if other processes write all the time."""
REST = 1.0
"""Seconds for which a file that failed is left alone."""
CLOSE_WAITS = 0.5
"""Seconds that `close`, and the end of the program, wait for what is not yet written."""
Work = Callable[[sqlite3.Connection], Any]


class _Piece(NamedTuple):
    work: Work
    size: int
    done: Future[Any]


class SqliteWriter:
    """Does work on a connection to the file, in a thread of its own. `tidy` is done after each piece."""

    def __init__(self, file: SqliteFile, tidy: Work) -> None:
        self._file = file
        self._tidy = tidy
        self._turn = new_lock()
        self._lock = new_lock()
        self._is_closed = False
        self._opened: Opened | None = None
        self.forget()
        forget_after_fork(self)
        rest_while_forking(self)
        _all.add(self)

    def forget(self) -> None:
        """Begin anew in a forked child, which has no thread. What waits is the parent's to write."""
        self._pieces: queue.SimpleQueue[_Piece | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._ended: Future[None] = Future()
        self._waiting = 0
        self._bytes = 0
        self._failure = ""
        self._rests_until = float("-inf")
        self._is_told = False

    def rest(self) -> None:
        """Before a fork: finish the transaction, and close the file."""
        self._turn.acquire()
        self._let_go()

    def wake(self) -> None:
        """After a fork, in the parent."""
        self._turn.release()

    def do(self, work: Work, size: int = 0) -> Future[Any]:
        """What becomes of the work; `size` is how many bytes it holds. Work without a size is never refused for a full queue.

        Raises StoreUnavailableError if the queue is full, or the file failed less than a second ago.
        """
        with self._lock:
            if self._is_closed:
                raise StoreUnavailableError("the store is closed", is_resting=True)
            if time.monotonic() < self._rests_until:
                is_told, self._is_told = self._is_told, True
                raise StoreUnavailableError(self._failure, is_resting=is_told)
            if size and (self._waiting >= MOST_WAITING or self._bytes + size > MOST_BYTES):
                raise StoreUnavailableError("more was to be written than the disk takes", is_resting=True)
            if self._thread is None:
                try:
                    self._thread = new_thread("sqlite", self._run)
                except LocalFault as error:
                    raise StoreUnavailableError(str(error)) from None
            piece = _Piece(work, size, Future())
            self._waiting += 1
            self._bytes += size
            self._pieces.put(piece)
            return piece.done

    def stop(self) -> Future[None]:
        """Take no more work. The future is done when everything is written and the file is closed."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                if self._thread is None:
                    self._ended.set_result(None)
                else:
                    self._pieces.put(None)
        return self._ended

    def close(self) -> None:
        """Write what waits, for half a second at most, and close the file."""
        with contextlib.suppress(Exception):
            self.stop().result(CLOSE_WAITS)

    def _run(self) -> None:
        pieces = self._pieces
        self._ended.set_running_or_notify_cancel()
        while (piece := pieces.get()) is not None:
            batch = [piece]
            while len(batch) < BATCH and not pieces.empty():
                if (further := pieces.get()) is None:
                    pieces.put(None)  # for the end of the loop
                    break
                batch.append(further)
            self._carry_out(batch)
        with self._turn:
            self._let_go()
        self._ended.set_result(None)

    def _carry_out(self, batch: list[_Piece]) -> None:
        for piece in batch:
            piece.done.set_running_or_notify_cancel()  # from here on, a caller who gives up cannot cancel it
        results, failure = self._tried([piece.work for piece in batch])
        with self._lock:
            self._waiting -= len(batch)
            self._bytes -= sum(piece.size for piece in batch)
            if failure is not None and not is_busy(failure):
                self._failure = f"{self._file.path}: {failure}"
                self._rests_until = time.monotonic() + REST
                self._is_told = False
        for piece, result in zip(batch, results, strict=True):
            if piece.done.cancelled():
                continue
            if failure is None:
                piece.done.set_result(result)
            else:
                piece.done.set_exception(StoreUnavailableError(f"{self._file.path}: {failure}"))

    def _tried(self, works: list[Work]) -> tuple[list[Any], Exception | None]:
        until = time.monotonic() + PATIENCE
        damages = 0
        while True:
            try:
                with self._turn:
                    return self._transaction(works), None
            except Exception as error:  # noqa: BLE001 whatever it is, the thread goes on and the work's caller is told
                damages += is_damage(error)
                may_pass = is_busy(error) or (is_damage(error) and damages < 3)
                if not may_pass or self._is_closed or time.monotonic() > until:
                    return [None] * len(works), error
            time.sleep(0.001)

    def _transaction(self, works: list[Work]) -> list[Any]:
        opened = self._current()
        connection = opened.connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            results = []
            for work in works:
                results.append(work(connection))
                self._tidy(connection)
            connection.execute("COMMIT")
        except BaseException as error:
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            if isinstance(error, Exception) and not is_busy(error):
                self._let_go()
                if is_damage(error):
                    self._file.set_aside(opened.identity, error)
            raise
        return results

    def _current(self) -> Opened:
        if self._opened is not None and self._opened.identity != self._file.identity():
            self._let_go()  # the file was removed or set aside
        if self._opened is None:
            self._opened = self._file.open_to_write(BUSY)
        return self._opened

    def _let_go(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            with contextlib.suppress(sqlite3.Error):
                opened.connection.close()


_all: WeakSet[SqliteWriter] = WeakSet()


@atexit.register
def _finish_all() -> None:
    for writer in list(_all):
        writer.close()
