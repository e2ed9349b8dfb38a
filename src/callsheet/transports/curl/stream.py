"""A transfer whose body is read as it comes; libcurl is paused while too much of it waits."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pycurl

from callsheet.call import Limits
from callsheet.errors import AttemptTimeout, LocalFault, NoAnswer, TransportError
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.transports.curl.handle import Handle
from callsheet.transports.curl.told import told
from callsheet.transports.curl.transfer import Transfer

NEVER_CLOSED = "a streamed answer was dropped without being closed; use `with`, or call close()"
BUFFER = 512 * 1024
"""Bytes that libcurl reads from the connection at a time. With its default of 16 KiB a download takes half as much CPU
time again."""
HIGH_WATER = BUFFER - 8 * 1024
"""Bytes waiting to be read at which libcurl is paused.

A full read of BUFFER bytes comes in pieces of 16 KiB, and the last piece reaches this mark. A lower mark would pause
libcurl within a read, and it would copy the rest.
"""


class StreamedTransfer(Transfer):
    """Calls `progress` when the headers are complete, when bytes come and none were waiting, and at the end."""

    __slots__ = ("_response", "is_paused", "outcome", "progress", "waiting", "waiting_bytes")

    def __init__(self, handle: Handle, request: Request, progress: Callable[[], None]) -> None:
        super().__init__(handle, request)
        self.progress = progress
        self.waiting = BytesIO()
        self.waiting_bytes = 0
        self.is_paused = False
        self.outcome: tuple[int, str] | None = None
        self._response: Response | None = None

    def set_handle(self, limits: Limits) -> None:
        """Set the handle for the request, and have each line and piece reported as it comes."""
        self.handle.set_all(self.request, limits)
        self.easy.setopt(pycurl.HEADERFUNCTION, self._on_line)
        self.easy.setopt(pycurl.WRITEFUNCTION, self._on_piece)
        self.easy.setopt(pycurl.BUFFERSIZE, BUFFER)

    @property
    def are_headers_complete(self) -> bool:
        """Whether the header block of the final answer is whole."""
        return self.head.is_complete

    def _on_line(self, line: bytes) -> int | None:
        was_complete = self.head.is_complete
        taken = self.head.take(line)
        if self.head.is_complete and not was_complete:
            self.progress()
        return taken

    def _on_piece(self, piece: bytes) -> None:
        before = self.waiting_bytes
        self.waiting.write(piece)  # joined as they come: kept apart, short ones take many times their size
        self.waiting_bytes = waiting = before + len(piece)
        if waiting >= HIGH_WATER and not self.is_paused:
            self.is_paused = True
            self.easy.pause(pycurl.PAUSE_RECV)
        if not before:
            self.progress()

    def answer(self) -> Response:
        """See Transfer. From here on nothing is refused, and the trace would copy the body."""
        if self.handle.kept.http2:
            self.easy.setopt(pycurl.VERBOSE, 0)
        return super().answer()

    @property
    def pauses(self) -> int:
        """See Transfer."""
        return int(pycurl.PAUSE_RECV if self.is_paused else pycurl.PAUSE_CONT)

    @property
    def is_whole(self) -> bool:
        """Whether the transfer ended with the whole body received."""
        return self.outcome is not None and self.outcome[0] == 0

    def finished(self, errno: int, text: str) -> None:
        """Note the end of the transfer: libcurl's number (0 is success) and its message."""
        if self.outcome is None:
            self.outcome = (errno, text)
        self.progress()

    def next_bytes(self, nudge: Callable[[], None]) -> bytes:
        """All bytes that wait, b"" at the end. `nudge` is called once libcurl is unpaused. Raises NoAnswer for a cut body."""
        if not self.waiting_bytes:
            return self._end_of_body()
        taken = self.waiting.getvalue()
        self.waiting = BytesIO()
        self.waiting_bytes = 0
        if self.is_paused and self.outcome is None:
            self._go_on()
            nudge()
        return taken

    def _go_on(self) -> None:
        self.is_paused = False
        try:
            told(self.easy.pause, pycurl.PAUSE_CONT)
        except LocalFault as error:
            # libcurl has released the connection after the last byte; only the outcome is still to be read.
            if error.errno != pycurl.E_BAD_FUNCTION_ARGUMENT:
                raise

    def stalled(self, seconds: float | None) -> AttemptTimeout:
        """The error for a body of which no byte came for so many seconds."""
        message = f"no byte for {seconds:g} s (timeout.read) in the middle of the body"
        return AttemptTimeout(message, was_sent=True, request=self.request.redacted())

    def _end_of_body(self) -> bytes:
        """b"" if the body is whole. Raises NoAnswer if it broke off."""
        if self.is_whole:
            return b""
        errno, text = self.outcome or (pycurl.E_RECV_ERROR, "")
        error = self.failure(errno, text)
        if isinstance(error, TransportError) and not isinstance(error, NoAnswer):
            raise NoAnswer(str(error), was_sent=True, request=self.request.redacted())
        raise error
