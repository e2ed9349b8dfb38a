"""What every server here has in common: where it is, that it ends, and what it recorded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from tests.servers.ledger import Ledger, Request


class Server(ABC):
    """A server on loopback that ends with its `with` block."""

    host = "127.0.0.1"
    port: int
    url: str

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """End the server and everything it started."""


class RecordingServer(Server):
    """A server that keeps a ledger of what it saw; every `wait_` method answers False when the time ran out."""

    def __init__(self) -> None:
        self.ledger = Ledger()

    @property
    def requests(self) -> list[Request]:
        """The requests so far, in order of arrival."""
        return self.ledger.requests

    @property
    def connections(self) -> int:
        """How many connections were accepted."""
        return self.ledger.connections

    @property
    def open_connections(self) -> int:
        """How many connections are open now."""
        return self.ledger.open_connections

    def wait_requests(self, count: int, timeout: float = 2.0) -> bool:
        """Wait until at least `count` requests arrived."""
        return self.ledger.wait(lambda: len(self.ledger.arrived) >= count, timeout)

    def wait_connections(self, count: int, timeout: float = 2.0) -> bool:
        """Wait until at least `count` connections were accepted."""
        return self.ledger.wait(lambda: self.ledger.connections >= count, timeout)

    def wait_closed(self, count: int = 1, timeout: float = 2.0) -> bool:
        """Wait until the client closed at least `count` connections."""
        return self.ledger.wait(lambda: self.ledger.closed_by_client >= count, timeout)

    def wait_all_closed(self, timeout: float = 2.0) -> bool:
        """Wait until no accepted connection is open."""
        return self.ledger.wait(lambda: self.ledger.open_connections == 0, timeout)

    def wait_handshake_failures(self, count: int = 1, timeout: float = 2.0) -> bool:
        """Wait until at least `count` TLS handshakes failed."""
        return self.ledger.wait(lambda: len(self.ledger.handshake_failures) >= count, timeout)
