"""Client and AsyncClient: two thin shells over one engine."""

from __future__ import annotations

import difflib
import os
import threading
import warnings
from collections.abc import Collection, Mapping
from typing import Any, Self
from weakref import WeakSet

from callsheet.bare_frames import bared
from callsheet.client.cache import AsyncCacheControl, CacheControl
from callsheet.client.maker import CallMaker
from callsheet.client.services import AsyncCalls, AsyncService, Calls, Service
from callsheet.client.wiring import TaskWiring, ThreadWiring
from callsheet.clock import Clock
from callsheet.engine.log import log_listener, warn_of_unverified
from callsheet.errors import CLOSED, SheetError, UsageError
from callsheet.events import Listener, by_event
from callsheet.plan.service import ServicePlans
from callsheet.policies.cache.lookup import CacheState
from callsheet.process.forked import forget_after_fork
from callsheet.settings.settings import Settings
from callsheet.sheet import Sheet
from callsheet.sheet.sheet import not_on
from callsheet.sheet.words.key_table import SETTINGS

SheetLike = Sheet | str | os.PathLike[str]
KEYWORDS = {name: name for name in ("env", "base_url", "transport", "clock", "listeners", "eager", "services")} | {
    "environment": "env"
}
"""A client's own keywords by what may be written for them."""
ONLY_SERVICE = "api"
"""The name of the service of `Client(base_url=...)`, as of a flat sheet."""


class _AnyClient:
    """What both colours of a client do: read the sheet, make services, remember what to close."""

    _new_wiring: type[ThreadWiring | TaskWiring]

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
        services: Collection[str] | None = None,
        **settings: Any,
    ) -> None:
        self._lock = threading.RLock()
        self._makers: dict[str, CallMaker] = {}
        self._all_plans: WeakSet[ServicePlans] = WeakSet()
        _check_keywords(settings)
        given: Any = listeners
        if not isinstance(given, list | tuple) or not all(map(callable, given)):
            raise UsageError(f"Client: listeners: expected a list of functions, found {given!r:.60}; write [f]")
        self._code = settings
        self._listeners = (log_listener, *listeners)
        by_event(self._listeners)  # raises for a `wants` that is none, here and not in the first call
        self._wiring = self._new_wiring(transport, clock)
        now = self._wiring.now
        if base_url is not None:
            if sheet is not None:
                raise UsageError("Client: give a sheet or a base_url, not both; a sheet's base_url is its own")
            only = {ONLY_SERVICE: {"base_url": base_url, **settings}}
            sheet, self._code = Sheet(services=only, env=env, clock=now), {}
        if isinstance(sheet, Sheet):
            self.sheet = sheet.narrowed(services)
        else:
            self.sheet = Sheet.load(sheet, env=env, clock=now, services=services)
        if isinstance(sheet, Sheet) and base_url is None and env not in (None, sheet.environment):
            raise UsageError(
                f"Client: this sheet was read for environment {sheet.environment!r}; give env= to Sheet.load"
            )
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
            self._wiring.is_closed = True  # the caller gets no client that could be closed
            raise

    def _check_settings(self) -> None:
        for service in self.sheet.services.values():
            with_auth = (name for name, operation in service.operations.items() if "auth" in operation.layer)
            for name in (None, *with_auth):
                self._note_tls(service.name, service.settings(name, self._code))

    def _note_tls(self, service: str, settings: Settings) -> None:
        """Warn once of a service, or its token endpoint, whose certificate is not checked."""
        unverified = next((tls for tls in settings.all_tls if not tls.verify), None)
        if unverified is not None and service not in self._unverified and self._wiring.given is None:
            self._unverified.add(service)
            warn_of_unverified(service, unverified.insecure_reason)

    def _maker(self, name: str, settings: Mapping[str, Any] | None = None) -> CallMaker:
        """A service's maker: the shared one, or with `settings` a new one that shares slots and cookies with it."""
        if self._wiring.is_closed:
            raise UsageError(CLOSED, service=name)
        with self._lock:
            first = self._makers.get(name) or self._makers.setdefault(name, self._made(name, {}, None))
            return self._made(name, settings, first.plans) if settings else first

    def _made(self, name: str, settings: Mapping[str, Any], like: ServicePlans | None) -> CallMaker:
        declared = self.sheet.services.get(name)
        if declared is None:
            raise UsageError(not_on(self.sheet, name))
        plans = ServicePlans(
            declared, {**self._code, **settings}, self._listeners, like, **self._wiring.for_plans(declared)
        )
        self._all_plans.add(plans)
        self._note_tls(name, plans.settings)
        return CallMaker(plans, self._wiring)

    def _calls(self) -> CallMaker:
        if len(self.sheet.services) != 1:
            names = ", ".join(self.sheet.services)
            raise UsageError(f"this client has several services ({names}): choose one with client.service(name)")
        return self._maker(next(iter(self.sheet.services)))

    def _cache_store(self) -> Any:
        return self._wiring.cache_store(next(iter(self.sheet.services.values())).stores.cache)

    def _cache_states(self) -> dict[str, CacheState]:
        with self._lock:
            return {name: made.plans.scope.one(("cache",), CacheState) for name, made in self._makers.items()}

    def forget(self) -> None:
        """In a forked child: begin anew; the parent's connections and calls stay its own."""
        self._lock = threading.RLock()
        for plans in list(self._all_plans):
            plans.forget()
        self._wiring.forget()

    def __repr__(self) -> str:
        state = "closed" if self._wiring.is_closed else "open"
        name = self.sheet.name if hasattr(self, "sheet") else "without a sheet"
        return f"<{type(self).__name__} {name} {state}>"

    def __del__(self) -> None:
        wiring = getattr(self, "_wiring", None)
        if wiring is not None and not wiring.is_closed and wiring.has_connections:
            warnings.warn(
                f"{self!r} was never closed; use `with`, or close it", ResourceWarning, stacklevel=2, source=self
            )


