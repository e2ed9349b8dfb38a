"""Telling listeners what happened. One that raises is logged once and never reaches the call."""

from __future__ import annotations

import logging
from typing import Any

from callsheet.call import Attempt, Call
from callsheet.errors import APIError
from callsheet.events import AttemptEnded, CallEnded, Event, Listener, StoreFailed, WireFacts
from callsheet.http.response import Response
from callsheet.plan.plan import Plan
from callsheet.verdicts import TryAgain

log = logging.getLogger("callsheet")
NO_FACTS = WireFacts()
_have_raised: dict[int, Listener] = {}
"""By `id`, since a listener may have no hash; kept, so that no other gets the same `id`."""


def tell(listeners: tuple[Listener, ...], event: Event) -> None:
    """Hand the event to each listener."""
    for listener in listeners:
        try:
            listener(event)
        except Exception as error:  # noqa: BLE001 whatever a listener does, the call goes on
            _complain_once(listener, error)


def _complain_once(listener: Listener, error: Exception) -> None:
    if id(listener) not in _have_raised:
        _have_raised[id(listener)] = listener
        log.warning("listener %r raised; the call goes on, and this is logged once", listener, exc_info=error)


def tell_attempt(plan: Plan, attempt: Attempt, again: TryAgain | None, elapsed: float) -> None:
    """Say how one try went."""
    outcome = attempt.outcome
    is_answer = isinstance(outcome, Response)
    event = AttemptEnded(
        plan.service,
        plan.operation,
        attempt.request.method,
        attempt.request.url,
        attempt.number,
        outcome.status_code if isinstance(outcome, Response) else None,
        None if is_answer else type(outcome).__name__,
        attempt.was_sent,
        elapsed,
        again.after if again else None,
        attempt.wire or NO_FACTS,
        attempt.waited,
        attempt.meaning,
    )
    tell(plan.listeners, event)


def tell_call(
    plan: Plan, call: Call, status: int | None, error: BaseException | None, elapsed: float, *, fell_back: bool = False
) -> None:
    """Say how the call went."""
    event = CallEnded(
        plan.service,
        plan.operation,
        call.request.method,
        call.request.url,
        status,
        None if error is None else type(error).__name__,
        str(error) if isinstance(error, APIError) else None,
        call.attempts,
        elapsed,
        call.stopped_by,
        fell_back,
    )
    tell(plan.listeners, event)


def tell_store_failure(plan: Plan, attempt: Attempt, store: Any, message: str) -> None:
    """Say that a store could not be asked."""
    tell(plan.listeners, StoreFailed(plan.service, plan.operation, type(store).__name__, message))
