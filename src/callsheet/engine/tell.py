"""Telling listeners what happened. A listener that raises is logged once; the call goes on."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping

from callsheet.call import Attempt, Call
from callsheet.engine.io import Io
from callsheet.engine.log import hears_success
from callsheet.errors import APIError
from callsheet.events import AttemptBegan, AttemptEnded, CallBegan, CallEnded, CallFacts, Event, Listener, WireFacts
from callsheet.http.response import Response
from callsheet.plan.plan import Plan
from callsheet.verdicts import TryAgain

log = logging.getLogger("callsheet")
NO_FACTS = WireFacts()
_have_raised: dict[int, Listener] = {}
"""Listeners by `id`, since one may have no hash; kept alive, so that no other object gets the same `id`."""


def tell(listeners: Mapping[type[Event], tuple[Listener, ...]], event: Event) -> None:
    """Hand the event to each listener that is told of its kind."""
    for listener in listeners[type(event)]:
        try:
            listener(event)
        except Exception as error:  # noqa: BLE001 whatever a listener does, the call goes on
            _complain_once(listener, error)


def _complain_once(listener: Listener, error: Exception) -> None:
    if id(listener) not in _have_raised:
        _have_raised[id(listener)] = listener
        log.warning("listener %r raised; the call goes on, and this is logged once", listener, exc_info=error)


def facts_of(call: Call, plan: Plan, io: Io) -> CallFacts:
    """The fields that every event of the call begins with: made for the first event, and kept for those that follow."""
    if call.facts is None:
        began = io.wall() - (io.now() - call.started)
        # From the system and not from `random`: a forked child, or a program that sets the seed, would repeat ids.
        call.facts = CallFacts(os.urandom(8).hex(), plan.service, plan.operation, plan.method, plan.template, began)
    return call.facts


def tell_call_began(call: Call, plan: Plan, io: Io) -> None:
    """Say that a call has begun."""
    tell(plan.told, CallBegan(*facts_of(call, plan, io), call.request.url))


def tell_attempt_began(attempt: Attempt, plan: Plan, io: Io) -> None:
    """Say that an attempt is about to be sent."""
    call, request = attempt.call, attempt.request
    event = AttemptBegan(
        *facts_of(call, plan, io),
        request.method,
        request.url,
        attempt.number,
        attempt.began - call.started,
        attempt.waited,
    )
    tell(plan.told, event)


def tell_attempt(attempt: Attempt, plan: Plan, io: Io, again: TryAgain | None, elapsed: float) -> None:
    """Say how one attempt went."""
    call, request, outcome = attempt.call, attempt.request, attempt.outcome
    is_answer = isinstance(outcome, Response)
    event = AttemptEnded(
        *facts_of(call, plan, io),
        request.method,
        request.url,
        attempt.number,
        attempt.began - call.started,
        outcome.status_code if isinstance(outcome, Response) else None,
        None if is_answer else type(outcome).__name__,
        attempt.was_sent,
        elapsed,
        again.after if again else None,
        attempt.wire or NO_FACTS,
        attempt.waited,
        attempt.meaning,
    )
    tell(plan.told, event)


def tell_call(
    call: Call,
    plan: Plan,
    facts: CallFacts,
    error: BaseException | None,
    *,
    status: int | None,
    elapsed: float,
    fell_back: bool = False,
) -> None:
    """Say how the call went."""
    event = CallEnded(
        *facts,
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
    tell(plan.told, event)


def end_call(
    call: Call, plan: Plan, io: Io, status: int | None, error: BaseException | None, *, fell_back: bool = False
) -> None:
    """Tell the policies that the call is over, and listeners how it went."""
    for ended in plan.ended:
        ended(call)
    listeners = plan.told[CallEnded]
    if listeners and (error is not None or hears_success(listeners)):
        facts, elapsed = facts_of(call, plan, io), io.now() - call.started
        tell_call(call, plan, facts, error, status=status, elapsed=elapsed, fell_back=fell_back)


def tell_noticed(event: Event, call: Call, plan: Plan, io: Io) -> None:
    """Tell listeners an event that a policy made, with the facts of its call."""
    if plan.told[type(event)]:
        tell(plan.told, event._replace(**facts_of(call, plan, io)._asdict()))
