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
    """One try on the wire is over. `status` is None where no answer came; then `error` names the exception's class."""

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


class CallEnded(NamedTuple):
    """One call is over. `error` names the exception's class; `message` is redacted; `stopped_by` names the policy that
    refused a further attempt.
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


class StoreFailed(NamedTuple):
    """A store could not be asked; the call went on without it."""

    service: str
    operation: str
    store: str
    message: str


Event = AttemptEnded | CallEnded | StoreFailed
Listener = Callable[[Event], None]
