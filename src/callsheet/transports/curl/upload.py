"""The body of a request, read as libcurl sends it.

libcurl asks for bytes when it can send some, and only once it has begun to send: an attempt that ends earlier has read
nothing. What goes wrong here ends the transfer in the middle of the body, so that the service sees a broken request,
never one that is whole and short.
"""

from __future__ import annotations

import time
from typing import Any

import pycurl

from callsheet.errors import ArgumentError
from callsheet.http.body_sources import BodySource
from callsheet.http.request import Request
from callsheet.http.streamed_body import ReadBody

BUFFER = 256 * 1024
"""Bytes that libcurl asks for at a time: with 16 KiB an upload costs twice the CPU time; with 1 MiB a quarter more,
for what is read and its copy no longer stay in the processor's cache.
"""


class Upload:
    """Reads a body for one transfer. `error` is what reading raised; `touched` when it was last read, in seconds."""

    is_waiting = False
    """Whether libcurl waits for bytes that nobody has yet."""

    def __init__(self, length: int | None) -> None:
        self.length = length
        self.error: BaseException | None = None
        self.touched = 0.0

    def read(self, size: int) -> bytes | int:
        """The next bytes, or what else libcurl understands. Called by libcurl: nothing may be raised here."""
        try:
            return self._next(size)
        except BaseException as error:  # noqa: BLE001 it is raised where the transfer's outcome is
            self.error = error
            return int(pycurl.READFUNC_ABORT)
        finally:
            self.touched = time.monotonic()

    def _next(self, size: int) -> bytes | int:
        raise NotImplementedError

    def close(self) -> None:
        """Let go of what is read from, however the transfer ended; closing twice does nothing."""

    async def wait_closed(self) -> None:
        """Wait until it has let go."""


def read_body(request: Request) -> ReadBody:
    """The body of a request that `is_upload`."""
    body: Any = request.body
    return body  # type: ignore[no-any-return]


class SourceUpload(Upload):
    """Reads a source. Raises ArgumentError if the body cannot be read, UsageError for an async iterator."""

    def __init__(self, body: ReadBody) -> None:
        super().__init__(body.length)
        self._taken = 0
        self._source: BodySource | None = body.open()

    def _next(self, size: int) -> bytes:
        source = self._source
        if source is None:
            raise ArgumentError("the body was closed while it was sent")
        piece = source.read(size)
        self._taken += len(piece)
        if len(piece) > size:
            raise ArgumentError(f"the body: asked for {size} bytes, reading gave {len(piece)}")
        if self.length is not None:
            self._check(source, self.length, is_over=not piece)
        return piece

    def _check(self, source: BodySource, length: int, *, is_over: bool) -> None:
        """What is too long would be cut by libcurl, and the service would take the beginning for the whole."""
        if self._taken > length or (self._taken == length and not is_over and source.read(1)):
            raise ArgumentError(f"the body: {length} bytes were announced, and it is longer")
        if is_over and self._taken < length:
            raise ArgumentError(f"the body: {length} bytes were announced, and it ended after {self._taken}")

    def close(self) -> None:
        """See Upload."""
        source, self._source = self._source, None
        if source is not None:
            source.close()
