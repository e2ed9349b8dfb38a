"""What happened, as frozen records: a listener gets each one afterwards, and cannot change it.

Every event begins with the six fields of `CallFacts`. They are the same in all events of one call, whatever becomes of it,
so that a listener can put together what belongs together:

| field | |
| --- | --- |
| `id` | 16 hex digits, random for each call: no other call has them, in this process or another |
| `service`, `operation` | their names on the sheet; an undeclared request has its method as operation, in small letters |
| `method` | the operation's HTTP method |
| `template` | the operation's path as declared, `/users/{id}`; "" for an undeclared request, whose path is no declaration |
| `began` | when the call began, as a Unix timestamp; seconds elsewhere (`elapsed`, `sent_after`) count from a clock that is never set back |

An event that is not of one call has "" as `id`, `method` and `template`: a token that was fetched, which any number of calls may
wait for, and a breaker that was forced by hand. Its `began` is the time when what it tells of began.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple, get_args

from callsheet.errors import UsageError


class CallFacts(NamedTuple):
    """What every event begins with: which call it is of, and when that began."""

    id: str
    service: str
    operation: str
    method: str
    template: str
    began: float


NO_CALL = CallFacts("", "", "", "", "", 0.0)
"""Stands in an event that a policy makes, until the engine puts the facts of the call in its place."""


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


class CallBegan(NamedTuple):
    """A call has begun, and nothing was decided or sent yet. It is told only to listeners that ask for it (`wants`).

    Exactly one CallEnded with the same `id` follows, also where nothing is sent.
    """

    id: str
    service: str
    operation: str
    method: str
    template: str
    began: float
    url: str


class AttemptBegan(NamedTuple):
    """An attempt is about to be sent. It is told only to listeners that ask for it (`wants`).

    `request_method` and `url` are those of the request; after a redirect they differ from the call's. `sent_after` is
    how many seconds after the call began it is sent, `waited` how many of them it waited for a turn, a slot or a token.
    An AttemptEnded follows, unless the attempt is interrupted or the transport raises what is no APIError: then the call's CallEnded
    is next.
    """

    id: str
    service: str
    operation: str
    method: str
    template: str
    began: float
    request_method: str
    url: str
    number: int
    sent_after: float
    waited: float


class AttemptEnded(NamedTuple):
    """One attempt is over. `status` is None where no answer came; then `error` names the exception's class.

    `request_method`, `url`, `sent_after` and `waited` are as in AttemptBegan. `elapsed` is how long it took after it was sent,
    `pause` how long until the next one, in seconds; None where there is none. `meaning` is what an error rule or the
    envelope says of the answer: `failed`, `transient`, `rate_limited`, `unauthorized` or `ignored`.
    """

    id: str
    service: str
    operation: str
    method: str
    template: str
    began: float
    request_method: str
    url: str
    number: int
    sent_after: float
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
    refused a further attempt. `request_method` and `url` are those of its last request, after any redirect. `fell_back`:
    whether the caller got the fallback in place of the error.
    """

    id: str
    service: str
    operation: str
    method: str
    template: str
    began: float
    request_method: str
    url: str
    status: int | None
    error: str | None
    message: str | None
    attempts: int
    elapsed: float
    stopped_by: str | None
    fell_back: bool = False


class StoreFailed(NamedTuple):
    """A store could not be asked; the call went on without it.

    `is_resting`: it was not even tried, because it failed a moment ago, which an earlier event has told.
    """

    id: str
    service: str
    operation: str
    method: str
    template: str
    began: float
    store: str
    message: str
    is_resting: bool = False


class BreakerChanged(NamedTuple):
    """A circuit breaker is `open`, `half-open` or `closed` now, or was forced by hand (`forced-open`, `forced-closed`,
    `closed`); the event is of the call whose attempt brought it about.

    `failures` of the `samples` attempts in its window failed; it stays open for `seconds`.
    """

    id: str
    service: str
    operation: str
    method: str
    template: str
    began: float
    state: str
    failures: int
    samples: int
    seconds: float


class LimitLearned(NamedTuple):
    """A service said how much more it takes: `remaining` units in the next `seconds`; `status` is the answer's."""

    id: str
    service: str
    operation: str
    method: str
    template: str
    began: float
    remaining: int
    seconds: float
    status: int


class TokenFetched(NamedTuple):
    """A token endpoint was asked for a token; `url` is its address, without its query. It is an event of no call.

    `error` is None where it gave one; else it says what went wrong, secrets masked. `requests` were sent to it, `elapsed`
    seconds it took; the token serves for `lifetime` seconds, inf where the answer does not say.
    """

    id: str
    service: str
    operation: str
    method: str
    template: str
    began: float
    url: str
    error: str | None
    requests: int
    elapsed: float
    lifetime: float


class CacheUsed(NamedTuple):
    """What the cache did for a call, and `why`: `did` is `hit`, `stale`, `miss`, `stored`, `revalidated` or `not stored`.

    A call that is not answered from the cache has a `miss`, and then one of the last three for each answer that came.
    """

    id: str
    service: str
    operation: str
    method: str
    template: str
    began: float
    url: str
    did: str
    why: str


Event = (
    CallBegan
    | AttemptBegan
    | AttemptEnded
    | CallEnded
    | StoreFailed
    | BreakerChanged
    | LimitLearned
    | TokenFetched
    | CacheUsed
)
"""Any of the events: what a listener is called with."""
Listener = Callable[[Event], None]
"""A function that is called with each event but CallBegan and AttemptBegan. With an attribute `wants`, a collection of event
types, it is called with events of those types only. It runs in the thread or task in which the
event happens, so it must be quick. If it raises, that is logged once, and the call goes on.
"""
KINDS: tuple[type[Event], ...] = get_args(Event)
UNASKED = tuple(kind for kind in KINDS if kind not in (CallBegan, AttemptBegan))
"""What a listener without `wants` is told: not the two events that few need, and that would cost every call."""


def by_event(listeners: Iterable[Listener]) -> Mapping[type[Event], tuple[Listener, ...]]:
    """Which listeners are told of which event, in their order: a listener with `wants` only of those.

    Raises UsageError for a `wants` that is not a collection of event types.
    """
    wanted = [(listener, _wants(listener)) for listener in listeners]
    return {kind: tuple(listener for listener, wants in wanted if kind in wants) for kind in KINDS}


def _wants(listener: Listener) -> Collection[type[Event]]:
    # Looked up statically first: a mock has any attribute that it is asked for.
    if inspect.getattr_static(getattr(listener, "__func__", listener), "wants", None) is None:
        return UNASKED
    wants: Any = getattr(listener, "wants", None)
    if isinstance(wants, Collection) and all(kind in KINDS for kind in wants):
        return wants
    raise UsageError(
        f"listener {listener!r}: wants: expected event types, as in (CallBegan, CallEnded), found {wants!r}"
    )
