"""One service, ready to be called: the plans of its operations, and the scope that they share."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable, Mapping
from typing import Any, get_args

from callsheet.call import Call
from callsheet.errors import ArgumentError, UsageError
from callsheet.events import Listener
from callsheet.http.request import Request
from callsheet.plan.compile import RequestBase, plan_of, plan_of_undeclared, undeclared_request, without_fields
from callsheet.plan.order import breaker_of, make_first
from callsheet.plan.pages import PagePlan
from callsheet.plan.plan import CacheOption, Given, Plan, TimeoutLike
from callsheet.plan.scope import ServiceScope
from callsheet.policies.scope import Own
from callsheet.secret import Secret
from callsheet.settings.timeout import WrittenTimeout
from callsheet.sheet import Operation, ServiceSheet
from callsheet.sheet.forms.quantities import seconds
from callsheet.sheet.layers import names_in, secrets_in
from callsheet.verdicts import Ticket

CACHE_OPTIONS: tuple[str, ...] = get_args(CacheOption)
METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST", "PATCH", "TRACE")


class ServicePlans:
    """The plans of one service under one set of code settings, each compiled at first use.

    `like` are the plans of the same service under its usual settings, which share slots, limits and the other state of
    policies with these. `options` are those of ServiceScope: its store, its clocks, and the header fields to leave out.
    """

    def __init__(
        self,
        sheet: ServiceSheet,
        code: Mapping[str, Any],
        listeners: tuple[Listener, ...],
        like: ServicePlans | None = None,
        **options: Any,
    ) -> None:
        self.name = sheet.name
        self.operations = sheet.operations
        self.settings = sheet.settings(None, code)
        self.plans: dict[str, Plan] = {}
        self.sheet = sheet
        self.code = code
        self.listeners = listeners
        caches = "cache" in code or any(sheet.settings(name).cache for name in (None, *sheet.operations))
        parent = like.scope if like else None
        self.scope: ServiceScope = ServiceScope(
            self.name, self.settings, parent, caches=caches, listeners=listeners, **options
        )
        make_first(self.settings, self.scope)
        # Re-entrant: compiling may import a module of the user's, which may call this service.
        self._lock = threading.RLock()
        self._base: RequestBase | None = None
        self._pages: dict[str, PagePlan] = {}

    def plan(self, operation: str) -> Plan:
        """The plan of a declared operation. Raises UsageError for an unknown one, SheetError for unusable types."""
        with self._lock:
            known = self.plans.get(operation)
            if known is None:
                known = self.plans[operation] = self._compiled(operation)
            return known

    def pages(self, operation: str) -> PagePlan | None:
        """The plan of an operation's pages, None if it declares none. Raises UsageError for an unknown operation, SheetError."""
        plan = self.plan(operation)
        paginate = plan.settings.paginate
        if paginate is None:
            return None
        with self._lock:
            if operation not in self._pages:
                secrets = self.sheet.secrets(operation)
                self._pages[operation] = PagePlan(self.operations[operation], plan, paginate, secrets)
            return self._pages[operation]

    def compile_all(self) -> None:
        """Compile every plan now, so that errors in the sheet are raised before the first call."""
        self.undeclared("GET")
        for name in self.operations:
            self.plan(name)

    def _compiled(self, name: str) -> Plan:
        self._check(name)
        declared = self.operations[name]
        settings = self.sheet.settings(name, self.code)
        secrets = self.sheet.secrets(name)
        return plan_of(declared, settings, self.scope, self._own(name), listeners=self.listeners, secrets=secrets)

    def breaker(self, operation: str | None = None) -> Any | None:
        """The breaker that guards an operation, or the service if `operation` is None; None if it is off. Raises UsageError."""
        self._check(operation)
        settings = self.sheet.settings(operation, self.code)
        return breaker_of(settings, self.scope, self._own(operation))

    def apart(self, operation: str | None) -> tuple[ServiceScope, Own]:
        """A scope for explaining an operation, apart from the one of its calls, and the settings written at the operation.

        Raises UsageError for an unknown operation.
        """
        self._check(operation)
        return ServiceScope(self.name, self.settings, caches=self.scope.caches), self._own(operation)

    def _check(self, operation: str | None) -> None:
        if operation is not None and operation not in self.operations:
            raise UsageError(_unknown_operation(self.name, operation, self.operations), service=self.name)

    def _own(self, operation: str | None) -> Own:
        if operation is None:
            return Own()
        declared = self.sheet.operations[operation]
        return Own(operation, names_in(declared.layer), declared.method, declared.safe)

    def secrets(self) -> tuple[Secret, ...]:
        """Every secret that requests of the service may carry."""
        return tuple(dict.fromkeys((*self.sheet.secrets(), *secrets_in(self.settings))))

    def undeclared(self, method: str) -> Plan:
        """The plan of undeclared requests by this method, whose name in lower case stands for the operation in events and errors.

        Raises ArgumentError for a method that is nearly one of RFC 9110, such as `GETT`.
        """
        key = f" {method}"
        known = self.plans.get(key)
        if known is None:
            self._refuse_misspelt(method.upper())
            known = plan_of_undeclared(method.lower(), self.settings, self.scope, listeners=self.listeners)
            self.plans[key] = known
        return known

    def _refuse_misspelt(self, method: str) -> None:
        swapped = [known for known in METHODS if sorted(known) == sorted(method)]
        close = swapped or difflib.get_close_matches(method, METHODS, n=1, cutoff=0.8)
        if close and method.isalpha() and method not in METHODS:
            raise ArgumentError(f"{self.name}: method `{method}`: did you mean `{close[0]}`?", service=self.name)

    def undeclared_request(self, method: str, target: str, given: Given) -> Request:
        """A request that no operation declares. Raises ArgumentError, OriginRefused."""
        if self._base is None:
            self._base = RequestBase(self.settings, self.sheet.secrets())
        request = undeclared_request(self._base, method, target, given)
        return without_fields(request, self.scope.left_out) if self.scope.left_out else request

    def forget(self) -> None:
        """Drop the state of policies in a forked child: the calls in flight belong to the parent."""
        self._lock = threading.RLock()
        self.scope.forget()


