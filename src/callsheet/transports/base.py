"""The port that a transport fills, once for each colour."""

from __future__ import annotations

from typing import Protocol

from callsheet.call import Limits
from callsheet.events import WireFacts
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.http.streamed_body import ReadBody

__all__ = ["AsyncStream", "AsyncTransport", "BlockingStream", "Limits", "ReadBody", "Stream", "Transport"]


class Stream(Protocol):
    """The body of an answer while it is still coming: what a transport sets as `Response.stream`."""

    def close(self) -> None:
        """Give the connection back or abort it, without waiting. Closing twice does nothing."""

    @property
    def facts(self) -> WireFacts:
        """What was measured so far."""


class BlockingStream(Stream, Protocol):
    """A stream that a thread reads: of a Transport."""

    def read(self) -> bytes:
        """The next bytes as they stand on the wire, b"" at the end. Raises NoAnswer if the body breaks off."""


class AsyncStream(Stream, Protocol):
    """A stream that a task reads: of an AsyncTransport."""

    async def read(self) -> bytes:
        """The next bytes as they stand on the wire, b"" at the end. Raises NoAnswer if the body breaks off."""


class Transport(Protocol):
    """Sends the requests of a Client, whose threads call it at the same time: `Client(..., transport=...)`."""

    def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """Send one request, once, and give its answer, with what was measured if `limits.wants_facts`.

        The body is given as it came, content codings not undone. Where `request.is_stream`, the answer is given as soon as
        its headers are there, and its `stream` reads the body. A request body whose `content` is None is a ReadBody.

        Raises NotSent if the service cannot have seen the request, NoAnswer if it may have; TLSError, ResponseTooLarge, and
        UsageError once closed. Callsheet repeats requests by what is raised here, so a wrong NotSent can send one twice.
        """

    def close(self) -> None:
        """Abort what is in flight and close every connection, without waiting for the network."""


class AsyncTransport(Protocol):
    """Sends the requests of an AsyncClient, for the tasks of one event loop: `AsyncClient(..., transport=...)`."""

    async def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """See Transport.send."""

    async def aclose(self) -> None:
        """Abort what is in flight and close every connection, without waiting for the network."""
