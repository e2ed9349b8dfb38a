"""A call and its attempts: the state that the engine keeps and the policies read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
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
    from callsheet.verdicts import Begin, Resend, Ticket, TryAgain

Meaning = Literal["rate_limited", "transient", "unauthorized", "failed", "ignored"]
"""What an answer means by an error rule, whatever its status."""
SHORTEST = 0.001
"""Seconds below which no attempt is made: in less time none succeeds."""


class Limits(NamedTuple):
    """How long one attempt may take on the wire, in seconds from its start, and how large its answer may be (`caps`).

    `connect` bounds name lookup, TCP and TLS; `read` the longest silence, None if `attempt` is shorter; `attempt` the time
    to the end of the answer, or of its headers if it is streamed; `whole` the time to the last byte of a stream, None if
    nothing does. `fresh` asks for a new connection. `wants_facts`: whether a listener or a policy wants what the transport measures.
    """

    connect: float
    read: float | None
    attempt: float
    fresh: bool = False
    whole: float | None = None
    caps: Caps = Caps()
    wants_facts: bool = False


@dataclass(slots=True, eq=False, repr=False)
class Call:
    """One request of the user, with all the attempts that are made for it.

    Times are readings of one clock, in seconds. The call must end at `deadline`. `new_ticket` makes a ticket for threads or
    for tasks. `bounds_stream`: whether the total also bounds the body of a transfer. Of the `attempts`, `uncharged` do not
    count for retry. In `notes` a policy keeps what it must remember from one attempt to the next. `arguments` are those of
    a declared operation, by name. `timeout` are the limits that this caller chose, `granted` those of the settings (None:
    the same). `around` is when a deadline around the call passes; `within` is the time left until then, if the total
    would end later. `facts` are the fields common to the call's events, None until the first event is made. `beside` is another call that
    is to begin in the background once this one has its answer.
    """

    request: Request
    timeout: Timeout
    started: float
    new_ticket: Callable[[], Ticket]
    _: KW_ONLY
    service: str = ""
    operation: str = ""
    is_repeatable: bool = False
    bounds_stream: bool = False
    arguments: Mapping[str, Any] = field(default_factory=dict)
    idempotency_key: str | None = None
    granted: Timeout | None = None
    deadline: float = field(init=False)
    around: float = field(init=False)
    within: float | None = None
    attempts: int = 0
    uncharged: int = 0
    was_sent: bool = False
    stopped_by: str | None = None
    notes: dict[Any, Any] = field(default_factory=dict)
    facts: CallFacts | None = None
    beside: Begin | None = None

    def __post_init__(self) -> None:
        self.granted = self.granted or self.timeout
        self.deadline = self.started + self.timeout.total
        around = self.around = ambient.until.get()
        if around < self.deadline:
            self.deadline, self.within = around, max(0.0, around - self.started)
            self.bounds_stream = True

    @property
    def limit(self) -> str:
        """The limit that ends the call, in the words of an error."""
        if self.within is not None:
            return f"{self.within:g} s, which the deadline around it had left"
        return f"{self.timeout.total:g} s (timeout.total)"

    @property
    def label(self) -> str:
        """`service.operation`, as errors and logs name it."""
        return f"{self.service}.{self.operation}"


@dataclass(slots=True, eq=False, repr=False)
class Attempt:
    """One try on the wire.

    `outcome` is the answer, or the error if there is none. `held` is what policies took for this attempt, by policy, until
    they are told to let go. `is_cut_short` is true if the call's deadline left it less than `timeout.attempt`. It was sent at
    `began`, may take `allowed` seconds, and waited `waited` seconds before. `meaning` is that of the answer by an error rule,
    None if its status decides. `again` is the further attempt that the policies asked so far want.
    """

    call: Call
    number: int
    request: Request = field(init=False)
    outcome: Response | APIError | None = None
    held: dict[Any, Any] = field(default_factory=dict)
    is_cut_short: bool = False
    allowed: float = 0.0
    began: float = field(init=False)
    waited: float = 0.0
    meaning: Meaning | None = None
    again: TryAgain | Resend | None = None
    was_sent: bool = False
    wire: WireFacts | None = None

    def __post_init__(self) -> None:
        self.request = self.call.request
        self.began = self.call.started


def deadline_passed(attempt: Attempt, waiting_for: str = "") -> DeadlinePassed:
    """The error of a call whose deadline passed in this attempt, with what it was waiting for."""
    spent = f" while waiting for {waiting_for}" if waiting_for else ""
    return DeadlinePassed(f"not done within {attempt.call.limit}{spent}, in attempt {attempt.number}")
