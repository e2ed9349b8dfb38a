"""The loop: ask the policies, carry out what they want, send, ask what the outcome means, and again.

A call is made of attempts. Before each, the policies are asked in the plan's order; if one of them had to wait, all are
asked once more, because the world may have changed meanwhile. After each, all are told the outcome, and the first that
asks for another attempt gets it. What an attempt holds, such as a slot, is given back before any pause.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from callsheet.call import SHORTEST, Attempt, Call, Limits, deadline_passed
from callsheet.engine.content import undo_early
from callsheet.engine.dropped import DROPPED, Lease
from callsheet.engine.io import Io
from callsheet.engine.let_go import abandon, let_go
from callsheet.engine.resolve import resolved
from callsheet.engine.tell import tell_attempt, tell_attempt_began, tell_call_began
from callsheet.errors import CLOSED, APIError, UsageError
from callsheet.http.response import Response
from callsheet.plan.plan import Asked, Plan
from callsheet.verdicts import (
    AnswerWith,
    Ask,
    Change,
    Exchange,
    GiveUp,
    Refuse,
    Resend,
    Ticket,
    TryAgain,
    Verdict,
    Wait,
    WaitFor,
)

AttemptOutcome = Response | APIError
LOOK = 0.5
"""Seconds after which a call that waits for a ticket looks for dropped answers."""


async def final_answer(call: Call, plan: Plan, io: Io) -> tuple[Response, Attempt, Lease]:
    """The answer that stands when no policy asks for another attempt, the attempt that brought it, and its lease.

    Raises the error that stands in place of an answer. The attempt of a streamed answer still holds its slot, under the lease.
    """
    fresh = False
    before: AttemptOutcome | None = None
    if plan.hears_calls_begin:
        tell_call_began(call, plan, io)
    while True:
        DROPPED.end()
        attempt = Attempt(call, call.attempts + 1)
        lease = Lease(attempt)
        keeps = False
        try:
            asked = iter(plan.before_call if attempt.number == 1 else plan.before_attempt)
            verdict = _next_verdict(asked, attempt, io.now())
            refusal = None if verdict is None else await _permission(verdict, asked, attempt, plan, io)
            if refusal is not None:
                return _stopped(call, refusal, before), attempt, lease
            began = attempt.began = io.now()
            outcome = await _send(attempt, plan, io, began, fresh=fresh)
            now = io.now()
            told = iter(plan.after)
            verdict = _next_verdict(told, attempt, now)
            again = None if verdict is None else await _meaning(verdict, told, attempt, plan, io)
            if attempt.outcome is not None:
                outcome = attempt.outcome  # a policy may have replaced it
            keeps = again is None and isinstance(outcome, Response) and outcome.stream is not None
        finally:
            if not keeps:
                let_go(attempt)
                lease.end()
        if plan.hears_attempts:
            tell_attempt(attempt, plan, io, again, now - began)
        if again is None:
            if isinstance(outcome, Response):
                return outcome, attempt, lease
            raise outcome
        before, fresh = outcome, again.fresh
        if again.after > 0:
            await io.sleep(again.after)


def _stopped(call: Call, verdict: Refuse | AnswerWith, before: AttemptOutcome | None) -> Response:
    """What stands for an attempt not made: a policy's answer, else the outcome before, else the refusal, raised."""
    if isinstance(verdict, AnswerWith):
        return verdict.response
    call.stopped_by = verdict.by
    if isinstance(before, Response):
        return before
    raise before if before is not None else verdict.error


def _next_verdict(asked: Iterator[Asked], attempt: Attempt, now: float) -> Verdict | None:
    """The first verdict of the policies left to ask. Mostly none has one, and the call needs no further coroutine."""
    for ask in asked:
        verdict = ask(attempt, now)
        if verdict is not None:
            return verdict
    return None


async def _permission(
    verdict: Verdict | None, asked: Iterator[Asked], attempt: Attempt, plan: Plan, io: Io
) -> Refuse | AnswerWith | None:
    """Whether the attempt may be made, waiting as the policies say; pass after pass until none has to wait."""
    has_waited = False
    while True:
        while verdict is not None:
            # An exchange takes its time, as a wait does; a store is asked once per attempt, and takes little.
            has_waited = has_waited or isinstance(verdict, Exchange)
            was_asked = isinstance(verdict, Ask)
            verdict = await resolved(verdict, attempt, plan, io)
            if was_asked and attempt.call.deadline - io.now() < SHORTEST:
                return Refuse(deadline_passed(attempt, "its store"), by="deadline")
            if isinstance(verdict, Wait | WaitFor):
                refusal = await _wait(verdict, attempt, io)
                if refusal is not None:
                    return refusal
                has_waited = True
                asked, further = _after_wait(verdict, asked, plan, io.now())
                if further is not None:
                    verdict = further
                    continue
            elif isinstance(verdict, Refuse | AnswerWith):
                return verdict
            elif isinstance(verdict, Change):
                attempt.request = verdict.request
            verdict = _next_verdict(asked, attempt, io.now())
        if not has_waited:
            return None
        has_waited = False
        asked = iter(plan.before_attempt)
        verdict = _next_verdict(asked, attempt, io.now())


