"""A call from its request to its typed result."""

from __future__ import annotations

from typing import Any

from callsheet.call import Call
from callsheet.engine.complete import completed
from callsheet.engine.content import undo_codings
from callsheet.engine.io import Io
from callsheet.engine.log import hears_success
from callsheet.engine.loop import final_answer
from callsheet.engine.open_answer import OpenAnswer
from callsheet.engine.tell import tell_call
from callsheet.errors import ResponseError
from callsheet.http.response import Response
from callsheet.plan.plan import Plan

LONGEST_PROBLEM = 64 * 1024
"""Bytes of an error answer's body that are read of a stream."""


async def perform(call: Call, plan: Plan, io: Io, *, raises: bool, typed: bool) -> Any:
    """The result of a call: typed, or the Response. Raises APIError with what is known of the call on it."""
    response: Response | None = None
    try:
        response, _ = await final_answer(call, plan, io)
        _stamp(response, call, io)
        undo_codings(response, plan.settings.caps)
        if raises and response.status_code >= 400:
            response.raise_for_status()
        result = plan.read(response) if typed else response
    except BaseException as error:
        told = completed(error, call)
        _close(call, plan, io, _status_of(error, response), told)
        if told is not error:
            raise told from error
        raise
    _close(call, plan, io, response.status_code, None)
    return result


async def open_stream(call: Call, plan: Plan, io: Io, *, raises: bool) -> OpenAnswer:
    """An answer whose body is still to be read; slot and connection are held until it is closed."""
    opened: OpenAnswer | None = None
    try:
        response, attempt = await final_answer(call, plan, io)
        _stamp(response, call, io)
        opened = OpenAnswer(response, attempt, plan, io)
        if raises:
            await raise_for_status(opened)
    except BaseException as error:
        if opened is not None:
            opened.close(error)
            raise
        told = completed(error, call)
        _close(call, plan, io, None, told)
        if told is not error:
            raise told from error
        raise
    opened.closes_at_end = True
    return opened


async def raise_for_status(opened: OpenAnswer) -> None:
    """Raise the error of a status from 400 on, with the beginning of the body."""
    if opened.response.status_code >= 400:
        await opened.read_some(LONGEST_PROBLEM)
        opened.response.raise_for_status()


def _stamp(response: Response, call: Call, io: Io) -> None:
    response.elapsed = io.now() - call.started
    response.attempts = call.attempts


def _status_of(error: BaseException, response: Response | None) -> int | None:
    if isinstance(error, ResponseError):
        return error.response.status_code
    return response.status_code if response is not None else None


def _close(call: Call, plan: Plan, io: Io, status: int | None, error: BaseException | None) -> None:
    for ended in plan.ended:
        ended(call)
    if plan.listeners and (error is not None or hears_success(plan.listeners)):
        tell_call(plan, call, status, error, io.now() - call.started)
