"""What the calls of a client go through, made in one place: transports, stores, what waits, and work in the background."""

from __future__ import annotations

import inspect
import threading
import time
from abc import ABC, abstractmethod
from functools import partial
from typing import Any

from callsheet.clock import Clock
from callsheet.engine.clocked import Beside, ClockedTaskIo, ClockedThreadIo
from callsheet.engine.io import AsyncPauses, Pauses, TaskIo, ThreadIo
from callsheet.engine.later import TaskSet, Worker
from callsheet.errors import CLOSED, UsageError
from callsheet.http.request import Origin
from callsheet.policies.scope import SharedStore
from callsheet.settings.settings import Settings
from callsheet.settings.stores import StoreSettings
from callsheet.settings.tls import TLS
from callsheet.sheet import ServiceSheet
from callsheet.stores.valkey import AsyncValkeyStore, ValkeyStore
from callsheet.transports.base import AsyncTransport, Transport
from callsheet.transports.by_origin import AsyncByOrigin, ByOrigin
from callsheet.transports.connection_settings import ConnectionSettings


class Wiring(ABC):
    """Makes what services need to send requests, and keeps it until it is closed.

    `transport` is one to use instead of libcurl's, or a function that wraps each of those; `clock` is that of a test.
    Services whose connections are set alike share a transport. Raises UsageError for a transport of the other colour.
    """

    client: str
    send_suspends: bool

    _later: Worker | TaskSet
    _pauses: Pauses | AsyncPauses

    def __init__(self, transport: Any = None, clock: Clock | None = None) -> None:
        self.is_closed = False
        self.clock = transport.agree_on(clock) if hasattr(transport, "agree_on") else clock
        self._wraps = transport if callable(transport) and not hasattr(transport, "send") else None
        self.given = None if self._wraps else self._checked(transport)
        if self.clock is not None and self.given is None:
            raise UsageError("Client: a clock of its own needs a transport that goes by it, such as a FakeTransport")
        self.now = time.monotonic if self.clock is None else self.clock.now
        self.wall_clock = time.time if self.clock is None else self.clock.wall
        self._lock = threading.RLock()
        self._transports: dict[tuple[str, ConnectionSettings, Origin | None], Any] = {}
        self._stores: dict[StoreSettings, Any] = {}

    @property
    def has_connections(self) -> bool:
        """Whether a transport was made, which has to be closed."""
        return bool(self._transports)

    def closed(self) -> bool:
        """Whether it was closed, so that nothing can be sent any more."""
        return self.is_closed

    def for_plans(self, service: ServiceSheet) -> dict[str, Any]:
        """What the plans of a service are made with beside its settings: clocks, and where its limits are kept."""
        store = self._store(service.stores.limits)
        return {"now": self.now, "wall_clock": self.wall_clock, "store": store}

    def io(self, service: str, settings: Settings) -> Any:
        """How the calls of a service under these settings send and wait."""
        return self._io(self._transport(service, settings), partial(self._io_beside, service, settings))

    def forget(self) -> None:
        """In a forked child: begin anew; the parent's connections, threads and tasks are its own."""
        self._lock = threading.RLock()
        self._later.forget()
        self._pauses.forget()

    def _store(self, chosen: StoreSettings | None) -> SharedStore | None:
        if chosen is None:
            return None
        with self._lock:
            if chosen not in self._stores:
                self._stores[chosen] = self._new_store(chosen)
            return SharedStore(self._stores[chosen], chosen.on_failure == "refuse")

    def _io_beside(self, service: str, settings: Settings, tls: TLS) -> Any:
        """How the requests of an exchange with others than the service are sent: under the TLS of that."""
        with self._lock:
            if self.is_closed:
                raise UsageError(CLOSED, service=service)
            return self._io(self._transport(service, settings, tls), None)

    def _transport(self, service: str, settings: Settings, tls: TLS | None = None) -> Any:
        if self.given is not None:
            return self.given
        chosen = ConnectionSettings.of(settings)
        home = settings.origin if settings.allow_origins and tls is None else None
        key = (service, chosen if tls is None else chosen.for_exchange(tls), home)
        with self._lock:
            if key not in self._transports:
                made = self._new_transport(key[1])
                if home is not None:
                    made = self._by_origin(home, made, self._new_transport(chosen.for_other_origins()))
                self._transports[key] = self._checked(self._wraps(made)) if self._wraps else made
            return self._transports[key]

    def _checked(self, transport: Any) -> Any:
        """The transport, or what one that serves both colours has for tasks."""
        if self.send_suspends:
            transport = getattr(transport, "asynchronous", transport)
        if transport is not None and inspect.iscoroutinefunction(transport.send) is not self.send_suspends:
            wanted = "a coroutine" if self.send_suspends else "a plain function"
            raise UsageError(f"{self.client}: transport.send of {transport!r} must be {wanted}")
        return transport

    @abstractmethod
    def _io(self, transport: Any, beside: Beside) -> Any: ...

    @abstractmethod
    def _new_transport(self, settings: ConnectionSettings) -> Any: ...

    @abstractmethod
    def _by_origin(self, home: Origin, at_home: Any, elsewhere: Any) -> Any: ...

    @abstractmethod
    def _new_store(self, chosen: StoreSettings) -> Any: ...


