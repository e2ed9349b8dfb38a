"""The one place that makes what a client's calls need: transports, stores, ios, and workers for the background."""

from __future__ import annotations

import inspect
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from callsheet.clock import Clock
from callsheet.engine.clocked import ClockedIo
from callsheet.engine.io import AsyncPauses, Io, Pauses, TaskIo, ThreadIo
from callsheet.engine.later import TaskSet, Worker
from callsheet.errors import CLOSED, UsageError
from callsheet.http.request import Origin
from callsheet.policies.scope import SharedStore
from callsheet.settings.settings import Settings
from callsheet.settings.stores import CacheStoreSettings, StoreSettings
from callsheet.settings.tls import TLS
from callsheet.sheet import ServiceSheet
from callsheet.stores.base import AtOnce
from callsheet.stores.memory import MemoryStore
from callsheet.stores.valkey import AsyncValkeyStore, ValkeyStore
from callsheet.stores.valkey_cache import AsyncValkeyCache, ValkeyCache
from callsheet.transports.base import AsyncTransport, Transport
from callsheet.transports.by_origin import AsyncByOrigin, ByOrigin
from callsheet.transports.connection_settings import ConnectionSettings

IN_MEMORY = CacheStoreSettings()
Beside = Callable[[TLS], Any]
"""Gives the io for requests of a service to another host, under another TLS."""


class Wiring(ABC):
    """Makes what services need to send requests, and keeps it until it is closed.

    `transport` is one to use instead of libcurl's, or a function that wraps each of these; `clock` is a test's.
    Services whose connections are set alike share a transport. Raises UsageError for a transport of the other colour.
    """

    client: str
    send_suspends: bool
    _curl: type[Any]
    _by_origin: type[Any]
    _store_kind: type[Any]

    _later: Worker | TaskSet
    _pauses: Pauses | AsyncPauses

    def __init__(self, transport: Any = None, clock: Clock | None = None) -> None:
        self.is_closed = False
        self.clock = transport.agree_on(clock) if hasattr(transport, "agree_on") else clock
        is_wrapper = inspect.isclass(transport) or (callable(transport) and not hasattr(transport, "send"))
        self._wraps = transport if is_wrapper else None
        self.given = None if self._wraps else self._checked(transport)
        if self.clock is not None and self.given is None:
            raise UsageError("Client: a clock of its own needs a transport that goes by it, such as a FakeTransport")
        self.now = time.monotonic if self.clock is None else self.clock.now
        self.wall_clock = time.time if self.clock is None else self.clock.wall
        self._lock = threading.RLock()
        self._transports: dict[tuple[str, ConnectionSettings, Origin | None], Any] = {}
        self._stores: dict[StoreSettings | CacheStoreSettings, Any] = {}

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
        return {
            "now": self.now,
            "wall_clock": self.wall_clock,
            "store": store,
            "cache": self.cache_store(service.stores.cache),
        }

    def io(self, service: str, settings: Settings, tls: TLS | None = None) -> Any:
        """How the calls of a service under these settings send and wait.

        With `tls`, how requests to another host than the service's, such as a token endpoint, are sent under that TLS.
        Raises UsageError once closed.
        """
        with self._lock:
            if self.is_closed:
                raise UsageError(CLOSED, service=service)
            transport = self._transport(service, settings, tls)
        return self._io(transport, partial(self.io, service, settings))

    def forget(self) -> None:
        """In a forked child: begin anew; the parent's connections, threads and tasks are its own."""
        self._lock = threading.RLock()
        self._later.forget()
        self._pauses.forget()

    def cache_store(self, chosen: CacheStoreSettings = IN_MEMORY) -> Any:
        """The store of answers that a sheet names: the same for all its services."""
        with self._lock:
            if chosen not in self._stores:
                self._stores[chosen] = self._new_cache_store(chosen)
            return self._stores[chosen]

    @abstractmethod
    def _new_cache_store(self, chosen: CacheStoreSettings) -> Any: ...

    def _store(self, chosen: StoreSettings | None) -> SharedStore | None:
        if chosen is None:
            return None
        with self._lock:
            if chosen not in self._stores:
                self._stores[chosen] = self._store_kind(chosen.url, chosen.prefix)
            return SharedStore(self._stores[chosen], chosen.on_failure == "refuse")

    def _transport(self, service: str, settings: Settings, tls: TLS | None = None) -> Any:
        if self.given is not None:
            return self.given
        chosen = ConnectionSettings.of(settings)
        home = settings.origin if settings.allow_origins and tls is None else None
        key = (service, chosen if tls is None else chosen.for_exchange(tls), home)
        with self._lock:
            if key not in self._transports:
                made = self._curl(key[1])
                if home is not None:
                    made = self._by_origin(home, made, self._curl(chosen.for_other_origins()))
                self._transports[key] = self._checked(self._wraps(made)) if self._wraps else made
            return self._transports[key]

    def _checked(self, transport: Any) -> Any:
        """The transport; for tasks its `asynchronous`, if it has one. Raises UsageError for the other colour's."""
        if self.send_suspends:
            transport = getattr(transport, "asynchronous", transport)
        if transport is not None and inspect.iscoroutinefunction(transport.send) is not self.send_suspends:
            wanted = "a coroutine" if self.send_suspends else "a plain function"
            raise UsageError(f"{self.client}: transport.send of {transport!r} must be {wanted}")
        return transport

    @abstractmethod
    def _io(self, transport: Any, beside: Beside) -> Io: ...


