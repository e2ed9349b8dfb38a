"""Background work, such as fetching the next token: by threads for Client, by tasks for AsyncClient."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from typing import Any

from callsheet.engine.io import Work, finish
from callsheet.errors import LocalFault
from callsheet.new_thread import new_thread

log = logging.getLogger("callsheet")
CLOSE_WAITS = 0.5
"""Seconds that `close` waits for the work under way; the threads are daemons and hold up nothing after that."""
MOST_THREADS = 8
"""More than one, so that a token endpoint that hangs does not hold up the others."""


class Worker:
    """Daemon threads: one is started where all are busy, up to eight, and all are ended by `close`."""

    def __init__(self) -> None:
        self._is_closed = False
        self.forget()

    def forget(self) -> None:
        """Begin anew in a forked child, which has no thread."""
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._load = 0

    def __call__(self, work: Work) -> bool:
        """Run the work in the background; false once closed. Raises LocalFault if there is no thread and none can be started."""
        with self._lock:
            if self._is_closed:
                return False
            if len(self._threads) < min(self._load + 1, MOST_THREADS):
                try:
                    self._threads.append(new_thread("later", self._run))
                except LocalFault:
                    if not self._threads:
                        raise
            self._load += 1
            self._queue.put(work)
        return True

    def _run(self) -> None:
        # Work that is still queued at the end runs, too: on the closed transport it fails, which the calls that wait for it learn.
        while (work := self._queue.get()) is not None:
            try:
                finish(work())
            except Exception:
                if not self._is_closed:
                    log.warning("work in the background failed", exc_info=True)
            with self._lock:
                self._load -= 1
        self._queue.put(None)  # for the next thread

    def stop(self) -> None:
        """Take no more work; what is under way goes on, until its transport is closed."""
        with self._lock:
            self._is_closed = True
            self._queue.put(None)

    def close(self) -> None:
        """Take no more work and end the threads."""
        self.stop()
        until = time.monotonic() + CLOSE_WAITS
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, until - time.monotonic()))


class TaskSet:
    """Tasks of the running loop, cancelled by `aclose`."""

    def __init__(self) -> None:
        self._is_closed = False
        self.forget()

    def forget(self) -> None:
        """Begin anew in a forked child: the tasks are those of the parent's loop."""
        self._tasks: set[asyncio.Task[Any]] = set()

    def __call__(self, work: Work) -> bool:
        """Run the work in the background; false once closed."""
        if self._is_closed:
            return False
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def _guarded(self, work: Work) -> None:
        try:
            await work()
        except Exception:
            log.warning("work in the background failed", exc_info=True)

    async def aclose(self) -> None:
        """Take no more work and cancel what runs."""
        self._is_closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:  # a gathering of nothing needs a loop, too
            await asyncio.gather(*tasks, return_exceptions=True)
