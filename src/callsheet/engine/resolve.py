"""Verdicts that need somebody else: a store's answer, an exchange of requests, a listener's ear."""

from __future__ import annotations

from callsheet.call import Attempt, Limits
from callsheet.engine.content import undo_codings
from callsheet.engine.io import Io
from callsheet.engine.tell import tell, tell_store_failure
from callsheet.errors import APIError, DeadlinePassed
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.plan.plan import Plan
from callsheet.policies.deadline import SHORTEST
from callsheet.settings.timeout import DEFAULT
from callsheet.verdicts import Ask, Exchange, Later, Steps, StoreFailure, Tell, Verdict


async def resolved(verdict: Verdict | None, attempt: Attempt, plan: Plan, io: Io) -> Verdict | None:
    """Carry out questions to stores, exchanges and tellings until something simpler is wanted."""
    while verdict is not None:
        if isinstance(verdict, Ask):
            verdict = verdict.then(await _answer_of_store(verdict, attempt, plan, io))
        elif isinstance(verdict, Exchange):
            left = attempt.call.deadline - io.now()
            verdict = await _drive(verdict.steps, min(verdict.seconds, left), plan, io)
        elif isinstance(verdict, Later):
            _hand_over(verdict, plan, io)
            return None
        elif isinstance(verdict, Tell):
            tell(plan.listeners, verdict.event)
            return None
        else:
            return verdict
    return None


async def _answer_of_store(question: Ask, attempt: Attempt, plan: Plan, io: Io) -> object:
    left = max(attempt.call.deadline - io.now(), SHORTEST)
    try:
        return await io.ask(question.store, question.question, left)
    except Exception as error:  # noqa: BLE001 a store that fails costs a miss and an event, never the call
        message = f"{type(error).__name__}: {error}"
        tell_store_failure(plan, attempt, question.store, message)
        return StoreFailure(message)


def _hand_over(verdict: Later, plan: Plan, io: Io) -> None:
    async def work() -> None:
        await _drive(verdict.steps, verdict.seconds, plan, io)

    io.later(work)


async def _drive(steps: Steps, seconds: float, plan: Plan, io: Io) -> Verdict | None:
    """Send each request that the exchange yields, until it returns; all of it within `seconds`.

    What fails is raised inside the exchange.
    """
    until = io.now() + seconds
    try:
        request = next(steps)
        while True:
            try:
                answer = await _answered(request, until, plan, io)
            except APIError as error:
                request = steps.throw(error)
            else:
                request = steps.send(answer)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    finally:
        steps.close()


async def _answered(request: Request, until: float, plan: Plan, io: Io) -> Response:
    """The answer to one request of an exchange."""
    left = until - io.now()
    if left < SHORTEST:
        raise DeadlinePassed(f"no time is left for {request.method} {request.url}")
    caps = plan.settings.caps
    limits = Limits(connect=min(DEFAULT.connect, left), read=None, attempt=left, caps=caps)
    answer = (await io.send(request, limits))[0]
    undo_codings(answer, caps)
    return answer