class ThreadWiring(Wiring):
    """The wiring of a Client."""

    client = "Client"
    send_suspends = False
    _by_origin = ByOrigin
    _store_kind = ValkeyStore

    def __init__(self, transport: Any = None, clock: Clock | None = None) -> None:
        super().__init__(transport, clock)
        self._later: Worker = Worker()
        self._pauses: Pauses = Pauses()
        if self.given is None:  # a test that gives its own transport needs no libcurl
            from callsheet.transports.curl.blocking import CurlTransport  # noqa: PLC0415

            self._curl = CurlTransport

    def _new_cache_store(self, chosen: CacheStoreSettings) -> Any:
        if chosen.place == "memory":
            return MemoryStore(chosen.max_bytes, wall=self.wall_clock)
        if not isinstance(chosen.place, Path):
            return ValkeyCache(chosen.place, chosen.prefix, wall=self.wall_clock)
        from callsheet.stores.sqlite import SqliteStore  # noqa: PLC0415 few keep answers in a file

        return SqliteStore(chosen.place, chosen.max_bytes, wall=self.wall_clock)

    def _io(self, transport: Transport, beside: Beside) -> Io:
        clock, later, closed = self.clock, self._later, self.closed
        if clock is None:
            return ThreadIo(transport, later, beside, self._pauses.sleep, is_closed=closed)
        io = ThreadIo(transport, later, beside, clock.sleep, clock.now, clock.wall, closed, clock.new_ticket)
        return ClockedIo(io, clock)

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
    """The wiring of an AsyncClient."""

    client = "AsyncClient"
    send_suspends = True
    _by_origin = AsyncByOrigin
    _store_kind = AsyncValkeyStore

    def __init__(self, transport: Any = None, clock: Clock | None = None) -> None:
        super().__init__(transport, clock)
        self._later: TaskSet = TaskSet()
        self._pauses: AsyncPauses = AsyncPauses()
        if self.given is None:
            from callsheet.transports.curl.asynchronous import AsyncCurlTransport  # noqa: PLC0415

            self._curl = AsyncCurlTransport

    def _new_cache_store(self, chosen: CacheStoreSettings) -> Any:
        if chosen.place == "memory":
            return AtOnce(MemoryStore(chosen.max_bytes, wall=self.wall_clock))
        if not isinstance(chosen.place, Path):
            return AsyncValkeyCache(chosen.place, chosen.prefix, wall=self.wall_clock)
        from callsheet.stores.sqlite import AsyncSqliteStore  # noqa: PLC0415 few keep answers in a file

        return AsyncSqliteStore(chosen.place, chosen.max_bytes, wall=self.wall_clock)

    def _io(self, transport: AsyncTransport, beside: Beside) -> Io:
        clock, later, closed = self.clock, self._later, self.closed
        if clock is None:
            return TaskIo(transport, later, beside, self._pauses.sleep, is_closed=closed)
        io = TaskIo(transport, later, beside, clock.asleep, clock.now, clock.wall, closed, clock.new_task_ticket)
        return ClockedIo(io, clock)

    async def aclose(self) -> None:
        """Abort what is in flight and let go of every connection; never waits for the network."""
        self.is_closed = True
        self._pauses.close()
        await self._later.aclose()
        for each in (*self._transports.values(), *self._stores.values()):
            await each.aclose()
