"""A call from its request to its typed value."""

from __future__ import annotations

from typing import Any

from callsheet.call import Call
from callsheet.engine.answer import Answer
from callsheet.engine.beside import begin_beside
from callsheet.engine.complete import completed
from callsheet.engine.content import undo_codings, undo_once
from callsheet.engine.io import Io
from callsheet.engine.loop import final_answer
from callsheet.engine.open_answer import OpenAnswer
from callsheet.engine.tell import end_call, tell_noticed
from callsheet.errors import APIError, ResponseError
from callsheet.http.response import Response
from callsheet.plan.fallback import may_fall_back
from callsheet.plan.plan import Interpreter, Plan
from callsheet.verdicts import AnswerWith

LONGEST_PROBLEM = 64 * 1024
"""Bytes that are read of the body of a stream whose status is an error."""


async def perform(call: Call, plan: Plan, io: Io, *, raises: bool) -> Answer[Any]:
    """Make a call, and give its value and response. Raises APIError, with the facts of the call on it.

    Without `raises` the value is the Response itself, whatever its status and body.
    """
    response: Response | None = None
    try:
        response, _, _ = await final_answer(call, plan, io)
        response.elapsed, response.attempts = io.now() - call.started, call.attempts
        if call.beside is not None:
            begin_beside(call.beside, call, plan, io, lambda other, plan: perform(other, plan, io, raises=False))
        (undo_once if plan.reads_early else undo_codings)(response, plan.settings.caps)
        value: Any = _read(response, plan) if raises else response
    except BaseException as error:
        told = completed(error, call, plan, io.wall)
        if isinstance(told, ResponseError):
            told.response.called = plan.named
        if plan.instead is not None and isinstance(told, APIError):
            kept = _kept_instead(told, call, plan, io, raises=raises)
            if kept is not None:
                return kept
        if raises and plan.fallback is not None and isinstance(told, APIError) and may_fall_back(told):
            return _instead_of(told, response, call, plan, io)
        end_call(call, plan, io, _status_of(error, response), told)
        if told is not error:
            raise told from error
        raise
    response.called = plan.named
    end_call(call, plan, io, response.status_code, None)
    return Answer(value, response)


def _read(response: Response, plan: Plan) -> Any:
    """The typed value of an answer. Raises the error that it stands for."""
    if plan.interpreter is not None:
        return _meant(response, plan, plan.interpreter)
    if response.status_code >= 400:
        response.raise_for_status()
    return plan.read(response)


def _kept_instead(error: APIError, call: Call, plan: Plan, io: Io, *, raises: bool) -> Answer[Any] | None:
    """What a policy has kept that serves in place of an error; None if there is nothing, or it is no value itself."""
    assert plan.instead is not None
    found = plan.instead(call, error)
    if found is None or not isinstance(found.then, AnswerWith):
        return None
    response = found.then.response
    response.elapsed, response.attempts = io.now() - call.started, call.attempts
    try:
        value = _read(response, plan) if raises else response
    except APIError:
        return None
    tell_noticed(found.event, call, plan, io)
    response.called = plan.named
    end_call(call, plan, io, response.status_code, None)
    return Answer(value, response)


def _meant(response: Response, plan: Plan, interpreter: Interpreter) -> Any:
    """The value of an answer that error rules or an envelope speak of. Raises the error that it stands for."""
    meant = interpreter.interpret(response)
    if meant.error is not None:
        raise meant.error
    return plan.read_ignored(response) if meant.is_ignored else plan.read(response)


def _instead_of(error: APIError, response: Response | None, call: Call, plan: Plan, io: Io) -> Answer[Any]:
    """The fallback in place of an error; listeners are told of both. Raises what the fallback raises."""
    assert plan.fallback is not None
    status = _status_of(error, response)
    try:
        value = plan.fallback(error)
    except BaseException as raised:
        told = raised if raised is error else completed(raised, call, plan, io.wall)
        end_call(call, plan, io, status, told)
        raise
    end_call(call, plan, io, status, error, fell_back=True)
    return Answer(value, error.response if isinstance(error, ResponseError) else response, error)


async def open_stream(call: Call, plan: Plan, io: Io, *, raises: bool) -> OpenAnswer:
    """An answer whose body is still to be read; slot and connection are held until it is closed."""
    opened: OpenAnswer | None = None
    try:
        response, attempt, lease = await final_answer(call, plan, io)
        response.elapsed, response.attempts = io.now() - call.started, call.attempts
        opened = OpenAnswer(response, attempt, plan, io, lease)
        if raises:
            await raise_failure(opened)
    except BaseException as error:
        if opened is not None:
            opened.close(error)
            raise
        told = completed(error, call, plan, io.wall)
        end_call(call, plan, io, None, told)
        if told is not error:
            raise told from error
        raise
    response.called = plan.named
    opened.closes_at_end = True
    return opened


async def raise_failure(opened: OpenAnswer) -> None:
    """If a stream's status or header fields say that it failed, raise the error, with the beginning of the body."""
    response, interpreter = opened.response, opened.plan.interpreter
    if not (response.status_code >= 400 if interpreter is None else interpreter.fails_stream(response)):
        return
    await opened.read_some(LONGEST_PROBLEM)
    error = interpreter.error_of_stream(response) if interpreter is not None else None
    if error is not None:
        raise error
    response.raise_for_status()


def _status_of(error: BaseException, response: Response | None) -> int | None:
    if isinstance(error, ResponseError):
        return error.response.status_code
    return response.status_code if response is not None else None
