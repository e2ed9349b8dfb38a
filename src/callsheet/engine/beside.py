"""Calls in the background: real ones, under all policies, whose answers nobody waits for."""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine
from typing import Any

from callsheet.call import Call
from callsheet.engine.io import Io
from callsheet.errors import APIError, LocalFault
from callsheet.plan.plan import Plan
from callsheet.verdicts import Begin

Perform = Callable[[Call, Plan], Coroutine[Any, Any, Any]]


def begin_beside(begin: Begin, call: Call, plan: Plan, io: Io, perform: Perform) -> None:
    """Begin a call beside the one whose policy wants it. If it cannot begin, the policies are told that it is over."""
    other = Call(
        begin.request,
        plan.settings.timeout,
        call.started,
        call.new_ticket,
        service=call.service,
        operation=call.operation,
        is_repeatable=call.is_repeatable,
        arguments=call.arguments,
    )
    other.notes.update(begin.notes)

    async def work() -> None:
        # It is nobody's: a deadline around the call that wanted it does not bound it.
        other.started = io.now()
        other.around, other.within = math.inf, None
        other.deadline = other.started + other.timeout.total
        try:
            await perform(other, plan)
        except APIError:
            pass  # listeners were told

    try:
        has_begun = io.later(work)
    except LocalFault:
        has_begun = False
    if not has_begun:
        for ended in plan.ended:
            ended(other)
