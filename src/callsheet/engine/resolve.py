"""Verdicts that need more than the transport: questions to stores, exchanges of requests, and what listeners are told."""

from __future__ import annotations

from callsheet.call import SHORTEST, Attempt, Limits
from callsheet.engine.content import undo_codings
from callsheet.engine.io import Io
from callsheet.engine.tell import tell, tell_noticed
from callsheet.errors import CLOSED, APIError, AttemptTimeout, DeadlinePassed, LocalFault, UsageError
from callsheet.events import NO_CALL, StoreFailed
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.plan.plan import Plan
from callsheet.settings.timeout import DEFAULT
from callsheet.settings.tls import TLS
from callsheet.verdicts import Ask, Begin, Exchange, Later, StoreFailure, Tell, Verdict, Wait

BUILT_IN = TLS()


async def resolved(verdict: Verdict | None, attempt: Attempt, plan: Plan, io: Io) -> Verdict | None:
    """Ask stores, drive exchanges and tell listeners until a verdict is left that the loop carries out, or none."""
    while verdict is not None:
        if isinstance(verdict, Ask):
            verdict = verdict.then(await _answer_of_store(verdict, attempt, plan, io))
        elif isinstance(verdict, Exchange):
            left = attempt.call.deadline - io.now()
            verdict = await _drive(verdict, min(verdict.seconds, left), plan, io)
        elif isinstance(verdict, Later):
            if not _hand_over(verdict, plan, io) and verdict.then is not None:
                raise UsageError(CLOSED)
            verdict = verdict.then
        elif isinstance(verdict, Begin):
            attempt.call.beside = verdict
            verdict = verdict.then
        elif isinstance(verdict, Tell):
            tell_noticed(verdict.event, attempt.call, plan, io)
            verdict = verdict.then
        else:
            return verdict
    return None


async def _answer_of_store(question: Ask, attempt: Attempt, plan: Plan, io: Io) -> object:
    left = attempt.call.deadline - io.now()
    within = left if question.within is None else min(question.within, left)
    try:
        return await io.ask(question.store, question.question, max(within, SHORTEST))
    except Exception as error:  # noqa: BLE001 a store that fails costs a miss and an event, never the call
        message = f"{type(error).__name__}: {error}"
        is_resting = getattr(error, "is_resting", False)  # set by a store that did not even try
        failure = StoreFailed(*NO_CALL, type(question.store).__name__, message, is_resting)
        tell_noticed(failure, attempt.call, plan, io)
        return StoreFailure(message)


def _hand_over(verdict: Later, plan: Plan, io: Io) -> bool:
    """Drive the exchange in the background; false if the client is closed."""

    async def work() -> None:
        began = io.wall()
        end = await _drive(verdict, verdict.seconds, plan, io)
        if isinstance(end, Tell):
            tell(plan.told, end.event._replace(began=began))

    try:
        return io.later(work)
    except LocalFault:
        # Begun and closed, it lets go of the calls that would wait for its end.
        next(verdict.steps, None)
        verdict.steps.close()
        if verdict.then is not None:
            raise
        return True


async def _drive(exchange: Exchange | Later, seconds: float, plan: Plan, io: Io) -> Verdict | None:
    """Send each request that the exchange yields, until it returns; all of it within `seconds`.

    A request that fails raises its error inside the exchange.
    """
    steps = exchange.steps
    until = io.now() + seconds
    was_told = False
    try:
        step = next(steps)
        while True:
            try:
                done = await _done(step, until, exchange, plan, io, is_the_calls=seconds < exchange.seconds)
            except APIError as error:
                if was_told:
                    raise  # the exchange asks for more although its time is over
                was_told = isinstance(error, DeadlinePassed)
                step = steps.throw(error)
                error.__traceback__ = None  # the exchange goes on, and an error it keeps must not hold its live frames
            else:
                step = steps.send(done)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    finally:
        steps.close()


async def _done(
    step: Request | Wait, until: float, exchange: Exchange | Later, plan: Plan, io: Io, *, is_the_calls: bool
) -> Response | None:
    """The answer to one request of an exchange; None after a pause. `is_the_calls`: `until` is the call's deadline."""
    left = until - io.now()
    if isinstance(step, Wait):
        if step.seconds >= left:
            raise DeadlinePassed(f"no time is left for {step.why}")
        await io.sleep(step.seconds)
        return None
    if left < SHORTEST:
        raise DeadlinePassed(f"no time is left for {step.method} {step.url}")
    caps = plan.settings.caps
    limits = Limits(connect=min(DEFAULT.connect, left), read=None, attempt=left, caps=caps)
    is_at_home = exchange.tls is None and step.origin == plan.settings.origin
    way = io if is_at_home else io.beside(exchange.tls or BUILT_IN)
    try:
        answer = (await way.send(step, limits))[0]
    except AttemptTimeout:
        if until - io.now() < SHORTEST and is_the_calls:
            raise DeadlinePassed(f"the deadline passed while waiting for {step.method} {step.url}") from None
        raise
    undo_codings(answer, caps)
    return answer
