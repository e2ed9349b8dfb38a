"""How the engine waits by a test's own clock. A request or a question to a store takes real time: the clock stands meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from callsheet.call import Limits
from callsheet.clock import Clock
from callsheet.engine.io import TaskIo, ThreadIo, Work, never
from callsheet.events import WireFacts
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.settings.tls import TLS
from callsheet.transports.base import AsyncTransport, Transport

Beside = Callable[[TLS], Any] | None


class ClockedThreadIo(ThreadIo):
    """Waits by blocking the calling thread."""

    def __init__(
        self,
        transport: Transport,
        later: Callable[[Work], bool],
        clock: Clock,
        *,
        beside: Beside = None,
        is_closed: Callable[[], bool] = never,
    ) -> None:
        super().__init__(
            transport,
            later,
            clock.now,
            clock.sleep,
            clock.new_ticket,
            wall=clock.wall,
            beside=beside,
            is_closed=is_closed,
        )
        self._under_way = clock.under_way

    async def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """The transport's answer."""
        with self._under_way():
            return await super().send(request, limits)

    async def read(self, stream: Any) -> bytes:
        """The next bytes of a stream, b"" at its end."""
        with self._under_way():
            return await super().read(stream)

    async def ask(self, store: Any, question: Any, seconds: float) -> Any:
        """A store's answer, for which it has so many seconds."""
        with self._under_way():
            return await super().ask(store, question, seconds)


class ClockedTaskIo(TaskIo):
    """Waits by suspending the running task."""

    def __init__(
        self,
        transport: AsyncTransport,
        later: Callable[[Work], bool],
        clock: Clock,
        *,
        beside: Beside = None,
        is_closed: Callable[[], bool] = never,
    ) -> None:
        super().__init__(
            transport,
            later,
            clock.now,
            clock.asleep,
            clock.new_task_ticket,
            wall=clock.wall,
            beside=beside,
            is_closed=is_closed,
        )
        self._under_way = clock.under_way
        self._transport = transport
        self.send = self._held

    async def _held(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        with self._under_way():
            return await self._transport.send(request, limits)

    async def read(self, stream: Any) -> bytes:
        """The next bytes of a stream, b"" at its end."""
        with self._under_way():
            return await super().read(stream)

    async def ask(self, store: Any, question: Any, seconds: float) -> Any:
        """A store's answer, for which it has so many seconds."""
        with self._under_way():
            return await super().ask(store, question, seconds)
