"""Client and AsyncClient: two thin shells over one engine."""

from __future__ import annotations

import difflib
import inspect
import os
import threading
import time
import warnings
from collections.abc import Mapping
from functools import partial
from typing import Any, Self
from weakref import WeakSet

from callsheet.bare_frames import bare
from callsheet.client.maker import CallMaker
from callsheet.client.services import AsyncCalls, AsyncService, Calls, Service
from callsheet.clock import Clock
from callsheet.engine.clocked import Beside, ClockedTaskIo, ClockedThreadIo
from callsheet.engine.io import AsyncPauses, Pauses, TaskIo, ThreadIo
from callsheet.engine.later import TaskSet, Worker
from callsheet.engine.log import log_listener, warn_of_unverified
from callsheet.errors import UsageError
from callsheet.events import Listener
from callsheet.forked import forget_after_fork
from callsheet.http.request import Origin
from callsheet.plan.service import ServicePlans
from callsheet.policies.rate_limit import SharedStore
from callsheet.settings.settings import Settings
from callsheet.settings.stores import StoreSettings
from callsheet.settings.tls import TLS
from callsheet.sheet import Sheet
from callsheet.stores.valkey import AsyncValkeyStore, ValkeyStore
from callsheet.transports.base import AsyncTransport, Transport
from callsheet.transports.curl.asynchronous import AsyncCurlTransport
from callsheet.transports.curl.blocking import CurlTransport
from callsheet.transports.curl.elsewhere import (
    AsyncHomeAndElsewhere,
    HomeAndElsewhere,
    for_exchange,
    home_beside_others,
    wiring_of,
    without_identity,
)
from callsheet.transports.curl.options import CLOSED, Wiring


def _is_wrapper(transport: Any) -> bool:
    """Whether it is a function that makes a transport of another one."""
    return callable(transport) and not hasattr(transport, "send")


SheetLike = Sheet | str | os.PathLike[str]
ONLY_SERVICE = "api"
"""The name of the service of `Client(base_url=...)`, as of a flat sheet."""


