"""What happened, as frozen records. Whoever listens gets them after the fact and cannot change it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class WireFacts(NamedTuple):
    """What the transport measured of one attempt: seconds since its start, at which each phase was over; 0.0 where a
    kept connection had no such phase.
    """

    resolved: float = 0.0
    connected: float = 0.0
    secured: float = 0.0
    sent: float = 0.0
    first_byte: float = 0.0
    total: float = 0.0
    address: str = ""
    port: int = 0
    new_connections: int = 0
    http_version: str = ""


class AttemptEnded(NamedTuple):
    """One try on the wire is over. `status` is None where no answer came; then `error` names the exception's class.

    `waited` is how long it waited for a turn, a slot or a token before it was sent, `elapsed` how long it took after that,
    `pause` how long until the next one, in seconds; None where there is none. `meaning` is what an error rule or the
    envelope says of the answer: `failed`, `transient`, `rate_limited`, `unauthorized` or `ignored`.
    """

    service: str
    operation: str
    method: str
    url: str
    number: int
    status: int | None
    error: str | None
    was_sent: bool
    elapsed: float
    pause: float | None
    wire: WireFacts
    waited: float = 0.0
    meaning: str | None = None


class CallEnded(NamedTuple):
    """One call is over. `error` names the exception's class; `message` is redacted; `stopped_by` names the policy that
    refused a further attempt. `fell_back`: whether the caller got the fallback in place of the error.
    """

    service: str
    operation: str
    method: str
    url: str
    status: int | None
    error: str | None
    message: str | None
    attempts: int
    elapsed: float
    stopped_by: str | None
    fell_back: bool = False


class StoreFailed(NamedTuple):
    """A store could not be asked; the call went on without it."""

    service: str
    operation: str
    store: str
    message: str


class BreakerChanged(NamedTuple):
    """A circuit breaker is `open`, `half-open` or `closed` now; `operation` is the one whose attempt brought it about.

    `failures` of the `samples` attempts in its window failed; it stays open for `seconds`.
    """

    service: str
    operation: str
    state: str
    failures: int
    samples: int
    seconds: float


class LimitLearned(NamedTuple):
    """A service said how much more it takes: `remaining` units in the next `seconds`; `status` is the answer's."""

    service: str
    operation: str
    remaining: int
    seconds: float
    status: int


class TokenFetched(NamedTuple):
    """A token endpoint was asked for a token; `url` is its address, without its query.

    `error` is None where it gave one; else it says what went wrong, secrets masked. `requests` were sent to it, `elapsed`
    seconds it took; the token serves for `lifetime` seconds, inf where the answer does not say.
    """

    service: str
    url: str
    error: str | None
    requests: int
    elapsed: float
    lifetime: float


Event = AttemptEnded | CallEnded | StoreFailed | BreakerChanged | LimitLearned | TokenFetched
"""Any of the events: what a listener is called with."""
Listener = Callable[[Event], None]
"""A function that is called with each event, in the thread or task that it happens in, so it must be quick. If it raises,
that is logged once, and the call goes on.
"""