def begin(
    plan: Plan,
    request: Request,
    given: Given,
    *,
    started: float,
    new_ticket: Callable[[], Ticket],
    arguments: Mapping[str, Any] | None = None,
) -> Call:
    """A call of the plan. Raises ArgumentError for an invalid timeout."""
    settings = plan.settings
    timeout, written = settings.timeout, settings.written
    if given.timeout is not None:
        written = _written(given.timeout, written)
        timeout = written.resolved()
    key = given.idempotency_key
    if key is None and plan.keyed is not None:
        key = plan.keyed(request)
    call = Call(
        request,
        timeout,
        started,
        new_ticket,
        service=plan.service,
        operation=plan.operation,
        is_repeatable=settings.idempotent or key is not None,
        bounds_stream=written.total is not None,
        arguments=arguments or {},
        idempotency_key=key,
        granted=settings.timeout,
    )
    if given.cache is not None:
        call.notes["cache"] = _cache_option(given.cache, plan, request)
    return call


def _cache_option(option: Any, plan: Plan, request: Request) -> Any:
    """What a caller wants of the cache. Raises ArgumentError for another word, and for `only` where nothing is cached."""
    if option not in CACHE_OPTIONS:
        close = difflib.get_close_matches(str(option), CACHE_OPTIONS, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ArgumentError(f"cache: expected one of {', '.join(map(repr, CACHE_OPTIONS))}, found {option!r:.40}{hint}")
    is_abroad = plan.settings.allow_origins and request.origin != plan.settings.origin
    if option == "only" and (plan.instead is None or is_abroad):
        raise ArgumentError(
            "cache: 'only' wants a stored answer, and none is stored here; the sheet says so by `cache:`"
        )
    return option


def _written(value: TimeoutLike, known: WrittenTimeout) -> WrittenTimeout:
    try:
        return WrittenTimeout.given(_in_seconds(value), known)
    except ValueError as error:
        raise ArgumentError(f"timeout: {error}") from None


def _in_seconds(value: Any) -> Any:
    """The timeout with durations as the sheet writes them (`250ms`, `5s`) in seconds; anything else as it is."""
    if isinstance(value, str):
        return seconds(value) or value
    if isinstance(value, Mapping):
        return {name: seconds(part) or part if isinstance(part, str) else part for name, part in value.items()}
    return value


def _unknown_operation(service: str, name: str, known: Mapping[str, Operation]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean `{close[0]}`?" if close else f"it has {', '.join(f'`{n}`' for n in known) or 'none'}"
    return f"service `{service}` has no operation `{name}`; {hint}"
