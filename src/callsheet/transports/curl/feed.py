"""Sends the body of a request from an async iterator."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any

import pycurl

from callsheet.http.body_sources import AsyncPieces
from callsheet.transports.curl.upload import Upload


class FedUpload(Upload):
    """Runs a task that takes the pieces one at a time, and pauses libcurl while there is none.

    The task starts when libcurl first asks for bytes, and runs in the context (contextvars) of the sending task.
    `resume` unpauses libcurl.
    """

    def __init__(self, pieces: AsyncPieces, resume: Callable[[], None]) -> None:
        super().__init__(None)
        self._pieces = pieces
        self._resume = resume
        self._context = contextvars.copy_context()
        self._task: asyncio.Task[None] | None = None
        self._piece = b""
        self._start = 0
        self._was_taken = asyncio.Event()
        self._is_over = False
        self._is_closed = False

    def _next(self, size: int) -> bytes | int:
        if self.error is not None:
            return int(pycurl.READFUNC_ABORT)
        if self._start < len(self._piece):
            return self._cut(size)
        if self._is_over:
            return b""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._feed(), context=self._context)
        self.is_waiting = True
        return int(pycurl.READFUNC_PAUSE)

    def _cut(self, size: int) -> bytes:
        start, self._start = self._start, self._start + size
        if self._start >= len(self._piece):
            self._was_taken.set()
        return self._piece if not start and size >= len(self._piece) else self._piece[start : self._start]

    async def _feed(self) -> None:
        try:
            self._pieces.begin()
            await self._take_all(aiter(self._pieces.pieces))
        except (Exception, asyncio.CancelledError) as error:  # raised where the transfer's outcome is
            self.error = error
            if self._is_closed and isinstance(error, asyncio.CancelledError):
                raise
        self._is_over = True
        self._go_on()

    async def _take_all(self, iterator: Any) -> None:
        try:
            async for piece in iterator:
                await self._offer(self._pieces.encoded(piece))
            await self._offer(self._pieces.ending())
        finally:
            if hasattr(iterator, "aclose"):
                await iterator.aclose()

    async def _offer(self, piece: bytes) -> None:
        if piece:
            self._piece, self._start = piece, 0
            self._was_taken.clear()
            self._go_on()
            await self._was_taken.wait()

    def _go_on(self) -> None:
        if self.is_waiting and not self._is_closed:
            self.is_waiting = False
            self._resume()

    def close(self) -> None:
        """Cancel the task, which closes the iterator; `wait_closed` waits for that."""
        self._is_closed = True
        if self._task is not None and not self._task.get_loop().is_closed():
            self._task.cancel()

    async def wait_closed(self) -> None:
        """Wait until the task has ended."""
        if self._task is not None:
            await asyncio.wait([self._task])
