"""Work that belongs to nobody's call: a thread for the blocking client, tasks for the other."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from typing import Any

from callsheet.engine.io import Work, finish

log = logging.getLogger("callsheet")
CLOSE_WAITS = 0.5
"""Seconds that `close` waits for the work under way; the thread is a daemon and holds up nothing after that."""


class Worker:
    """One daemon thread, started with the first work and ended by `close`."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._is_closed = False

    def __call__(self, work: Work) -> None:
        """Do it soon."""
        with self._lock:
            if self._is_closed:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="callsheet-later", daemon=True)
                self._thread.start()
        self._queue.put(work)

    def _run(self) -> None:
        while (work := self._queue.get()) is not None and not self._is_closed:
            try:
                finish(work())
            except Exception:
                if not self._is_closed:
                    log.warning("work in the background failed", exc_info=True)

    def forget(self) -> None:
        """Begin anew in a forked child, which has no thread."""
        self._lock = threading.Lock()
        self._queue = queue.SimpleQueue()
        self._thread = None

    def stop(self) -> None:
        """Take no more work; what is under way goes on, until its transport is closed."""
        with self._lock:
            self._is_closed = True
        self._queue.put(None)

    def close(self) -> None:
        """Take no more work and end the thread."""
        self.stop()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(CLOSE_WAITS)


class TaskSet:
    """Tasks of the running loop, cancelled by `aclose`."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_closed = False

    def __call__(self, work: Work) -> None:
        """Do it soon."""
        if self._is_closed:
            return
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

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
        await asyncio.gather(*tasks, return_exceptions=True)
