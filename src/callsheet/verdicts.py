"""The verdicts: what a policy tells the engine to do. A policy does none of it itself."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from callsheet.errors import APIError, ResponseError
from callsheet.events import Event
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.settings.tls import TLS


class Ticket(Protocol):
    """A place in a queue: an attempt waits for it, and another thread or task grants it."""

    @property
    def is_granted(self) -> bool:
        """Whether `grant` was called."""

    def grant(self) -> None:
        """Let the attempt that waits go on."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait `seconds`, then go on. `why` ends the sentence "the deadline passed while waiting for ...".

    `then` makes a further verdict of the time after the wait, before other policies are asked.
    """

    seconds: float
    why: str
    then: Callable[[float], Verdict | None] | None = None


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Wait until the ticket is granted, or the call's deadline passes.

    `why` says what for, as in `Wait`; a function is given the time when the deadline passed. With `looks_again` the
    policies are asked from the top at once after it, those below only then: they hold nothing meanwhile.
    """

    ticket: Ticket
    why: str | Callable[[float], str]
    looks_again: bool = False


@dataclass(frozen=True, slots=True)
class AnswerWith:
    """Send nothing: this is the answer of the call."""

    response: Response


@dataclass(frozen=True, slots=True)
class Refuse:
    """Do not make the attempt, and end it with `error`. `by` names the policy, for `stopped_by`."""

    error: APIError
    by: str


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Make another attempt in `after` seconds, on a new connection if `fresh`."""

    after: float
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """Send this request in the attempt instead. Each further pass and attempt begins with the call's own request again."""

    request: Request


@dataclass(frozen=True, slots=True)
class Resend:
    """Send this request instead, at once, in a further attempt that is not charged to retry.

    It becomes the call's request: attempts after it begin from this one.
    """

    request: Request


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Make no further attempt, though one is due, because `by` forbids it: the outcome stays.

    It cancels the `TryAgain` of a policy asked before; a policy asked later may still want another attempt.
    """

    by: str


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell listeners what happened, and go on. The event begins with `NO_CALL`, which the engine replaces by the call's facts."""

    event: Event
    then: Verdict | None = None


@dataclass(frozen=True, slots=True)
class StoreFailure:
    """Takes the place of a store's answer if the store could not be asked; `message` says why."""

    message: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask a store a question. `then` makes a verdict, or None, of the store's answer or of a StoreFailure.

    `within` is how many seconds the call may wait for the answer, None: as long as its deadline allows.
    """

    store: Any
    question: Any
    then: Callable[[Any], Verdict | None]
    within: float | None = None


Steps = Generator["Request | Wait", Any, "Verdict | None"]
"""A generator that has several requests sent, one by one: `answer = yield request`; `yield Wait(...)` pauses it."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Send the requests of `steps`, within `seconds`, outside the service's slots and limits; then do what `steps` returns.

    Requests to another origin are sent with `tls`, or with the built-in settings if it is None: the service's certificate
    and trusted authorities are meant for the service alone.
    """

    steps: Steps
    seconds: float = 10.0
    tls: TLS | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """Have the requests of `steps` sent in the background, where no call waits for them, and go on at once with `then`."""

    steps: Steps
    seconds: float = 10.0
    tls: TLS | None = None
    then: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Begin:
    """Begin another call in the background, of the same plan and under all its policies, and go on at once with `then`.

    It sends `request`, has the settings' own time, and begins with these `notes`. Its outcome is told to nobody but the policies
    and listeners. `close` ends it.
    """

    request: Request
    notes: Mapping[Any, Any]
    then: Verdict | None = None


Verdict = (
    Wait | WaitFor | AnswerWith | Refuse | TryAgain | Change | Resend | GiveUp | Tell | Ask | Exchange | Later | Begin
)


class Interpretation(NamedTuple):
    """What the error rules make of an answer: the error to raise, if any, and whether it is a failure that a rule ignores."""

    error: ResponseError | None
    is_ignored: bool