class ThreadWiring(Wiring):
    """What threads call through."""

    client = "Client"
    send_suspends = False

    def __init__(self, transport: Any = None, clock: Clock | None = None) -> None:
        super().__init__(transport, clock)
        self._later: Worker = Worker()
        self._pauses: Pauses = Pauses()
        if self.given is None:  # a test that gives its own transport needs no libcurl
            from callsheet.transports.curl.blocking import CurlTransport  # noqa: PLC0415

            self._curl = CurlTransport

    def _io(self, transport: Transport, beside: Beside) -> ThreadIo:
        if self.clock is None:
            return ThreadIo(transport, self._later, sleep=self._pauses.sleep, beside=beside, is_closed=self.closed)
        return ClockedThreadIo(transport, self._later, self.clock, beside=beside, is_closed=self.closed)

    def _new_transport(self, settings: ConnectionSettings) -> Transport:
        return self._curl(settings)

    def _by_origin(self, home: Origin, at_home: Transport, elsewhere: Transport) -> Transport:
        return ByOrigin(home, at_home, elsewhere)

    def _new_store(self, chosen: StoreSettings) -> ValkeyStore:
        return ValkeyStore(chosen.url, chosen.prefix)

    def close(self) -> None:
        """Abort what is in flight and let go of every connection; never waits for the network."""
        self.is_closed = True
        self._pauses.close()
        self._later.stop()
        with self._lock:
            transports = list(self._transports.values())
        for each in (*transports, *self._stores.values()):
            each.close()
        self._later.close()


class TaskWiring(Wiring):
    """What tasks call through."""

    client = "AsyncClient"
    send_suspends = True

    def __init__(self, transport: Any = None, clock: Clock | None = None) -> None:
        super().__init__(transport, clock)
        self._later: TaskSet = TaskSet()
        self._pauses: AsyncPauses = AsyncPauses()
        if self.given is None:
            from callsheet.transports.curl.asynchronous import AsyncCurlTransport  # noqa: PLC0415

            self._curl = AsyncCurlTransport

    def _io(self, transport: AsyncTransport, beside: Beside) -> TaskIo:
        if self.clock is None:
            return TaskIo(transport, self._later, sleep=self._pauses.sleep, beside=beside, is_closed=self.closed)
        return ClockedTaskIo(transport, self._later, self.clock, beside=beside, is_closed=self.closed)

    def _new_transport(self, settings: ConnectionSettings) -> AsyncTransport:
        return self._curl(settings)

    def _by_origin(self, home: Origin, at_home: AsyncTransport, elsewhere: AsyncTransport) -> AsyncTransport:
        return AsyncByOrigin(home, at_home, elsewhere)

    def _new_store(self, chosen: StoreSettings) -> AsyncValkeyStore:
        return AsyncValkeyStore(chosen.url, chosen.prefix)

    async def aclose(self) -> None:
        """Abort what is in flight and let go of every connection; never waits for the network."""
        self.is_closed = True
        self._pauses.close()
        await self._later.aclose()
        for each in (*self._transports.values(), *self._stores.values()):
            await each.aclose()
