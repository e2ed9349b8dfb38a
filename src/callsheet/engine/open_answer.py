"""An answer whose body is read as it comes."""

from __future__ import annotations

from typing import Any

from callsheet.call import Attempt
from callsheet.engine.complete import completed
from callsheet.engine.io import Io
from callsheet.engine.loop import let_go
from callsheet.engine.tell import tell_call
from callsheet.errors import DecodeError, ResponseTooLarge
from callsheet.http.codings import BrokenCodingError, Chain, codings_in, decoders_for
from callsheet.http.response import Response
from callsheet.plan.plan import Plan


class OpenAnswer:
    """The body of `response`, decoded piece by piece.

    Slot and connection are held until `close`, which a whole body calls by itself.
    """

    def __init__(self, response: Response, attempt: Attempt, plan: Plan, io: Io) -> None:
        self.response = response
        self._attempt = attempt
        self._plan = plan
        self._io = io
        self._pieces: Any = iter(())
        self._chain = Chain(self._decoders())
        self._is_at_end = response.stream is None
        self._is_closed = False
        self.closes_at_end = False

    def _decoders(self) -> Any:
        field = self.response.field(b"content-encoding")
        try:
            return decoders_for(codings_in(field or ""), self._plan.settings.caps.encodings)
        except BrokenCodingError as error:
            raise DecodeError(str(error), **self.response.facts()) from None

    async def next_piece(self) -> bytes:
        """The next decoded bytes, b"" at the end. Raises NoAnswer if the body breaks off, DecodeError if it is garbled."""
        try:
            while True:
                for piece in self._pieces:
                    return bytes(piece)
                if self._is_at_end:
                    if self.closes_at_end:
                        self.close()
                    return b""
                await self._take_more()
        except BrokenCodingError as broken:
            error = DecodeError(f"the answer's body cannot be decoded: {broken}", **self.response.facts())
            self.close(error)
            raise error from None
        except BaseException as error:
            self.close(error)
            raise

    async def _take_more(self) -> None:
        raw = await self._io.read(self.response.stream)
        self._is_at_end = not raw
        self._pieces = self._chain.pieces(raw)
        if self._is_at_end:
            self._chain.finish()

    async def read(self) -> bytes:
        """The rest of the body, under the cap on answers; `response.content` holds it from then on."""
        cap = self._plan.settings.caps.response
        await self.read_some(cap)
        if not self._is_at_end:
            message = f"the answer is larger than {cap} bytes (caps.response); read it in pieces"
            error = ResponseTooLarge(message, **self.response.facts())
            self.close(error)
            raise error
        return self.response.content

    async def read_some(self, most: int) -> None:
        """Read to the end, or until more than `most` bytes have come."""
        pieces: list[bytes] = []
        size = 0
        while size <= most and (piece := await self.next_piece()):
            pieces.append(piece)
            size += len(piece)
        self.response.decode_with(lambda raw: b"".join(pieces))

    def close(self, error: BaseException | None = None) -> None:
        """Let go of slot and connection, and say how the call ended. Closing twice does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        let_go(self._attempt)
        call, plan = self._attempt.call, self._plan
        for ended in plan.ended:
            ended(call)
        if plan.listeners:
            tell_call(
                plan, call, self.response.status_code, error and completed(error, call), self._io.now() - call.started
            )