class _AnyClient:
    """What both colours of a client do: read the sheet, make services, remember what to close."""

    _send_suspends: bool

    def __init__(
        self,
        sheet: SheetLike | None = None,
        *,
        env: str | None = None,
        base_url: str | None = None,
        transport: Any = None,
        clock: Clock | None = None,
        listeners: tuple[Listener, ...] = (),
        eager: bool = False,
        **settings: Any,
    ) -> None:
        self._is_closed = False
        self._lock = threading.RLock()
        self._transports: dict[tuple[str, Wiring, Origin | None], Any] = {}
        self._clock = transport.agree_on(clock) if hasattr(transport, "agree_on") else clock
        self._wraps = transport if _is_wrapper(transport) else None
        self._transport = None if self._wraps else self._checked(transport)
        self._store: Any = None
        self._makers: dict[str, CallMaker] = {}
        self._all_plans: WeakSet[ServicePlans] = WeakSet()
        self._code = settings
        self._listeners = (log_listener, *listeners)
        now = self._now = time.monotonic if self._clock is None else self._clock.now
        if base_url is not None:
            if sheet is not None:
                raise UsageError("Client: give a sheet or a base_url, not both; a sheet's base_url is its own")
            services = {ONLY_SERVICE: {"base_url": base_url, **settings}}
            sheet, self._code = Sheet(services=services, env=env, clock=now), {}
        self.sheet = sheet if isinstance(sheet, Sheet) else Sheet.load(sheet, env=env, clock=now)
        if isinstance(sheet, Sheet) and base_url is None and env not in (None, sheet.environment):
            raise UsageError(
                f"Client: this sheet was read for environment {sheet.environment!r}; give env= to Sheet.load"
            )
        if self._clock is not None and self._transport is None:
            raise UsageError("Client: a clock of its own needs a transport that goes by it, such as a FakeTransport")
        self._unverified: set[str] = set()
        self._check_settings()
        forget_after_fork(self)
        if eager:
            self._compile_all()

    def _compile_all(self) -> None:
        try:
            for name in self.sheet.services:
                self._maker(name).plans.compile_all()
        except BaseException:
            self._is_closed = True  # nobody gets a client to close
            raise

    def _check_settings(self) -> None:
        for service in self.sheet.services.values():
            with_auth = (name for name, operation in service.operations.items() if "auth" in operation.layer)
            for name in (None, *with_auth):
                self._note_tls(service.name, service.settings(name, self._code))

    def _note_tls(self, service: str, settings: Settings) -> None:
        """Warn once of a service, or its token endpoint, whose certificate is not checked."""
        unverified = next((tls for tls in settings.all_tls if not tls.verify), None)
        if unverified is not None and service not in self._unverified and self._transport is None:
            self._unverified.add(service)
            warn_of_unverified(service, unverified.insecure_reason)

    def _checked(self, transport: Any) -> Any:
        """The transport, or what one that serves both colours has for tasks."""
        if self._send_suspends:
            transport = getattr(transport, "asynchronous", transport)
        if transport is not None and inspect.iscoroutinefunction(transport.send) is not self._send_suspends:
            wanted = "a coroutine" if self._send_suspends else "a plain function"
            raise UsageError(f"{type(self).__name__}: transport.send of {transport!r} must be {wanted}")
        return transport

    def _maker(self, name: str, settings: Mapping[str, Any] | None = None) -> CallMaker:
        """What makes the calls of a service: the one all share, or one with other settings, the same slots and jar."""
        if self._is_closed:
            raise UsageError(CLOSED, service=name)
        with self._lock:
            first = self._makers.get(name) or self._makers.setdefault(name, self._made(name, {}, None))
            return self._made(name, settings, first.plans) if settings else first

    def _made(self, name: str, settings: Mapping[str, Any], like: ServicePlans | None) -> CallMaker:
        declared = self.sheet.services.get(name)
        if declared is None:
            raise UsageError(self._unknown(name))
        wall = time.time if self._clock is None else self._clock.wall
        code = {**self._code, **settings}
        store = self._limits_store()
        plans = ServicePlans(declared, code, self._listeners, like, wall_clock=wall, now=self._now, store=store)
        self._all_plans.add(plans)
        self._note_tls(name, plans.settings)
        io = self._new_io(self._transport_for(plans), partial(self._io_beside, plans))
        return CallMaker(plans, io, self._is_over)

    def _io_beside(self, plans: ServicePlans, tls: TLS) -> Any:
        """What sends the requests of an exchange with others than the service, under the TLS of that."""
        with self._lock:
            if self._is_closed:
                raise UsageError(CLOSED, service=plans.name)
            return self._new_io(self._transport_for(plans, tls), None)

    def _limits_store(self) -> SharedStore | None:
        """The store that the sheet names for limits, made when the first service is."""
        chosen = self.sheet.stores.limits
        if chosen is None:
            return None
        if self._store is None:
            self._store = self._new_store(chosen)
        return SharedStore(self._store, chosen.on_failure == "refuse")

    def _transport_for(self, plans: ServicePlans, tls: TLS | None = None) -> Any:
        if self._transport is not None:
            return self._transport
        wiring, home = wiring_of(plans.settings), home_beside_others(plans.settings)
        if tls is not None:
            wiring, home = for_exchange(wiring, tls), None
        key = (plans.name, wiring, home)
        if key not in self._transports:
            made = self._new_transport(wiring) if home is None else self._new_pair(wiring, home)
            self._transports[key] = self._checked(self._wraps(made)) if self._wraps else made
        return self._transports[key]

    def _unknown(self, name: str) -> str:
        known = list(self.sheet.services)
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean `{close[0]}`?" if close else f"it has {', '.join(f'`{n}`' for n in known)}"
        return f"{self.sheet.name}: no service `{name}`; {hint}"

    def _calls(self) -> CallMaker:
        if len(self.sheet.services) != 1:
            names = ", ".join(self.sheet.services)
            raise UsageError(f"this client has several services ({names}): choose one with client.service(name)")
        return self._maker(next(iter(self.sheet.services)))

    def _is_over(self) -> bool:
        return self._is_closed

    def _new_io(self, transport: Any, beside: Beside) -> Any:
        raise NotImplementedError

    def _new_transport(self, wiring: Wiring) -> Any:
        raise NotImplementedError

    def _new_pair(self, wiring: Wiring, home: Origin) -> Any:
        """Two transports as one: at home with what proves who we are, elsewhere without."""
        raise NotImplementedError

    def _new_store(self, chosen: StoreSettings) -> Any:
        raise NotImplementedError

    def forget(self) -> None:
        """In a forked child: begin anew; the parent's connections and calls stay its own."""
        self._lock = threading.RLock()
        for plans in list(self._all_plans):
            plans.forget()

    def __repr__(self) -> str:
        state = "closed" if self._is_closed else "open"
        name = self.sheet.name if hasattr(self, "sheet") else "without a sheet"
        return f"<{type(self).__name__} {name} {state}>"

    def __del__(self) -> None:
        if not getattr(self, "_is_closed", True) and self._transports:
            warnings.warn(
                f"{self!r} was never closed; use `with`, or close it", ResourceWarning, stacklevel=2, source=self
            )


