"""An answer whose body is read as it comes."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from callsheet.bare_frames import bare
from callsheet.call import SHORTEST, Attempt, deadline_passed
from callsheet.engine.complete import completed
from callsheet.engine.dropped import Lease, Open
from callsheet.engine.io import Io
from callsheet.engine.let_go import let_go
from callsheet.engine.tell import end_call
from callsheet.errors import APIError, AttemptTimeout, DecodeError, ResponseTooLarge, UsageError
from callsheet.http.codings import BrokenCodingError, Chain, UnknownCodingError, codings_in, decoders_for
from callsheet.http.response import Response
from callsheet.plan.plan import Plan

READ_ALREADY = (
    "the body was read to its end already; keep what it gave, or take `read()`, which keeps it as `response.content`"
)
READ_IN_PART = "another loop has begun with its lines, values or events, and keeps what it read ahead; go on with the iterator of that loop"
BEING_READ = "another thread or task is reading this answer; let one read it"


class OpenAnswer:
    """The body of `response`, decoded piece by piece.

    Slot and connection are held until `close`, which the end of the body calls if `closes_at_end`.
    """

    def __init__(self, response: Response, attempt: Attempt, plan: Plan, io: Io, lease: Lease) -> None:
        lease.cover(Open(attempt, plan, io, response.status_code))
        self.response = response
        # Only we refer to the stream: its own finalizer frees the connection.
        self._stream, response.stream = response.stream, None
        self._attempt = attempt
        self._lease = lease
        self.plan = plan
        self._io = io
        self._pieces: Iterator[bytes] = iter(())
        self._chain: Chain | None = None
        self._is_at_end = False
        self._was_given = False
        self._reader: object = None
        self._is_closed = False
        self._reading = threading.Lock()
        self.closes_at_end = False

    async def next_piece(self, reader: object = None) -> bytes:
        """The next decoded bytes, b"" at the end. `reader` makes parts of them, and keeps the beginning of one.

        Raises NoAnswer if the body breaks off, DecodeError if it is garbled, UsageError if the answer was closed or read before.
        """
        if not self._reading.acquire(blocking=False):
            raise completed(UsageError(BEING_READ), self._attempt.call, self.plan, self._io.wall)
        try:
            piece = await self._next(reader)
            self._was_given = not piece
            return piece
        except BaseException as error:
            bare(error)
            raise
        finally:
            self._reading.release()

    async def _next(self, reader: object) -> bytes:
        if self._was_given or self._reader not in (None, reader):
            message = READ_ALREADY if self._was_given else READ_IN_PART
            raise completed(UsageError(message), self._attempt.call, self.plan, self._io.wall)
        self._reader = reader
        try:
            while not self._is_at_end:
                for piece in self._pieces:
                    return piece
                await self._take_more()
        except BaseException as error:
            told = self._told(error)
            self.close(told)
            if told is not error:
                raise told from None
            raise
        if self.closes_at_end:
            self.close()
        return b""

    def _told(self, error: BaseException) -> BaseException:
        """The error that the caller gets for a body that failed."""
        if isinstance(error, BrokenCodingError):
            return DecodeError(f"the answer's body cannot be decoded: {error}", **self.response.facts())
        call = self._attempt.call
        is_late = call.bounds_stream and call.deadline - self._io.now() < SHORTEST
        return deadline_passed(self._attempt) if is_late and isinstance(error, AttemptTimeout) else error

    async def _take_more(self) -> None:
        if self._is_closed:
            raise UsageError("the answer is closed; read it before it is, inside `with`")
        if self._chain is None:
            self._chain = self._decoders()
            if self._stream is None:
                self._pieces = self._chain.pieces(self.response.content)
                return
        raw = await self._io.read(self._stream) if self._stream is not None else b""
        self._pieces = self._chain.pieces(raw)
        if not raw:
            self._chain.finish()
            self._is_at_end = True

    def _decoders(self) -> Chain:
        names = codings_in(self.response.headers.get("content-encoding", ""))
        try:
            return Chain(decoders_for(names, self.plan.settings.caps.encodings))
        except UnknownCodingError as error:
            self.response.left_coded = str(error)
            return Chain(())

    async def read(self) -> bytes:
        """The rest of the body, under the cap on answers; `response.content` holds it from then on."""
        cap = self.plan.settings.caps.response
        if self._was_given and self.response.content:
            return self.response.content
        await self.read_some(cap)
        if not self._is_at_end:
            message = f"the answer is larger than {cap} bytes (caps.response); read it in pieces"
            too_large = ResponseTooLarge(message, **self.response.facts())
            self.close(too_large)
            raise too_large
        return self.response.content

    async def read_some(self, most: int) -> None:
        """Read to the end, or until more than `most` bytes have come."""
        pieces: list[bytes] = []
        size = 0
        while size <= most and (piece := await self.next_piece()):
            pieces.append(piece)
            size += len(piece)
        self.response.decode_with(lambda raw: b"".join(pieces))

    def failed(self, error: APIError) -> APIError:
        """Close the answer, whose body cannot be used; the error, with the facts of the call on it."""
        is_told = error.service is not None
        if not self._is_closed:
            self.close(error)
        elif not is_told:
            completed(error, self._attempt.call, self.plan, self._io.wall)
        return error

    def close(self, error: BaseException | None = None) -> None:
        """Give back slot and connection, and tell listeners how the call ended. Closing twice does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        let_go(self._attempt)
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        self._lease.end()
        call = self._attempt.call
        told = error and completed(error, call, self.plan, self._io.wall)
        end_call(call, self.plan, self._io, self.response.status_code, told)
