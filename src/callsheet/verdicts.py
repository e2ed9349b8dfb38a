"""What a policy may want done. A policy only says so; the engine does it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from callsheet.errors import APIError, ResponseError
from callsheet.events import Event
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.settings.tls import TLS


class Ticket(Protocol):
    """A place in a queue: one waits for it, another grants it, from any thread."""

    @property
    def is_granted(self) -> bool:
        """Whether `grant` was called."""

    def grant(self) -> None:
        """Let the waiter go on."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Go on after so many seconds. `why` ends the sentence "the deadline passed while waiting for ..."."""

    seconds: float
    why: str


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Go on when the ticket is granted, or give up at the call's deadline; `why` may be told the time it is then."""

    ticket: Ticket
    why: str | Callable[[float], str]


@dataclass(frozen=True, slots=True)
class AnswerWith:
    """The call has its answer; nothing is sent."""

    response: Response


@dataclass(frozen=True, slots=True)
class Refuse:
    """The attempt must not be made. `by` names the policy, for `stopped_by`."""

    error: APIError
    by: str


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Make another attempt after so many seconds, on a connection of its own if `fresh`."""

    after: float
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """Send this request in the attempt instead of the one it has. Each pass and attempt begins from the call's own again."""

    request: Request


@dataclass(frozen=True, slots=True)
class Resend:
    """Send this request instead, at once, in a further attempt that is not charged to retry.

    It becomes the call's request: attempts after it begin from this one.
    """

    request: Request


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Another attempt would have been made, but `by` forbids it: the outcome stays.

    It takes back a "try again" that was wanted before it, and yields to one that is wanted after it.
    """

    by: str


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell listeners what happened, and go on. The event begins with `NO_CALL`: the engine puts in of which call it is."""

    event: Event
    then: Verdict | None = None


@dataclass(frozen=True, slots=True)
class StoreFailure:
    """Stands for a store's answer when the store could not be asked."""

    message: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Put a question to a store; `then` makes a verdict, or None, of its answer (or of a StoreFailure)."""

    store: Any
    question: Any
    then: Callable[[Any], Verdict | None]


Steps = Generator["Request | Wait", Any, "Verdict | None"]
"""An exchange of several requests, as a plain generator: `answer = yield request`; `yield Wait(...)` is a pause in it."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """Drive an exchange to its end, within `seconds`, outside the service's slots and limits; then carry out what it returns.

    Its requests to another origin than the service's go under `tls`, else the built-in one: a service's certificate, and whom
    it trusts, is its own.
    """

    steps: Steps
    seconds: float = 10.0
    tls: TLS | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """Drive an exchange that belongs to nobody's call, and go on at once with `then`."""

    steps: Steps
    seconds: float = 10.0
    tls: TLS | None = None
    then: Verdict | None = None


Verdict = Wait | WaitFor | AnswerWith | Refuse | TryAgain | Change | Resend | GiveUp | Tell | Ask | Exchange | Later


class Interpretation(NamedTuple):
    """What the error rules make of an answer: the error to raise, or None; and whether it is a failure that they ignore."""

    error: ResponseError | None
    is_ignored: bool
