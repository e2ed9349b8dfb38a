"""The protocols that a transport implements: one for threads, one for tasks."""

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
        """The measurements so far."""


class BlockingStream(Stream, Protocol):
    """The body of an answer of a Transport, read by a thread."""

    def read(self) -> bytes:
        """The next bytes as they stand on the wire, b"" at the end. Raises NoAnswer if the body breaks off."""


class AsyncStream(Stream, Protocol):
    """The body of an answer of an AsyncTransport, read by a task."""

    async def read(self) -> bytes:
        """The next bytes as they stand on the wire, b"" at the end. Raises NoAnswer if the body breaks off."""


class Transport(Protocol):
    """Sends the requests of a Client, whose threads call it at the same time: `Client(..., transport=...)`."""

    def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """Send one request, once. Give its answer, and the measurements if `limits.wants_facts`, else None.

        Leave the content codings of the body as they came. If `request.is_stream`, give the answer as soon as its headers
        are complete, with a `stream` that reads the body. A request body whose `content` is None is a ReadBody.

        Raises NotSent if the service cannot have seen the request, NoAnswer if it may have; TLSError, ResponseTooLarge, and
        UsageError once closed. Callsheet decides by these errors whether to repeat a request: a wrong NotSent sends it twice.
        """

    def close(self) -> None:
        """Abort what is in flight and close every connection, without waiting for the network."""


class AsyncTransport(Protocol):
    """Sends the requests of an AsyncClient, for the tasks of one event loop: `AsyncClient(..., transport=...)`."""

    async def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """See Transport.send."""

    async def aclose(self) -> None:
        """Abort what is in flight and close every connection, without waiting for the network."""