def _after_wait(
    verdict: Wait | WaitFor, asked: Iterator[Asked], plan: Plan, now: float
) -> tuple[Iterator[Asked], Verdict | None]:
    """Who is asked after a wait, and what the policy that wanted it wants now."""
    if isinstance(verdict, WaitFor):
        return (iter(plan.before_attempt) if verdict.looks_again else asked), None
    return asked, None if verdict.then is None else verdict.then(now)


async def _wait(verdict: Wait | WaitFor, attempt: Attempt, io: Io) -> Refuse | None:
    """Wait as a policy asks, or refuse because the call's deadline comes first."""
    began = io.now()
    if isinstance(verdict, Wait):
        if verdict.seconds < attempt.call.deadline - began:
            await io.sleep(verdict.seconds)
            attempt.waited += io.now() - began
            return None
    elif await _is_granted(verdict.ticket, attempt.call.deadline, io):
        attempt.waited += io.now() - began
        return None
    why = verdict.why if isinstance(verdict.why, str) else verdict.why(io.now())
    return Refuse(deadline_passed(attempt, why), by="deadline")


async def _is_granted(ticket: Ticket, until: float, io: Io) -> bool:
    """Whether it is granted by `until`. Meanwhile ends dropped answers: one may hold what the ticket waits for."""
    left = until - io.now()
    while left > LOOK:
        if await io.wait(ticket, LOOK):
            return True
        if io.is_closed():
            raise UsageError(CLOSED)
        DROPPED.end()
        left = min(left - LOOK, until - io.now())
    return await io.wait(ticket, max(left, 0.0))


def _limits(attempt: Attempt, plan: Plan, now: float, *, fresh: bool) -> Limits:
    """What this try may take: what its timeout says, within what is left of the call."""
    call, request = attempt.call, attempt.request
    timeout = call.timeout
    left = call.deadline - now
    attempt.is_cut_short = left <= timeout.attempt
    attempt.allowed = max(min(left, timeout.attempt), SHORTEST)
    if timeout is plan.settings.timeout and not attempt.is_cut_short and not fresh and not request.is_transfer:
        return plan.limits
    longest = attempt.allowed
    read = timeout.read if timeout.read < longest or request.is_transfer else None
    whole = _time_of_transfer(call, left, now) if request.is_transfer else None
    wants_facts = plan.limits.wants_facts
    return Limits(min(timeout.connect, longest), read, longest, fresh, whole, plan.settings.caps, wants_facts)


def _time_of_transfer(call: Call, left: float, now: float) -> float | None:
    """Seconds that the body of a transfer may take; None, as long as it needs, unless the caller set a bound."""
    if call.bounds_stream:
        return left
    return call.around - now if call.around < math.inf else None


async def _send(attempt: Attempt, plan: Plan, io: Io, now: float, *, fresh: bool) -> AttemptOutcome:
    """Make the try; the answer, or the error that stands for it."""
    call = attempt.call
    call.attempts = attempt.number
    for attach in plan.attach:
        attempt.request = attach(attempt, now)
    limits = _limits(attempt, plan, now, fresh=fresh)
    if plan.hears_attempts_begin:
        tell_attempt_began(attempt, plan, io)
    # If interrupted while sending, assume that it was sent; only the transport may say otherwise.
    attempt.was_sent = True
    try:
        response, attempt.wire = await io.send(attempt.request, limits)
        attempt.outcome = response
        if plan.reads_early and not attempt.request.is_stream:
            undo_early(response, plan.settings.caps)
    except APIError as error:
        attempt.outcome = error
        attempt.was_sent = error.was_sent
    finally:
        call.was_sent = call.was_sent or attempt.was_sent
        if attempt.request.is_upload and not call.bounds_stream:
            # The time of sending does not count against a total that is only the default.
            call.deadline = min(call.deadline + io.now() - now, call.around)
    return attempt.outcome


async def _meaning(
    verdict: Verdict | None, told: Iterator[Asked], attempt: Attempt, plan: Plan, io: Io
) -> TryAgain | None:
    """Tell the other policies the outcome, which they may replace; the first "try again" wins, until it is taken back."""
    while verdict is not None:
        verdict = await resolved(verdict, attempt, plan, io)
        if isinstance(verdict, TryAgain | Resend):
            attempt.again = attempt.again or verdict
        elif isinstance(verdict, Refuse):
            _replace(attempt, verdict.error)
            attempt.call.stopped_by = verdict.by
        elif isinstance(verdict, AnswerWith):
            _replace(attempt, verdict.response)
        elif isinstance(verdict, GiveUp):
            attempt.again = None
            attempt.call.stopped_by = verdict.by
        verdict = _next_verdict(told, attempt, io.now())
    again, call = attempt.again, attempt.call
    if again is not None:
        call.stopped_by = None
    if not isinstance(again, Resend):
        return again
    # Another request is sent at once, and is not charged to retry.
    call.request = again.request
    call.uncharged += 1
    return TryAgain(0.0)


def _replace(attempt: Attempt, outcome: AttemptOutcome) -> None:
    """Replace the outcome, and close the stream of the old one."""
    if isinstance(attempt.outcome, Response) and attempt.outcome is not outcome:
        abandon(attempt.outcome)
    attempt.outcome = outcome
