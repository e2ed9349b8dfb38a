"""The port that a transport fills, once for each colour."""

from __future__ import annotations

from typing import Protocol

from callsheet.call import Limits
from callsheet.events import WireFacts
from callsheet.http.request import Request
from callsheet.http.response import Response


class Stream(Protocol):
    """A body that is read as it comes: what `Response.stream` holds."""

    def close(self) -> None:
        """Let go of the connection; never waits. Closing twice does nothing."""

    @property
    def facts(self) -> WireFacts:
        """What was measured so far."""


class BlockingStream(Stream, Protocol):
    """A stream read by a thread."""

    def read(self) -> bytes:
        """The next bytes as they stand on the wire, b"" at the end. Raises NoAnswer if the body breaks off."""


class AsyncStream(Stream, Protocol):
    """A stream read by a task."""

    async def read(self) -> bytes:
        """The next bytes as they stand on the wire, b"" at the end. Raises NoAnswer if the body breaks off."""


class Transport(Protocol):
    """Sends one request at a time per thread, and waits for the answer."""

    def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """The answer, body still coded; what was measured, if `limits` want it. Raises TransportError, ResponseTooLarge, or UsageError once closed."""

    def close(self) -> None:
        """Abort what is in flight and let go of every connection; never waits for the network."""


class AsyncTransport(Protocol):
    """The same for tasks of one event loop."""

    async def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """The answer, body still coded; what was measured, if `limits` want it. Raises TransportError, ResponseTooLarge, or UsageError once closed."""

    async def aclose(self) -> None:
        """Abort what is in flight and let go of every connection; never waits for the network."""
