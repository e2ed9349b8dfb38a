"""Completing an error with the facts of the call that it ended."""

from __future__ import annotations

from collections.abc import Callable

from callsheet.arithmetic.retry_after import told_pause
from callsheet.call import Call
from callsheet.errors import (
    APIError,
    AttemptTimeout,
    ConnectTimeout,
    NoAnswer,
    NotSent,
    Refused,
    ResponseError,
    Unauthorized,
)
from callsheet.plan.plan import Plan
from callsheet.secret import redact

NO_AUTH = "; no `auth` is declared for this call"


def completed(error: BaseException, call: Call, plan: Plan, wall: Callable[[], float]) -> BaseException:
    """The error with the facts of its call on it; a NoAnswer in place of a NotSent if an earlier attempt was sent.

    `wall` is the time of day, for a Retry-After that is a date.
    """
    if not isinstance(error, APIError):
        return error
    if isinstance(error, NotSent) and call.was_sent:
        error = _no_answer(error)
    error.service = call.service
    error.operation = call.operation
    error.attempts = call.attempts
    error.was_sent = error.was_sent or call.was_sent
    error.idempotency_key = call.idempotency_key
    error.stopped_by = error.stopped_by or call.stopped_by
    if error.request is None:
        error.request = call.request.redacted()
    if isinstance(error, ResponseError) and error.retry_after is None:
        error.retry_after = told_pause(error.response, wall())
    _name_the_call(error, call, plan)
    return error


def _no_answer(error: NotSent) -> NoAnswer:
    """The last attempt was never sent, but an earlier one was: NotSent would promise that nothing was processed."""
    kind = AttemptTimeout if isinstance(error, ConnectTimeout) else NoAnswer
    message = f"{error.args[0] if error.args else ''}; an earlier attempt may have been processed"
    return kind(message, errno=error.errno, request=error.request)


def _name_the_call(error: APIError, call: Call, plan: Plan) -> None:
    """Begin the message with which call it was, and end it with how often it was tried."""
    told = error.args[0] if error.args else ""
    message = f"{plan.label}: {redact(told, call.request.masks) if isinstance(told, str) else told}"
    if isinstance(error, Unauthorized) and plan.settings.auth is None and plan.settings.sign is None:
        message += "" if call.request.headers.has("authorization") else NO_AUTH
    if not isinstance(error, Refused):  # whose message says itself when the call was stopped
        message += f" (attempt {call.attempts})" if call.attempts > 1 else ""
        message += f"; no further attempt: {_why(call)}" if call.stopped_by and call.attempts else ""
    error.args = (message,)


def _why(call: Call) -> str | None:
    if call.stopped_by != "idempotent":
        return call.stopped_by
    return f"a {call.request.method} may have been processed: declare `idempotent`, or a key (`idempotency_key`)"
