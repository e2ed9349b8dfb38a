"""What the cache knows of one request of a call, and the calls that fill a key while others wait for them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from callsheet.call import Attempt, Call
from callsheet.errors import APIError, DeadlinePassed, LocalFault
from callsheet.events import NO_CALL, CacheUsed
from callsheet.http.caching.freshness import Facts
from callsheet.http.caching.keys import Asked
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.stores.base import Entry
from callsheet.verdicts import Tell, Verdict

OPTION = "cache"
"""Under which the notes of a call have what its caller wants of the cache."""
REFRESHING = "cache.refreshing"
"""Under which the notes of a call in the background have the key that it refreshes."""
LOOKUP = "cache.lookup"
"""Under which the notes of a call have the Lookup of its request."""


PATIENCE, SHARE = 0.25, 0.1
"""Seconds that a call waits for its store, and of what is left of its time: a store in trouble costs a miss, not the deadline."""


MOST_CHANGES = 1024
"""URLs of which is known when they were changed last; where there are more, all count as changed."""


def patience(call: Call, now: float) -> float:
    """Seconds that a call may wait for its store now."""
    return min(PATIENCE, (call.deadline - now) * SHARE)


@dataclass(slots=True)
class Flight:
    """One call that fills a key, and those that wait for it, oldest first.

    Once it has landed it has no leader, and at most one of: the entry that was stored, the failure that the service answered
    with, the error in place of an answer. It has none if the answer is nobody else's: then each that waited asks for itself.
    A failure is of `who` led it: another principal that waits for what all may be shown asks for itself.
    """

    key: str
    leader: Call | None
    waiters: dict[Attempt, Any] = field(default_factory=dict)
    entry: Entry | None = None
    response: Response | None = None
    error: APIError | None = None
    who: tuple[str, str] | None = None


@dataclass(slots=True)
class Lookup:
    """What is known of one request: its keys, the stored answer, why the service is asked, whose flight it is in.

    `why` is a word of RFC 9211, `detail` says more. `conditional` is the request by which the service is asked if the stored
    answer is still good, `merged` that answer once the service said so. `attempt` is the last one that has an outcome, and
    `stored` what that was stored as. It
    `waits` for its flight; `is_alone` after that: it waits for no other. `landings` are those before it looked into the store,
    `changes` those before its last attempt.
    """

    request: Request
    asked: Asked
    patience: float
    principal: str | None = None
    key: str = ""
    shared_key: str = ""
    why: str = "bypass"
    detail: str = ""
    entry: Entry | None = None
    facts: Facts | None = None
    conditional: Request | None = None
    merged: Entry | None = None
    attempt: Attempt | None = None
    stored: Entry | None = None
    flight: Flight | None = None
    waits: bool = False
    is_alone: bool = False
    landings: int = 0
    changes: int = 0

    @property
    def who(self) -> tuple[str, str] | None:
        """Who asks; None where that is not known, and so nobody else can be the same."""
        return None if self.principal is None else (self.principal, self.asked.proofs)


class CacheState:
    """What the calls of a service share beside the store: the key for its hashes, the flights, and what is counted."""

    def __init__(self) -> None:
        self.hash_key: bytes | None = None
        self.forget()

    def forget(self) -> None:
        """Begin anew in a forked child: the calls under way are the parent's."""
        self.lock = threading.Lock()
        self.flights: dict[str, Flight] = {}
        self.refreshing: set[str] = set()
        self.requests = self.network = self.hits = self.landings = 0
        self.changes = self._changes_of_others = 0
        self._changes: dict[str, int] = {}

    def changed(self, tag: str | None = None) -> None:
        """Note that what is stored of a URL, or all of it, was dropped: what is on its way may be as it was before."""
        with self.lock:
            self.changes += 1
            if tag is None or len(self._changes) >= MOST_CHANGES:
                self._changes_of_others = self.changes
                self._changes.clear()
            if tag is not None:
                self._changes[tag] = self.changes

    def has_changed(self, tag: str, since: int) -> bool:
        """Whether what is stored of a URL was dropped after so many changes."""
        return self._changes.get(tag, self._changes_of_others) > since

    def join(self, key: str, attempt: Attempt) -> tuple[Flight, Any]:
        """The flight of a key, and the ticket to wait for it; None for the call that leads it."""
        with self.lock:
            flight = self.flights.get(key)
            if flight is None:
                flight = self.flights[key] = Flight(key, attempt.call)
                return flight, None
            ticket = flight.waiters[attempt] = attempt.call.new_ticket()
            return flight, ticket

    def land(self, flight: Flight) -> None:
        """End a flight with nothing to share: each that waits asks for itself."""
        with self.lock:
            self._land(flight)

    def end(self, flight: Flight, lookup: Lookup) -> None:
        """End a flight by the last attempt of its leader; by none that others could share, the oldest waiter leads it."""
        attempt = lookup.attempt
        outcome = attempt.outcome if attempt is not None and attempt.again is None else None
        with self.lock:
            flight.who = lookup.who
            if isinstance(outcome, Response) and lookup.stored is not None:
                flight.entry = lookup.stored
            elif isinstance(outcome, Response):
                flight.response = outcome if attempt is not None and _is_failure(outcome, attempt) else None
            elif isinstance(outcome, APIError) and attempt is not None and _meets_others(outcome, attempt):
                flight.error = outcome
            elif flight.waiters:
                heir = next(iter(flight.waiters))
                flight.leader = heir.call
                flight.waiters.pop(heir).grant()
                return
            self._land(flight)

    def _land(self, flight: Flight) -> None:
        flight.leader = None
        self.landings += 1
        self.flights.pop(flight.key, None)
        for ticket in flight.waiters.values():
            ticket.grant()


def _is_failure(answer: Response, attempt: Attempt) -> bool:
    """Whether others may be shown an answer that was not stored: the service would fail them, too."""
    return (answer.status_code >= 400 or attempt.meaning is not None) and not is_broken(answer)


def _meets_others(error: APIError, attempt: Attempt) -> bool:
    """Whether an error is the service's, and comes neither of the call's own time nor of this machine."""
    return not attempt.is_cut_short and not isinstance(error, LocalFault | DeadlinePassed)


def is_broken(answer: Response) -> bool:
    """Whether the codings of an answer could not be undone."""
    return bool(answer.left_coded) or getattr(answer, "undone", None) is not None


def told(did: str, why: str, request: Request, then: Verdict | None = None) -> Tell:
    """Tell listeners what the cache did, and go on."""
    return Tell(CacheUsed(*NO_CALL, request.url, did, why), then)
