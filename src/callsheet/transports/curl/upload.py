"""Reads the body of a request as libcurl sends it.

libcurl asks for bytes only once it has begun to send, so an attempt that ends earlier has read nothing. An error in
reading ends the transfer in the middle of the body: the service sees a broken request, never a short one that looks whole.
"""

from __future__ import annotations

import time
from typing import Any

import pycurl

from callsheet.errors import ArgumentError
from callsheet.http.body_sources import BodySource, check_length
from callsheet.http.request import Request
from callsheet.http.streamed_body import ReadBody

BUFFER = 256 * 1024
"""Bytes that libcurl asks for at a time. With 16 KiB an upload costs twice the CPU time, and with 1 MiB a quarter more,
since the bytes and their copy no longer fit the processor's cache.
"""


class Upload:
    """Reads a body for one transfer. `error` is what reading raised; `touched` when it was last read, in seconds."""

    is_waiting = False
    """Whether libcurl is paused until the caller has more bytes."""

    def __init__(self, length: int | None) -> None:
        self.length = length
        self.error: BaseException | None = None
        self.touched = 0.0

    def read(self, size: int) -> bytes | int:
        """The next bytes, or READFUNC_ABORT or READFUNC_PAUSE. libcurl calls it, so it must not raise."""
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
        """Close what the body is read from. Closing twice does nothing."""

    async def wait_closed(self) -> None:
        """Wait until everything that `close` began to close is closed."""


def read_body(request: Request) -> ReadBody:
    """The body of a request whose `is_upload` is true."""
    body: Any = request.body
    return body  # type: ignore[no-any-return]


class SourceUpload(Upload):
    """Reads a body that `open` opens. Raises ArgumentError if it cannot be read, UsageError for an async iterator."""

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
            check_length(source, self.length, self._taken, is_over=not piece)
        return piece

    def close(self) -> None:
        """See Upload."""
        source, self._source = self._source, None
        if source is not None:
            source.close()
