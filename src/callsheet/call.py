"""A call, and the attempts it is made of: the state that the engine keeps and policies read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from callsheet import ambient
from callsheet.errors import DeadlinePassed
from callsheet.events import CallFacts, WireFacts
from callsheet.settings.caps import Caps

if TYPE_CHECKING:
    from callsheet.errors import APIError
    from callsheet.http.request import Request
    from callsheet.http.response import Response
    from callsheet.settings.timeout import Timeout
    from callsheet.verdicts import Resend, Ticket, TryAgain

Meaning = Literal["rate_limited", "transient", "unauthorized", "failed", "ignored"]
"""What an error rule says that an answer means, whatever its status."""
NO_ARGUMENTS: Mapping[str, Any] = {}
SHORTEST = 0.001
"""Seconds: less time than this is none that is left, and not worth an attempt on the wire."""


class Limits(NamedTuple):
    """How long one attempt may take on the wire, in seconds from its start, and how large its answer may be (`caps`).

    `connect` is for name lookup, TCP and TLS; `read` for the longest silence, None where `attempt` is over sooner; `attempt`
    for the whole answer, of a stream for its headers; `whole` for the last byte of a stream, None where nothing bounds it.
    `fresh` asks for a new connection. `wants_facts`: whether anybody looks at what was measured.
    """

    connect: float
    read: float | None
    attempt: float
    fresh: bool = False
    whole: float | None = None
    caps: Caps = Caps()
    wants_facts: bool = False


class Call:
    """One request by the user.

    Times are readings of one clock, in seconds. `deadline` is when the call must be over. `new_ticket` makes a ticket
    of the right colour. `bounds_stream`: whether the total holds for a transfer's body, too. `uncharged` of the
    `attempts` are not charged to retry. `notes` is for policies that must remember something over the attempts, by
    policy. `arguments` are those of a declared operation, by name. `granted` are the limits of the settings, whatever
    this caller wants. `around` is when a deadline around the call passes; `within` is set where that is before its total.
    `facts` is what its events begin with, None until the first of them is made.
    """

    __slots__ = (
        "arguments",
        "around",
        "attempts",
        "bounds_stream",
        "deadline",
        "facts",
        "granted",
        "idempotency_key",
        "is_repeatable",
        "new_ticket",
        "notes",
        "operation",
        "request",
        "service",
        "started",
        "stopped_by",
        "timeout",
        "uncharged",
        "was_sent",
        "within",
    )

    def __init__(
        self,
        request: Request,
        timeout: Timeout,
        started: float,
        new_ticket: Callable[[], Ticket],
        *,
        service: str = "",
        operation: str = "",
        is_repeatable: bool = False,
        bounds_stream: bool = False,
        arguments: Mapping[str, Any] = NO_ARGUMENTS,
        idempotency_key: str | None = None,
        granted: Timeout | None = None,
    ) -> None:
        self.request = request
        self.timeout = timeout
        self.started = started
        self.deadline = started + timeout.total
        self.new_ticket = new_ticket
        self.service = service
        self.operation = operation
        self.is_repeatable = is_repeatable
        self.bounds_stream = bounds_stream
        self.arguments = arguments
        self.idempotency_key = idempotency_key
        self.granted = granted or timeout
        self.within: float | None = None
        around = self.around = ambient.until.get()
        if around < self.deadline:
            self.deadline, self.within = around, max(0.0, around - started)
            self.bounds_stream = True
        self.attempts = 0
        self.uncharged = 0
        self.was_sent = False
        self.stopped_by: str | None = None
        self.notes: dict[Any, Any] = {}
        self.facts: CallFacts | None = None

    @property
    def limit(self) -> str:
        """Which limit ends the call, as errors name it."""
        if self.within is not None:
            return f"{self.within:g} s, which the deadline around it had left"
        return f"{self.timeout.total:g} s (timeout.total)"

    @property
    def label(self) -> str:
        """`service.operation`, as errors and logs name it."""
        return f"{self.service}.{self.operation}"


class Attempt:
    """One try on the wire.

    `outcome` is the answer, or the error that stands for it. `held` is what policies hold for this attempt, by policy,
    until they are told to let go. `is_cut_short` is true if the call's deadline left it less than `timeout.attempt`;
    `began` is when it was sent, `allowed` what it may take, `waited` what it waited before, in seconds. `meaning` is what an error
    rule says of the answer, None where its status says it. `again` is the further attempt that is wanted so far.
    """

    __slots__ = (
        "again",
        "allowed",
        "began",
        "call",
        "held",
        "is_cut_short",
        "meaning",
        "number",
        "outcome",
        "request",
        "waited",
        "was_sent",
        "wire",
    )

    def __init__(self, call: Call, number: int) -> None:
        self.call = call
        self.number = number
        self.request = call.request
        self.outcome: Response | APIError | None = None
        self.held: dict[Any, Any] = {}
        self.is_cut_short = False
        self.allowed = 0.0
        self.began = call.started
        self.waited = 0.0
        self.meaning: Meaning | None = None
        self.again: TryAgain | Resend | None = None
        self.was_sent = False
        self.wire: WireFacts | None = None


def deadline_passed(attempt: Attempt, waiting_for: str = "") -> DeadlinePassed:
    """The error that says where the call's time went."""
    spent = f" while waiting for {waiting_for}" if waiting_for else ""
    return DeadlinePassed(f"not done within {attempt.call.limit}{spent}, in attempt {attempt.number}")
