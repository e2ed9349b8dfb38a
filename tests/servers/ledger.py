"""What a server saw, counted under one lock, so that a test waits for a fact instead of sleeping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Condition


@dataclass(frozen=True)
class Request:
    """One request as it arrived: `head` is byte for byte, `body` is without its chunk framing."""

    connection: int
    head: bytes
    body: bytes = b""
    body_size: int = 0
    complete: bool = True

    @property
    def line(self) -> bytes:
        """The request line, without its line end."""
        return self.head.split(b"\r\n", 1)[0]

    @property
    def method(self) -> str:
        """The method, as sent."""
        return self.line.split(b" ")[0].decode("latin-1")

    @property
    def target(self) -> str:
        """The request target, as sent."""
        return self.line.split(b" ")[1].decode("latin-1")

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The header fields in order, with their names as sent."""
        fields = (each.decode("latin-1").partition(":") for each in self.head.rstrip(b"\r\n").split(b"\r\n")[1:])
        return [(name, value.strip()) for name, _, value in fields]

    def header(self, name: str) -> str | None:
        """The first value of a header field, found without regard to case."""
        return next((value for known, value in self.headers if known.lower() == name.lower()), None)


@dataclass
class Ledger:
    """Counts of connections and requests, that the server's threads write and the test's thread reads."""

    connections: int = 0
    open_connections: int = 0
    closed_by_client: int = 0
    handshakes: int = 0
    clients: list[int | None] = field(default_factory=list)
    handshake_failures: list[str] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)
    arrived: list[Request] = field(default_factory=list)
    _changed: Condition = field(default_factory=Condition)

    @property
    def requests(self) -> list[Request]:
        """The requests so far, in order of arrival."""
        with self._changed:
            return list(self.arrived)

    def wait(self, fact: Callable[[], bool], timeout: float = 2.0) -> bool:
        """Wait until a fact about this ledger holds; False when the time ran out."""
        with self._changed:
            return self._changed.wait_for(fact, timeout)

    def accepted(self) -> int:
        """Note a new connection and give its number, from 0."""
        with self._changed:
            self.connections += 1
            self.open_connections += 1
            self._changed.notify_all()
            return self.connections - 1

    def received(self, request: Request) -> None:
        """Note a request."""
        with self._changed:
            self.arrived.append(request)
            self._changed.notify_all()

    def secured(self, client: int | None) -> None:
        """Note a TLS handshake that succeeded, and the serial number of the certificate that the client presented."""
        with self._changed:
            self.handshakes += 1
            self.clients.append(client)
            self._changed.notify_all()

    def not_secured(self, reason: str) -> None:
        """Note a TLS handshake that failed."""
        with self._changed:
            self.handshake_failures.append(reason)
            self._changed.notify_all()

    def failed(self, error: BaseException) -> None:
        """Note an error in the server's own code."""
        with self._changed:
            self.errors.append(error)
            self._changed.notify_all()

    def ended(self, by_client: bool) -> None:
        """Note that a connection is over, and whether it was the client that closed it."""
        with self._changed:
            self.open_connections -= 1
            self.closed_by_client += by_client
            self._changed.notify_all()
