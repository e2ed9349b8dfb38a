"""One service, ready to be called: its plans, and what they share."""

from __future__ import annotations

import difflib
import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from callsheet.call import Call
from callsheet.declare.from_sheet import operations_of
from callsheet.declare.operation import Operation
from callsheet.errors import ArgumentError, UsageError
from callsheet.events import Listener
from callsheet.http.request import Request
from callsheet.plan.compile import Base, plan_of, plan_of_undeclared, undeclared_request
from callsheet.plan.order import Shared
from callsheet.plan.plan import Given, Plan, TimeoutLike
from callsheet.policies.cookies import Cookies
from callsheet.policies.slot import Slot
from callsheet.settings.concurrency import Concurrency
from callsheet.settings.timeout import WrittenTimeout
from callsheet.sheet import ServiceSheet
from callsheet.sheet.quantities import seconds
from callsheet.verdicts import Ticket

if TYPE_CHECKING:
    from callsheet.plan.explanation import Explanation


class ServicePlans:
    """The plans of one service under one set of code settings, each compiled at first use.

    `like` are the plans of the same service under other settings: both share slots and cookies.
    """

    def __init__(
        self,
        sheet: ServiceSheet,
        code: Mapping[str, Any],
        listeners: tuple[Listener, ...],
        like: ServicePlans | None = None,
    ) -> None:
        self.name = sheet.name
        self.operations: Mapping[str, Operation] = operations_of(sheet)
        self.settings = sheet.settings(None, code)
        self.plans: dict[str, Plan] = {}
        self._sheet = sheet
        self._code = code
        self._listeners = listeners
        self._own_slots: list[Slot] = []
        self.cookies: Cookies = like.cookies if like else Cookies(time.time)
        self.slots = self._slots(like)
        # Compiling may import a user's module, and that may call this service.
        self._lock = threading.RLock()
        self._base: Base | None = None

    def plan(self, operation: str) -> Plan:
        """The plan of a declared operation. Raises UsageError for one that is not, SheetError for unusable types."""
        with self._lock:
            known = self.plans.get(operation)
            if known is None:
                known = self.plans[operation] = self._compiled(operation)
            return known

    def compile_all(self) -> None:
        """Compile every plan now, so that what is wrong is known before the first call."""
        for name in self.operations:
            self.plan(name)

    def _compiled(self, name: str) -> Plan:
        declared = self.operations.get(name)
        if declared is None:
            raise UsageError(_unknown_operation(self.name, name, self.operations), service=self.name)
        settings = self._sheet.settings(name, self._code)
        wrote = "concurrency" in self._sheet.operations[name].layer
        shared = self._shared(self._own(settings.concurrency) if wrote else ())
        secrets = self._sheet.secrets(name)
        return plan_of(self.name, declared, settings, shared, listeners=self._listeners, secrets=secrets)

    def explain(self, operation: str | None, calls: float | str) -> Explanation:
        """Every effective setting of an operation, or of undeclared requests, and the worst case. Raises UsageError."""
        if operation is not None and operation not in self.operations:
            raise UsageError(_unknown_operation(self.name, operation, self.operations), service=self.name)
        from callsheet.plan.explain import explained  # noqa: PLC0415 - most programs never ask

        return explained(self._sheet, operation, self._code, self._shared(), calls)

    @property
    def slot(self) -> Slot:
        """That of the service itself, which every call needs."""
        return self.slots[-1]

    def _slots(self, like: ServicePlans | None) -> tuple[Slot, ...]:
        """Those of every call: of settings that are narrower than the service's own, beside the service's."""
        if like is None:
            return self._own(self.settings.concurrency)
        is_own = self.settings.concurrency != like.settings.concurrency
        return (*(self._own(self.settings.concurrency) if is_own else ()), *like.slots)

    def _own(self, settings: Concurrency) -> tuple[Slot, ...]:
        slot = Slot(settings)
        self._own_slots.append(slot)
        return (slot,)

    def _shared(self, own: tuple[Slot, ...] = ()) -> Shared:
        # Its own first: who queues for one operation must not hold a slot that all operations share.
        return Shared((*own, *self.slots), random.random, time.time, self.cookies)

    def undeclared(self, method: str) -> Plan:
        """The plan of undeclared requests by this method; events and errors name it so."""
        key = f" {method}"
        known = self.plans.get(key)
        if known is None:
            known = plan_of_undeclared(
                self.name, method.lower(), self.settings, self._shared(), listeners=self._listeners
            )
            self.plans[key] = known
        return known

    def undeclared_request(self, method: str, target: str, given: Given) -> Request:
        """A request that no operation declares."""
        if self._base is None:
            self._base = Base(self.settings, self._sheet.secrets())
        return undeclared_request(self._base, method, target, given)

    def forget(self) -> None:
        """Begin counting anew: the calls in flight are those of the process this one was forked from."""
        self._lock = threading.RLock()
        self.cookies.forget()
        for slot in self._own_slots:
            slot.forget()


def begin(plan: Plan, request: Request, given: Given, started: float, new_ticket: Callable[[], Ticket]) -> Call:
    """A call of the plan. Raises ArgumentError for a timeout that is none."""
    settings = plan.settings
    timeout, written = settings.timeout, settings.written
    if given.timeout is not None:
        written = _written(given.timeout, written)
        timeout = written.resolved()
    return Call(
        request,
        timeout,
        started,
        new_ticket,
        service=plan.service,
        operation=plan.operation,
        is_repeatable=settings.idempotent or given.idempotency_key is not None,
        bounds_stream=written.total is not None,
    )


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
