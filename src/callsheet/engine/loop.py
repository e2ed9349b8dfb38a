"""The loop: ask the policies, carry out what they want, send, ask what the outcome means, and again.

A call is made of attempts. Before each, the policies are asked in the plan's order; if one of them had to wait, all are
asked once more, because the world may have changed meanwhile. After each, all are told the outcome, and the first that
wants another attempt has it. Whatever was held is let go before any pause.
"""

from __future__ import annotations

from callsheet.call import Attempt, Call, Limits
from callsheet.engine.io import Io
from callsheet.engine.tell import tell_attempt, tell_store_failure
from callsheet.errors import APIError, TransportError
from callsheet.http.response import Response
from callsheet.plan.plan import Plan
from callsheet.policies.deadline import passed
from callsheet.settings.timeout import DEFAULT
from callsheet.verdicts import (
    Ask,
    Exchange,
    GiveUp,
    Later,
    Refuse,
    Reply,
    Steps,
    StoreFailure,
    TryAgain,
    Verdict,
    Wait,
    WaitFor,
)

SHORTEST = 0.001
"""Seconds: less than this is not worth a try on the wire."""


async def final_answer(call: Call, plan: Plan, io: Io) -> tuple[Response, Attempt]:
    """The answer that stands when nobody wants another attempt, and the attempt that brought it.

    Raises what stands instead of an answer. An attempt whose answer is a stream still holds what it holds.
    """
    fresh = False
    before: Response | APIError | None = None
    while True:
        attempt = Attempt(call, call.attempts + 1)
        keeps = False
        try:
            refusal = await _permission(attempt, plan, io)
            began = io.now()
            if refusal is not None:
                outcome = _stopped(call, refusal, before)
                return outcome, attempt
            await _send(attempt, plan, io, fresh)
            again = await _again(attempt, plan, io)
            keeps = again is None and isinstance(attempt.outcome, Response) and attempt.outcome.stream is not None
        finally:
            if not keeps:
                let_go(attempt)
        if plan.hears_attempts:
            tell_attempt(plan, attempt, again, io.now() - began)
        outcome = attempt.outcome
        if again is None:
            if isinstance(outcome, Response):
                return outcome, attempt
            raise outcome if outcome is not None else RuntimeError("an attempt without an outcome")
        before, fresh = outcome, again.fresh
        if again.after > 0:
            await io.sleep(again.after)


def let_go(attempt: Attempt) -> None:
    """Give back what policies hold for this attempt, and the connection of a stream that nobody will read."""
    held = attempt.held
    while held:
        policy = next(iter(held))
        try:
            policy.let_go(attempt, attempt.was_sent)
        finally:
            held.pop(policy, None)
    outcome = attempt.outcome
    if outcome.__class__ is Response and outcome.stream is not None:  # type: ignore[union-attr]
        outcome.stream.close()  # type: ignore[union-attr]


def _stopped(call: Call, verdict: Refuse | Reply, before: Response | APIError | None) -> Response:
    """The answer without sending; raises the refusal, or the outcome that stays because a further attempt is refused."""
    if isinstance(verdict, Reply):
        return verdict.response
    call.stopped_by = verdict.by
    if isinstance(before, Response):
        return before
    raise before if before is not None else verdict.error


async def _permission(attempt: Attempt, plan: Plan, io: Io) -> Refuse | Reply | None:
    """Ask each policy whether the attempt may be made, waiting as they say; pass after pass until none has to wait."""
    asked = plan.before_call if attempt.number == 1 else plan.before_attempt
    while True:
        has_waited = False
        now = io.now()
        for ask in asked:
            verdict = ask(attempt, now)
            if verdict is None:
                continue
            verdict = await _resolved(verdict, attempt, plan, io)
            if isinstance(verdict, Wait | WaitFor):
                refusal = await _wait(verdict, attempt, io)
                if refusal is not None:
                    return refusal
                has_waited = True
            elif isinstance(verdict, Refuse | Reply):
                return verdict
            now = io.now()
        if not has_waited:
            return None
        asked = plan.before_attempt