class Client(_AnyClient, Calls):
    """Calls the services of a sheet, blocking; any number of threads may share it.

    `Client("callsheet.yaml", env="prod")`, `Client(Sheet(...))`, or without a sheet `Client(base_url="https://...")`.
    Further keywords are settings in the sheet's words and hold for every service. `listeners` are functions of one
    event; one that has `wants` is told only of the types of events in it. `eager=True` compiles every operation now. `transport` is one to use instead, or a function that wraps the usual
    one; `clock` is that of a test. With one service, `call`, `get`, `post` ... are the client's own.
    Raises SheetError for an unusable sheet. Close it, or use `with`.
    """

    _send_suspends = False

    def __init__(self, sheet: SheetLike | None = None, **options: Any) -> None:
        self._later = Worker()
        self._pauses = Pauses()
        try:
            super().__init__(sheet, **options)
        except BaseException as error:
            options.clear()
            bare(error)
            raise

    def service(self, name: str, **settings: Any) -> Service:
        """One service of the sheet, optionally with settings of its own (in the sheet's words)."""
        try:
            return Service(self._maker(name, settings))
        except BaseException as error:
            settings.clear()
            bare(error)
            raise

    def _new_io(self, transport: Transport, beside: Beside) -> ThreadIo:
        if self._clock is None:
            return ThreadIo(transport, self._later, sleep=self._pauses.sleep, beside=beside, is_closed=self._is_over)
        return ClockedThreadIo(transport, self._later, self._clock, beside=beside, is_closed=self._is_over)

    def _new_transport(self, wiring: Wiring) -> Transport:
        return CurlTransport(wiring)

    def _new_pair(self, wiring: Wiring, home: Origin) -> Transport:
        return HomeAndElsewhere(home, CurlTransport(wiring), CurlTransport(without_identity(wiring)))

    def _new_store(self, chosen: StoreSettings) -> ValkeyStore:
        return ValkeyStore(chosen.url, chosen.prefix)

    def forget(self) -> None:
        """In a forked child: begin anew; the parent's connections and calls stay its own."""
        super().forget()
        self._later.forget()

    def close(self) -> None:
        """Abort what is in flight and let go of every connection; never waits for the network."""
        self._is_closed = True
        self._pauses.close()
        self._later.stop()
        with self._lock:
            transports = list(self._transports.values())
        for transport in transports:
            transport.close()
        if self._store is not None:
            self._store.close()
        self._later.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


class AsyncClient(_AnyClient, AsyncCalls):
    """Calls the services of a sheet from the tasks of one event loop. See Client for the arguments."""

    _send_suspends = True

    def __init__(self, sheet: SheetLike | None = None, **options: Any) -> None:
        self._later = TaskSet()
        self._pauses = AsyncPauses()
        try:
            super().__init__(sheet, **options)
        except BaseException as error:
            options.clear()
            bare(error)
            raise

    def service(self, name: str, **settings: Any) -> AsyncService:
        """One service of the sheet, optionally with settings of its own (in the sheet's words)."""
        try:
            return AsyncService(self._maker(name, settings))
        except BaseException as error:
            settings.clear()
            bare(error)
            raise

    def _new_io(self, transport: AsyncTransport, beside: Beside) -> TaskIo:
        if self._clock is None:
            return TaskIo(transport, self._later, sleep=self._pauses.sleep, beside=beside, is_closed=self._is_over)
        return ClockedTaskIo(transport, self._later, self._clock, beside=beside, is_closed=self._is_over)

    def _new_transport(self, wiring: Wiring) -> AsyncTransport:
        return AsyncCurlTransport(wiring)

    def _new_pair(self, wiring: Wiring, home: Origin) -> AsyncTransport:
        return AsyncHomeAndElsewhere(home, AsyncCurlTransport(wiring), AsyncCurlTransport(without_identity(wiring)))

    def _new_store(self, chosen: StoreSettings) -> AsyncValkeyStore:
        return AsyncValkeyStore(chosen.url, chosen.prefix)

    async def aclose(self) -> None:
        """Abort what is in flight and let go of every connection; never waits for the network."""
        self._is_closed = True
        self._pauses.close()
        await self._later.aclose()
        for transport in list(self._transports.values()):
            await transport.aclose()
        if self._store is not None:
            await self._store.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.aclose()
