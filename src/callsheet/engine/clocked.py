"""How the engine waits by a test's own clock, in both colours."""

from __future__ import annotations

from typing import Any

from callsheet.call import Limits
from callsheet.clock import Clock
from callsheet.engine.io import Io
from callsheet.events import WireFacts
from callsheet.http.request import Request
from callsheet.http.response import Response


class ClockedIo:
    """An io whose `now`, `sleep` and tickets are those of a test's clock.

    A request or a question to a store takes real time: the clock is told, so that it stands still meanwhile.
    """

    def __init__(self, io: Io, clock: Clock) -> None:
        self._io = io
        self._under_way = clock.under_way
        self.now, self.wall, self.new_ticket = io.now, io.wall, io.new_ticket
        self.sleep, self.wait = io.sleep, io.wait
        self.later, self.beside, self.is_closed = io.later, io.beside, io.is_closed

    async def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """The transport's answer."""
        with self._under_way():
            return await self._io.send(request, limits)

    async def read(self, stream: Any) -> bytes:
        """The next bytes of a stream, b"" at its end."""
        with self._under_way():
            return await self._io.read(stream)

    async def ask(self, store: Any, question: Any, seconds: float) -> Any:
        """A store's answer, waited for at most `seconds`."""
        with self._under_way():
            return await self._io.ask(store, question, seconds)
