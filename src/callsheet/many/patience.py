"""Have the rows of a `map` wait for a service that is down or throttles, instead of failing one after the other.

One call fails fast, so that its caller can do something else. A list has nothing else to do: it would go through a closed
door in seconds, and leave an error for each row. So a row that was refused waits and is called again, for as long as some
row has succeeded not too long ago.

A row is called again only if that cannot do anything twice: it was never sent, or it may be repeated by the retry rules, and the
breaker, a limit, the retry budget or a service that is gone kept a further attempt from being made. Without retries, only what
the breaker or a limit refused is.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any, TypeVar

from callsheet import ambient
from callsheet.call import SHORTEST
from callsheet.engine.io import Io
from callsheet.errors import (
    APIError,
    ArgumentError,
    AttemptTimeout,
    BreakerOpen,
    ConnectTimeout,
    LimitReached,
    NoAnswer,
    NotSent,
    RateLimited,
    Refused,
    ResponseError,
    ServerError,
)
from callsheet.many.outcome import SOMEWHERE
from callsheet.many.row import KEY, RowOptions
from callsheet.plan.plan import Plan
from callsheet.sheet.forms.quantities import seconds
from callsheet.sheet.words.operation import Operation

T = TypeVar("T")
Make = Callable[..., Awaitable[T]]
"""Makes the call of a row: `make(arguments, **options)`."""
WAIT_UP_TO = 60.0
"""Seconds without any success: a restart, a failover or a deployment is over by then."""
POLL = 0.25
"""Seconds until a row is called again where nobody says how long the service stays away."""
LEAST = 0.01
"""Seconds that a row waits at least: the end of a pause is rounded, and what comes too early would be refused anew."""
LOOK = 0.5
"""Seconds after which a row that waits looks whether it is still wanted."""
MOST_REPEATED = 10
"""How often a row fails, each time after others have succeeded, and is called again: it may bring the service down itself."""
OWN_TURN = "rate_limit"
TAKEN_BACK = frozenset({"breaker", "concurrency", OWN_TURN, "rate_limit.learn", "retry.budget"})
"""What stops a further attempt that the retry rules had granted (`stopped_by`), but for the call's own time and body."""


class PatientRows:
    """Calls the rows of one `map`, each again while the service refuses it, until `wait_up_to` has passed without any success.

    Raises ArgumentError for options that rows cannot share.
    """

    def __init__(self, plan: Plan, operation: Operation, io: Io, common: Mapping[str, Any], wait_up_to: Any) -> None:
        self._options = RowOptions(plan, operation, common)
        self._settings = plan.settings
        self._method = plan.method
        self._io = io
        self._longest = _seconds(wait_up_to)
        self._refused_since: float | None = None
        """When the first row was refused since one succeeded."""
        self._succeeded = 0
        self.is_over = False
        """Set to have every row that waits give up."""

    def _count_success(self) -> None:
        self._refused_since = None
        self._succeeded += 1

    async def value(self, row: Any, make: Make[T]) -> T:
        """The value of the row's call. Raises what ends it; an error with a `position` ends all rows."""
        arguments, options = self._options.of(row)
        succeeded, failed, sent = self._succeeded, 0, False
        while True:
            try:
                value = await make(arguments, **options)
            except APIError as error:
                sent = sent or error.was_sent
                if self._succeeded > succeeded and not isinstance(error, Refused):
                    succeeded, failed = self._succeeded, failed + 1
                may_repeat = isinstance(error, Refused) or (failed <= MOST_REPEATED and _reads_anew(arguments))
                pause = self._pause(error) if may_repeat else None
                if pause is None and sent and not error.was_sent:
                    raise _sent_before(error) from error.__cause__
                if pause is None:
                    raise
                if error.was_sent and error.idempotency_key is not None and not self._options.have_key(options):
                    options[KEY] = error.idempotency_key  # the service may know the request by it
                refused = error
            else:
                self._count_success()
                return value
            try:
                await self._wait(pause)
                if self.is_over:
                    raise refused
            finally:
                del refused

    async def _wait(self, pause: float) -> None:
        until = self._io.now() + pause
        while (left := until - self._io.now()) >= SHORTEST and not self.is_over:
            await self._io.sleep(min(left, LOOK))

    def _pause(self, error: APIError) -> float | None:
        """Seconds until the row is called again; None if what was raised stands."""
        if not self._may_wait(error):
            if isinstance(error, ResponseError) and not isinstance(error, ServerError | RateLimited):
                self._count_success()  # the service works: it has refused this row alone
            return None
        now = self._io.now()
        left = ambient.until.get() - now
        if error.stopped_by != OWN_TURN:
            since = self._refused_since
            if since is None:
                since = self._refused_since = now
            waited = now - since
            if waited >= self._longest:
                error.position = SOMEWHERE
                error.args = (f"{error}; no row has succeeded for {waited:.3g} s (wait_up_to)",)
                return None
            left = min(left, self._longest - waited)
        return None if left <= 0.0 else max(min(error.retry_after or POLL, left), LEAST)

    def _may_wait(self, error: APIError) -> bool:
        if self._longest == 0.0 or self.is_over or error.stopped_by == "body":
            return False
        if isinstance(error, LimitReached):
            return self._settings.rate_limit.when_full == "wait"
        retry = self._settings.retry
        if retry is None or isinstance(error, BreakerOpen):
            return isinstance(error, BreakerOpen)
        if isinstance(error, NotSent):
            return not error.is_local
        if isinstance(error, RateLimited) and error.request is not None and error.request.method == self._method:
            return self._settings.rate_limit.learn  # it was not processed
        is_gone = isinstance(error, NoAnswer) and isinstance(error.__cause__, NotSent)
        may_repeat = self._method in retry.methods or self._settings.idempotent or error.idempotency_key is not None
        return may_repeat and (is_gone or error.stopped_by in TAKEN_BACK)


def _reads_anew(value: Any) -> bool:
    """Whether a further call would read the same of an argument: an open file or an iterator may have moved on."""
    if isinstance(value, Mapping | list | tuple):
        return all(map(_reads_anew, value.values() if isinstance(value, Mapping) else value))
    return not (hasattr(value, "read") or isinstance(value, Iterator | AsyncIterator))


def _sent_before(error: APIError) -> APIError:
    """The error of a row whose last call was perhaps never sent, but an earlier one was: NotSent would deny that."""
    error.was_sent = True
    error.args = (f"{error}; an earlier call of this row may have been processed",)
    if not isinstance(error, NotSent):
        return error
    return (AttemptTimeout if isinstance(error, ConnectTimeout) else NoAnswer)(*error.args, **vars(error))


def _seconds(written: Any) -> float:
    if written is None:
        return math.inf
    found = seconds(written) if isinstance(written, str) else written
    if isinstance(found, bool) or not isinstance(found, int | float) or not found >= 0:
        message = f"`wait_up_to` must be a number of seconds, 0 or more, or None for no limit; found {written!r}"
        raise ArgumentError(message)
    return float(found)