def _check_keywords(settings: Mapping[str, Any]) -> None:
    """Raise SheetError for a keyword that is no setting, and was meant to be one of a client's own."""
    known = {key.name for key in SETTINGS}
    for name in settings:
        close = difflib.get_close_matches(name.lower(), KEYWORDS, n=1, cutoff=0.75)
        if close and name not in known:
            raise SheetError(f"Client(...): unknown keyword `{name}`; did you mean `{KEYWORDS[close[0]]}`?")


class Client(_AnyClient, Calls):
    """Calls the services of a sheet, blocking; any number of threads may share it.

    `Client("callsheet.yaml", env="prod")`, `Client(Sheet(...))`, or without a sheet `Client(base_url="https://...")`.
    Further keywords are settings in the sheet's words and hold for every service. `listeners` are functions of one
    event; one that has `wants` is told only of the types of events in it. `eager=True` compiles every operation now.
    `services=["shop"]` leaves the other services out: their variables need not be set.
    `transport` is used in place of libcurl's, or is a function that wraps it; `clock` is a FrozenClock, for tests. With one
    service, `call`, `get`, `post` ... are the client's own.
    Raises SheetError for an unusable sheet. Close it, or use `with`.
    """

    _new_wiring = ThreadWiring
    _wiring: ThreadWiring

    @bared
    def __init__(self, sheet: SheetLike | None = None, **options: Any) -> None:
        super().__init__(sheet, **options)

    @bared
    def service(self, name: str, **settings: Any) -> Service:
        """One service of the sheet, optionally with settings of its own (in the sheet's words)."""
        return Service(self._maker(name, settings))

    @property
    def cache(self) -> CacheControl:
        """What is stored for its calls: to be cleared, and counted."""
        return CacheControl(self._cache_store(), self.sheet.services, self._cache_states)

    def close(self) -> None:
        """Abort what is in flight and let go of every connection; never waits for the network."""
        self._wiring.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


class AsyncClient(_AnyClient, AsyncCalls):
    """Calls the services of a sheet from the tasks of one asyncio loop, its own or uvloop's. See Client for the arguments."""

    _new_wiring = TaskWiring
    _wiring: TaskWiring

    @bared
    def __init__(self, sheet: SheetLike | None = None, **options: Any) -> None:
        super().__init__(sheet, **options)

    @bared
    def service(self, name: str, **settings: Any) -> AsyncService:
        """One service of the sheet, optionally with settings of its own (in the sheet's words)."""
        return AsyncService(self._maker(name, settings))

    @property
    def cache(self) -> AsyncCacheControl:
        """What is stored for its calls: to be cleared, and counted."""
        return AsyncCacheControl(self._cache_store(), self.sheet.services, self._cache_states)

    async def aclose(self) -> None:
        """Abort what is in flight and let go of every connection; never waits for the network."""
        await self._wiring.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.aclose()