async def _resolved(verdict: Verdict | None, attempt: Attempt, plan: Plan, io: Io) -> Verdict | None:
    """Carry out questions to stores and exchanges until something simpler is wanted."""
    while verdict is not None:
        if isinstance(verdict, Ask):
            verdict = verdict.then(await _answer_of_store(verdict, attempt, plan, io))
        elif isinstance(verdict, Exchange):
            left = attempt.call.deadline - io.now()
            verdict = await _drive(verdict.steps, min(verdict.seconds, left), io)
        elif isinstance(verdict, Later):
            _hand_over(verdict, io)
            return None
        else:
            return verdict
    return None


async def _answer_of_store(question: Ask, attempt: Attempt, plan: Plan, io: Io) -> object:
    try:
        return await io.ask(question.store, question.question)
    except Exception as error:  # noqa: BLE001 a store that fails costs a miss and an event, never the call
        message = f"{type(error).__name__}: {error}"
        tell_store_failure(plan, attempt, question.store, message)
        return StoreFailure(message)


def _hand_over(verdict: Later, io: Io) -> None:
    async def work() -> None:
        await _drive(verdict.steps, verdict.seconds, io)

    io.later(work)


async def _drive(steps: Steps, seconds: float, io: Io) -> Verdict | None:
    """Send each request that the exchange yields, until it returns; all of it within `seconds`."""
    until = io.now() + seconds
    try:
        request = next(steps)
        while True:
            left = max(until - io.now(), SHORTEST)
            limits = Limits(connect=min(DEFAULT.connect, left), read=None, attempt=left)
            try:
                answer = (await io.send(request, limits))[0]
            except TransportError as error:
                request = steps.throw(error)
            else:
                request = steps.send(answer)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    finally:
        steps.close()


async def _wait(verdict: Wait | WaitFor, attempt: Attempt, io: Io) -> Refuse | None:
    """Wait as wanted, or refuse because the call's deadline comes first."""
    left = attempt.call.deadline - io.now()
    if isinstance(verdict, Wait):
        if verdict.seconds < left:
            await io.sleep(verdict.seconds)
            return None
    elif await io.wait(verdict.ticket, max(left, 0.0)):
        return None
    return Refuse(passed(attempt, verdict.why), by="deadline")


async def _send(attempt: Attempt, plan: Plan, io: Io, fresh: bool) -> None:
    """Make the try, and keep what came of it."""
    call = attempt.call
    timeout = call.timeout
    left = call.deadline - io.now()
    call.attempts = attempt.number
    attempt.is_cut_short = left <= timeout.attempt
    longest = max(min(left, timeout.attempt), SHORTEST)
    read = timeout.read if timeout.read < longest or attempt.request.is_stream else None
    whole = left if attempt.request.is_stream and call.bounds_stream else None
    try:
        attempt.outcome, attempt.wire = await io.send(
            attempt.request, Limits(min(timeout.connect, longest), read, longest, fresh, whole, plan.settings.caps)
        )
        attempt.was_sent = call.was_sent = True
    except APIError as error:
        attempt.outcome = error
        attempt.was_sent = error.was_sent
        call.was_sent = call.was_sent or error.was_sent


async def _again(attempt: Attempt, plan: Plan, io: Io) -> TryAgain | None:
    """Tell each policy the outcome; the first "try again" wins."""
    again: TryAgain | None = None
    for ask in plan.after:
        verdict = ask(attempt, io.now())
        if verdict is None:
            continue
        verdict = await _resolved(verdict, attempt, plan, io)
        if isinstance(verdict, TryAgain):
            again = again or verdict
        elif isinstance(verdict, Refuse):
            attempt.outcome = verdict.error
            attempt.call.stopped_by = verdict.by
        elif isinstance(verdict, Reply):
            attempt.outcome = verdict.response
        elif isinstance(verdict, GiveUp) and again is None:
            attempt.call.stopped_by = verdict.by
    return again
