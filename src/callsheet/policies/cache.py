"""Answer from the store where the rules of HTTP caching, or a time to live, allow it; have one call at a time fill a key.

Theory of operation. `Cache` is asked before every attempt. For the first attempt of a request it looks the request up, and
answers, or notes in a `Lookup` what the store has and lets the attempt go on. One call per key and process does so: it leads a
`Flight`, and others that miss the same key wait for its end, within their own deadlines. The leader publishes what it stored,
or the failure that its call ended with. A leader that is cancelled or runs out of its own time makes the oldest waiter leader.
`Cache` is told first of an answer: a 304 becomes the stored answer, before anybody judges it. `CacheStore` is told after the
error rules, and stores. RFC 9111 as a private cache, RFC 5861, RFC 8246; the rules themselves are in `http/caching/`.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urljoin

from callsheet.auth.constant import constant_credential
from callsheet.auth.principal import principal_of
from callsheet.call import Attempt, Call
from callsheet.errors import APIError, BreakerOpen, DeadlinePassed, LimitReached, LocalFault, NoAnswer, NotSent, ResponseError
from callsheet.events import NO_CALL, CacheUsed
from callsheet.http.caching import cache_status
from callsheet.http.caching.dates import http_date
from callsheet.http.caching.fields import first, freshened, storable_fields, values
from callsheet.http.caching.freshness import Facts, facts_of
from callsheet.http.caching.keys import PARTED, Asked, argument_text, asked_of, body_text, mac, varied
from callsheet.http.caching.reuse import (
    FAILURES,
    Use,
    Windows,
    is_met,
    may_serve_error,
    use_of,
    why_not_stored,
    window,
)
from callsheet.http.headers import Headers
from callsheet.http.request import Request, origin_of
from callsheet.http.response import Response
from callsheet.policies.scope import Own, Scope
from callsheet.settings.cache import Cache as CacheSettings
from callsheet.settings.settings import Settings
from callsheet.stores.base import Drop, Entry, Find, Keep, Secret
from callsheet.verdicts import AnswerWith, Ask, Begin, Change, Refuse, StoreFailure, Tell, Verdict, WaitFor

OPTION = "cache"
"""Under which the notes of a call have what its caller wants of the cache."""
REFRESHING = "cache.refreshing"
"""Under which the notes of a call in the background have the key that it refreshes."""
LOOKUP = "cache.lookup"
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that only read (RFC 9110 9.2.1)."""
KEPT_FOR_VALIDATION = 7 * 86400.0
"""Seconds for which a stale answer that has a validator is kept: asking for it anew costs no body."""
MOST_REFRESHES = 16
"""Calls in the background at once; where more would be needed, stale answers are served and nothing is fetched."""
MOST_FACTS = 1024
TOO_MANY = 429


class Flight:
    """One call that fills a key, and those that wait for it, oldest first."""

    __slots__ = ("entry", "error", "leader", "response", "waiters")

    def __init__(self, leader: Call) -> None:
        self.leader: Call | None = leader
        self.waiters: dict[Attempt, Any] = {}
        self.entry: Entry | None = None
        self.response: Response | None = None
        self.error: APIError | None = None


class Lookup:
    """What is known of one request of a call: its keys, the stored answer, why the service is asked, whose flight it is in."""

    __slots__ = (
        "asked", "attempt", "conditional", "detail", "entry", "facts", "flight", "is_alone", "key", "merged", "request",
        "shared_key", "use", "waits", "why",
    )  # fmt: skip

    def __init__(self, request: Request) -> None:
        self.request = request
        self.key = self.shared_key = ""
        self.asked: Asked | None = None
        self.entry: Entry | None = None
        self.facts: Facts | None = None
        self.use: Use | None = None
        self.why, self.detail = "bypass", ""
        self.flight: Flight | None = None
        self.waits = self.is_alone = False
        self.conditional: Request | None = None
        self.merged: Entry | None = None
        self.attempt: Attempt | None = None


class CacheState:
    """What the calls of a service share beside the store: its key for hashes, the flights, and what is counted."""

    def __init__(self) -> None:
        self.secret: bytes | None = None
        self.forget()

    def forget(self) -> None:
        """Begin anew in a forked child: the calls under way are the parent's."""
        self.lock = threading.Lock()
        self.flights: dict[str, Flight] = {}
        self.refreshing: set[str] = set()
        self.requests = self.network = self.hits = 0


class Cache:
    """Answer a request from the store; else let one call fetch the answer, with the conditions by which it may be a 304."""

    name = "cache"

    def __init__(self, chosen: CacheSettings, settings: Settings, scope: Scope, own: Own, jar: Any) -> None:
        self.chosen = chosen
        self.store = scope.cache
        self.state = scope.one(("cache",), CacheState)
        self.wall = scope.wall_clock
        self.service = scope.service
        self.principal = principal_of(settings)
        self.windows = Windows(chosen.stale_while_revalidate, chosen.stale_if_error)
        self.follows = settings.redirects is not None
        self.methods = _methods(chosen, own)
        self._jar = jar
        self._constant = frozenset({*settings.headers.items(), *constant_credential(settings.auth).headers})
        self._asked: tuple[Headers, Asked] | None = None
        self._facts: dict[Any, Facts] = {}

    def before(self, attempt: Attempt, now: float) -> Verdict | None:
        """The answer, if the store has it; else what has to be waited for, or how the request changes."""
        call = attempt.call
        lookup: Lookup | None = call.notes.get(LOOKUP)
        if lookup is None or lookup.request is not call.request:
            self.ended(call)  # of the request before a redirect
            lookup = call.notes[LOOKUP] = Lookup(call.request)
            self.state.requests += 1
            return self._begin(attempt, lookup)
        return self._awake(attempt, lookup) if lookup.waits else _sent_as(lookup)

    def after(self, attempt: Attempt, now: float) -> AnswerWith | None:
        """The stored answer in place of a 304 (RFC 9111 4.3.4)."""
        lookup: Lookup | None = attempt.call.notes.get(LOOKUP)
        if lookup is None or lookup.conditional is None or not isinstance(attempt.outcome, Response):
            return None
        entry, answer = lookup.entry, attempt.outcome
        if entry is None or answer.status_code != 304:
            return None
        fields = freshened(entry.fields, _stored_fields(answer))
        wall = self.wall()
        asked = wall - (now - attempt.began)
        lookup.merged = self._timed(replace(entry, fields=fields, asked=asked, answered=wall))
        made = self.answer(lookup.merged, attempt.request, wall)
        return AnswerWith(made)

    def let_go(self, attempt: Attempt, sent: bool) -> None:  # noqa: FBT001 the questions are asked by position
        """Wait no longer for another call."""
        lookup: Lookup | None = attempt.call.notes.get(LOOKUP)
        if lookup is not None and lookup.flight is not None:
            lookup.flight.waiters.pop(attempt, None)

    def ended(self, call: Call) -> None:
        """End the flight that the call leads: tell the others how it ended, or have one of them lead it."""
        refreshed = call.notes.get(REFRESHING)
        if refreshed is not None:
            self.state.refreshing.discard(refreshed)
        lookup: Lookup | None = call.notes.get(LOOKUP)
        flight = lookup.flight if lookup is not None else None
        if lookup is None or flight is None or flight.leader is not call:
            return
        attempt = lookup.attempt
        with self.state.lock:
            outcome = attempt.outcome if attempt is not None and attempt.again is None else None
            if isinstance(outcome, Response):
                is_failure = outcome.status_code >= 400 or (attempt is not None and attempt.meaning is not None)
                flight.response = outcome if is_failure and not _is_broken(outcome) else None
            elif isinstance(outcome, APIError) and attempt is not None and _is_the_services(outcome, attempt):
                flight.error = outcome
            else:
                self._hand_over(flight, lookup)
                return
            self._land(flight, lookup)

    def instead(self, call: Call, error: APIError) -> Tell | None:
        """The stored answer in place of an error that the call would raise, where it may serve that long (RFC 5861 4)."""
        lookup: Lookup | None = call.notes.get(LOOKUP)
        if lookup is None or lookup.entry is None or lookup.facts is None or not _may_pass(error, lookup):
            return None
        wall = self.wall()
        if not may_serve_error(lookup.facts, self.windows, _age(lookup.entry, lookup.facts, wall)):
            return None
        made = self.answer(lookup.entry, lookup.request, wall)
        made.cache_status = cache_status.hit(lookup.facts.lifetime - _age(lookup.entry, lookup.facts, wall))
        self.state.hits += 1
        return _tell("stale", f"in place of {type(error).__name__}", lookup.request, AnswerWith(made))

    def publish(self, lookup: Lookup, entry: Entry) -> None:
        """Give what was stored to those that wait for it."""
        with self.state.lock:
            if lookup.flight is not None and lookup.flight.leader is not None and not lookup.waits:
                lookup.flight.entry = entry
                self._land(lookup.flight, lookup)

    def answer(self, entry: Entry, request: Request, wall: float) -> Response:
        """The answer that an entry stands for, with its age (RFC 9111 4)."""
        age = max(0, int(_age(entry, self.facts(entry), wall)))
        fields = tuple(field for field in entry.fields if field[0].lower() != "age")
        made = Response(
            entry.status,
            request=request,
            headers=Headers((*fields, ("Age", str(age)))),
            content=b"" if request.method == "HEAD" else entry.body,
            reason_phrase=entry.reason,
        )
        made.from_cache = True
        made.undone = None
        return made

    def facts(self, entry: Entry) -> Facts:
        """What the entry says of its own storing; in mode `ttl` the settings say for how long it serves."""
        known = (entry.key, entry.vary, entry.answered)
        facts = self._facts.get(known)
        if facts is None:
            facts = facts_of(entry.status, entry.fields, entry.asked, entry.answered)
            if self.chosen.ttl is not None:
                facts = facts._replace(said={}, lifetime=self.chosen.ttl, is_guessed=False, age=0.0)
            if len(self._facts) >= MOST_FACTS:
                self._facts.clear()
            self._facts[known] = facts
        return facts

    def asked(self, headers: Headers) -> Asked:
        """What the fields of a request say to a cache; most calls of a plan have the same ones."""
        last = self._asked
        if last is None or last[0] is not headers:
            last = self._asked = (headers, asked_of(headers, self._constant))
        return last[1]

    def tag(self, url: str, *, shared: bool, proofs: str) -> str:
        """By which everything that is stored of a URL is dropped."""
        assert self.state.secret is not None
        who = "" if shared else f"{self.principal}{PARTED}{proofs}"
        return mac(self.state.secret, "tag", self.service, who, url.partition("#")[0])

    def _begin(self, attempt: Attempt, lookup: Lookup) -> Verdict | None:
        call, request = attempt.call, lookup.request
        option = call.notes.get(OPTION)
        lookup.asked = asked = self.asked(request.headers)
        if request.method not in self.methods:
            lookup.why, lookup.detail = "method", f"an answer to {request.method}"
        elif request.is_transfer:
            lookup.detail = "a stream" if request.is_stream else "an upload"
        elif option == "off":
            lookup.detail = "cache=off"
        elif self.principal is None and not self.chosen.shared:
            lookup.detail = "auth: python says not whose answer it is (identity)"
        elif self._jar is not None and self._jar.holds_any:
            lookup.detail = "the jar holds cookies"
        elif asked.bypasses:
            lookup.detail = f"the request has {asked.bypasses}"
        elif self.state.secret is None:
            return Ask(self.store, Secret(), partial(self._keyed, attempt, lookup))
        else:
            return self._look(attempt, lookup, self.state.secret)
        return None

    def _keyed(self, attempt: Attempt, lookup: Lookup, got: Any) -> Verdict | None:
        if isinstance(got, StoreFailure):
            lookup.detail = "the store could not be asked"
            return None
        self.state.secret = got
        return self._look(attempt, lookup, got)

    def _look(self, attempt: Attempt, lookup: Lookup, secret: bytes) -> Verdict | None:
        asked, chosen = lookup.asked, self.chosen
        assert asked is not None
        parts = self._parts(attempt.call, lookup.request, asked)
        if chosen.shared:
            lookup.shared_key = mac(secret, "all", *parts)
        if self.principal is not None and not (chosen.shared and chosen.mode == "ttl"):
            lookup.key = mac(secret, "own", self.principal, asked.proofs, *parts)
        if attempt.call.notes.get(OPTION) == "refresh":
            lookup.why = "request"
            return None
        return Ask(self.store, Find(lookup.key or lookup.shared_key), partial(self._found, attempt, lookup))

    def _parts(self, call: Call, request: Request, asked: Asked) -> list[str]:
        """What an answer depends on beside the principal."""
        chosen = self.chosen
        method = "GET" if request.method == "HEAD" else request.method
        parts = [self.service, chosen.mode, method, request.wire_url.partition("#")[0]]
        if chosen.vary_on is not None:
            headers = request.headers
            for name in chosen.vary_on:
                is_argument = name in call.arguments and not headers.has(name.lower())
                text = argument_text(call.arguments, name) if is_argument else ", ".join(_texts(headers, name))
                parts += (name, text)
        elif chosen.mode == "ttl":
            parts.append(asked.rest)
        if request.method not in SAFE or request.body is not None:
            parts.append(body_text(request))
        return parts

    def _found(self, attempt: Attempt, lookup: Lookup, got: Any, why: str = "uri-miss") -> Verdict | None:
        entries: tuple[Entry, ...] = () if isinstance(got, StoreFailure) else got
        entry = self._variant(entries, lookup.request)
        if entries and entry is None:
            why = "vary-miss"
        if entry is None and lookup.key and lookup.shared_key and why != "shared":
            again = partial(self._found, attempt, lookup, why="shared")
            return Ask(self.store, Find(lookup.shared_key), again) if again.keywords["why"] != why else None
        if entry is None or (self.follows and 300 <= entry.status < 400):
            return self._go(attempt, lookup, "uri-miss" if why == "shared" else why)
        return self._judge(attempt, lookup, entry)

    def _variant(self, entries: tuple[Entry, ...], request: Request) -> Entry | None:
        """The newest of the stored answers whose varied fields are those of the request (RFC 9111 4.1)."""
        secret = self.state.secret
        assert secret is not None
        fitting = [
            entry
            for entry in entries
            if not entry.vary or entry.vary == varied(secret, tuple(name for name, _ in entry.vary), request)
        ]
        return max(fitting, key=lambda entry: entry.answered, default=None)

    def _judge(self, attempt: Attempt, lookup: Lookup, entry: Entry, *, collapsed: bool = False) -> Verdict | None:
        """Serve the stored answer, or go on to ask the service if it is still good."""
        asked = lookup.asked
        assert asked is not None
        wall, call = self.wall(), attempt.call
        facts = self.facts(entry)
        use = use_of(facts, asked.wishes, self.windows, _age(entry, facts, wall))
        lookup.entry, lookup.facts = entry, facts
        if use.how == "ask" or REFRESHING in call.notes:
            return self._go(attempt, lookup, use.why or "stale")
        made = self.answer(entry, lookup.request, wall)
        made.cache_status = cache_status.hit(use.left)
        if collapsed:
            made.cache_status = cache_status.forwarded("uri-miss", collapsed=True)
        if asked.conditions:
            made = self._if_changed(made, entry)
        self.state.hits += 1
        if use.how == "fresh":
            return _tell("hit", f"fresh for {use.left:.0f} s", lookup.request, AnswerWith(made))
        served = _tell("stale", f"for {-use.left:.0f} s", lookup.request, AnswerWith(made))
        return self._refreshing(attempt, lookup, served) if use.how == "revalidate" else served

    def _if_changed(self, made: Response, entry: Entry) -> Response:
        """A 304 if the caller's own copy is still good (RFC 9111 4.3.2)."""
        fields = made._sent.headers  # noqa: SLF001 - the request itself; `request` is its redacted copy
        since = http_date(fields.get("If-Modified-Since") or "")
        changed = http_date(first(entry.fields, "last-modified") or first(entry.fields, "date") or "")
        if not is_met(fields.get_list("If-None-Match"), since, first(entry.fields, "etag"), changed):
            return made
        short = Response(304, request=made._sent, headers=made.headers, reason_phrase="Not Modified")  # noqa: SLF001
        short.from_cache, short.undone, short.cache_status = True, None, made.cache_status
        return short

    def _refreshing(self, attempt: Attempt, lookup: Lookup, served: Tell) -> Verdict:
        """Serve the stale answer, and have another call fetch a fresh one in the background, once per key."""
        state, key = self.state, lookup.key or lookup.shared_key
        with state.lock:
            if key in state.refreshing or len(state.refreshing) >= MOST_REFRESHES:
                return served
            state.refreshing.add(key)
        return Begin(lookup.request, {REFRESHING: key}, served)

    def _go(self, attempt: Attempt, lookup: Lookup, why: str) -> Verdict | None:
        """Ask the service, alone or behind the call that does so already; refuse where the caller wants the stored answer only."""
        asked, facts = lookup.asked, lookup.facts
        assert asked is not None
        lookup.why = why
        if asked.wishes.only_if_cached or attempt.call.notes.get(OPTION) == "only":
            made = Response(504, request=lookup.request, headers=Headers(()), reason_phrase="Gateway Timeout")
            made.undone, made.cache_status = None, cache_status.forwarded(why, detail="only-if-cached")
            return _tell("miss", "only-if-cached", lookup.request, AnswerWith(made))
        if lookup.entry is not None and facts is not None and facts.has_validator and not asked.conditions:
            lookup.conditional = _conditional(lookup.request, facts)
        told = _sent_as(lookup)
        if lookup.request.method != "HEAD" and not asked.conditions:
            told = self._join(attempt, lookup) or told
        return told if isinstance(told, WaitFor) else _tell("miss", why, lookup.request, told)

    def _join(self, attempt: Attempt, lookup: Lookup) -> WaitFor | None:
        """Lead the flight of this key, or wait for the call that does."""
        call, state = attempt.call, self.state
        assert lookup.asked is not None
        if lookup.is_alone:
            return None
        key = self._flight_key(lookup)
        with state.lock:
            flight = state.flights.get(key)
            if flight is None:
                state.flights[key] = lookup.flight = Flight(call)
                return None
            lookup.flight, lookup.waits = flight, True
            ticket = flight.waiters[attempt] = call.new_ticket()
            attempt.held[self] = None
        return WaitFor(ticket, "the answer to another call, which asks for the same", looks_again=True)

    def _flight_key(self, lookup: Lookup) -> str:
        assert lookup.asked is not None
        return f"{lookup.key or lookup.shared_key}{lookup.asked.rest}{lookup.asked.wishes}"

    def _awake(self, attempt: Attempt, lookup: Lookup) -> Verdict | None:
        """Go on after the flight that it waited for has landed, or as its leader."""
        flight = lookup.flight
        assert flight is not None
        lookup.waits = False
        if flight.leader is attempt.call:
            return _sent_as(lookup)
        lookup.flight, lookup.is_alone = None, True
        if flight.entry is not None and flight.entry.vary == self._vary_of(flight.entry, lookup.request):
            lookup.conditional = None
            return self._judge(attempt, lookup, flight.entry, collapsed=True)
        if flight.response is not None:
            return AnswerWith(_shared(flight.response, lookup))
        if flight.error is not None:
            error = copy.copy(flight.error)
            return Refuse(error, by=self.name)
        return _sent_as(lookup)

    def _vary_of(self, entry: Entry, request: Request) -> tuple[tuple[str, str], ...]:
        assert self.state.secret is not None
        return varied(self.state.secret, tuple(name for name, _ in entry.vary), request)

    def _land(self, flight: Flight, lookup: Lookup) -> None:
        """Let all that wait go on."""
        flight.leader = None
        self.state.flights.pop(self._flight_key(lookup), None)
        for ticket in flight.waiters.values():
            ticket.grant()

    def _hand_over(self, flight: Flight, lookup: Lookup) -> None:
        """Have the oldest waiter lead the flight; without one it is over."""
        waiter = next(iter(flight.waiters), None)
        if waiter is None:
            self._land(flight, lookup)
            return
        flight.leader = waiter.call
        flight.waiters.pop(waiter).grant()

    def _timed(self, entry: Entry) -> Entry:
        """The entry with the times until which it is fresh, and until which it is of any use."""
        facts = self.facts(entry)
        fresh = entry.answered - facts.age + facts.lifetime
        late = max(
            window(facts, "stale-while-revalidate", self.windows.revalidate),
            window(facts, "stale-if-error", self.windows.error),
            KEPT_FOR_VALIDATION if facts.has_validator else 0.0,
        )
        return replace(entry, fresh_until=fresh, keep_until=fresh + late)

    def entry_of(self, attempt: Attempt, lookup: Lookup, answer: Response, now: float) -> tuple[Entry | None, str]:
        """The entry that an answer is stored as, or why it is not."""
        if lookup.merged is not None and answer.from_cache:
            return lookup.merged, ""
        chosen, request, wall = self.chosen, lookup.request, self.wall()
        asked = lookup.asked
        assert asked is not None and self.state.secret is not None
        fields = _stored_fields(answer)
        began = wall - (now - attempt.began)
        facts = facts_of(answer.status_code, answer.headers.multi_items(), began, wall)
        why = self._why_not(attempt, lookup, answer, facts)
        if why:
            return None, why
        is_shared = chosen.shared and (chosen.mode == "ttl" or "public" in facts.said)
        key = lookup.shared_key if is_shared else lookup.key
        if not key:
            return None, "it is not public, and auth: python says not whose it is (identity)"
        entry = Entry(
            key=key,
            service=self.service,
            operation=attempt.call.operation,
            method=request.method,
            url=request.url,
            vary=varied(self.state.secret, facts.names or (), request),
            status=answer.status_code,
            reason=answer.reason_phrase,
            fields=fields,
            body=answer.content,
            asked=began,
            answered=wall,
            mode=chosen.mode,
            fresh_until=wall,
            keep_until=wall,
            tags=(self.tag(request.wire_url, shared=is_shared, proofs=asked.proofs),),
        )
        return self._timed(entry), ""

    def _why_not(self, attempt: Attempt, lookup: Lookup, answer: Response, facts: Facts) -> str:
        """Why an answer is not stored; "" if it is."""
        chosen, status = self.chosen, answer.status_code
        asked = lookup.asked
        assert asked is not None
        if attempt.meaning not in (None, "ignored"):
            return f"an error rule or the envelope says {attempt.meaning}"
        if chosen.mode == "ttl":
            if not 200 <= status < 300 or status == 206 or attempt.meaning is not None:
                return f"status {status} is no success"
            if asked.wishes.no_store:
                return "no-store in the request"
        else:
            why = why_not_stored(lookup.request.method, status, facts, asked.wishes)
            if why:
                return why
        if _is_broken(answer):
            return "its content coding could not be undone"
        if len(answer.content) > chosen.max_entry:
            return f"it is larger than {chosen.max_entry} bytes (max_entry)"
        if self.follows and 300 <= status < 400:
            return "a redirect that is followed"
        if self._jar is not None and (answer.field(b"set-cookie") is not None or _differs(attempt, lookup, "cookie")):
            return "cookies of a jar"
        added = next((name for name in facts.names or () if _differs(attempt, lookup, name)), None)
        if added:
            return f"it varies on {added}, which was set after the cache was asked"
        return "it repeats a secret of the request" if _repeats_a_secret(answer) else ""


class CacheStore:
    """Store answers once it is known what they mean, and say of each what the cache did."""

    name = "cache.store"
    reads_answers = True

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def after(self, attempt: Attempt, now: float) -> Verdict | None:
        """Store the answer, or say why not."""
        lookup: Lookup | None = attempt.call.notes.get(LOOKUP)
        if lookup is None or lookup.request is not attempt.call.request:
            return None
        lookup.attempt = attempt
        answer = attempt.outcome
        self._cache.state.network += 1
        if not isinstance(answer, Response):
            return None
        status = answer.status_code if lookup.conditional is not None else None
        status = 304 if lookup.merged is not None and answer.from_cache else status
        if not (lookup.key or lookup.shared_key):
            answer.cache_status = cache_status.forwarded(lookup.why, detail=lookup.detail)
            return _tell("not stored", lookup.detail, lookup.request) if lookup.detail else None
        if lookup.request.method == "HEAD":
            answer.cache_status = cache_status.forwarded(lookup.why, status=status)
            return self._freshened(lookup, answer)
        if attempt.call.notes.get(OPTION) == "no-store":
            entry, why = None, "cache=no-store"
        else:
            entry, why = self._cache.entry_of(attempt, lookup, answer, now)
        answer.cache_status = cache_status.forwarded(lookup.why, status=status, stored=entry is not None, detail=why)
        if entry is None:
            return _tell("not stored", why, lookup.request)
        did = "revalidated" if lookup.merged is entry else "stored"
        return Ask(self._cache.store, Keep(entry), partial(self._kept, lookup, entry, did))

    def _kept(self, lookup: Lookup, entry: Entry, did: str, got: Any) -> Verdict | None:
        self._cache.publish(lookup, entry)
        if isinstance(got, StoreFailure):
            return _tell("not stored", "the store could not be asked", lookup.request)
        return _tell(did, f"fresh for {max(0.0, entry.fresh_until - entry.answered):.0f} s", lookup.request)

    def _freshened(self, lookup: Lookup, answer: Response) -> Verdict | None:
        """Renew, or drop, the stored answer to GET by the answer to a HEAD (RFC 9111 4.3.5)."""
        entry = lookup.entry
        if entry is None or answer.status_code != 200 or answer.from_cache:
            return None
        fields = _stored_fields(answer)
        checked = ("etag", "last-modified", "content-length")
        if any(first(fields, name) not in (None, first(entry.fields, name)) for name in checked):
            return Ask(self._cache.store, Drop(key=entry.key), _nothing)
        wall = self._cache.wall()
        renewed = replace(entry, fields=freshened(entry.fields, fields), asked=wall, answered=wall)
        return Ask(self._cache.store, Keep(self._cache._timed(renewed)), _nothing)  # noqa: SLF001 - of this module


class Invalidation:
    """Drop what is stored of a URL once a call may have changed what it names (RFC 9111 4.4)."""

    name = "cache.invalidate"

    def __init__(self, cache: Cache, *, is_safe: bool | None) -> None:
        self._cache = cache
        self._is_safe = is_safe

    def after(self, attempt: Attempt, now: float) -> Verdict | None:
        """Drop the stored answers of the URL, and of those that the answer names, if the call succeeded."""
        request, answer = attempt.request, attempt.outcome
        is_safe = request.method in SAFE if self._is_safe is None else self._is_safe
        if is_safe or not isinstance(answer, Response) or answer.status_code >= 400:
            return None
        if self._cache.state.secret is None:
            return Ask(self._cache.store, Secret(), partial(self._keyed, request, answer))
        return self._drop(request, answer)

    def _keyed(self, request: Request, answer: Response, got: Any) -> Verdict | None:
        if isinstance(got, StoreFailure):
            return None
        self._cache.state.secret = got
        return self._drop(request, answer)

    def _drop(self, request: Request, answer: Response) -> Verdict | None:
        named = [urljoin(request.wire_url, url) for name in (b"location", b"content-location") if (url := answer.field(name))]
        urls = [request.wire_url, *(url for url in named if _is_of(request, url))]
        proofs = self._cache.asked(request.headers).proofs
        tags = [self._cache.tag(url, shared=shared, proofs=proofs) for url in urls for shared in (False, True)]
        verdict: Verdict | None = None
        for tag in dict.fromkeys(tags):
            verdict = Ask(self._cache.store, Drop(tag=tag), _then(verdict))
        return verdict


def _then(verdict: Verdict | None) -> Callable[[Any], Verdict | None]:
    return lambda got: verdict


def _nothing(got: Any) -> None:
    return None


def _methods(chosen: CacheSettings, own: Own) -> frozenset[str]:
    """The methods whose answers are kept."""
    if own.safe is False:
        return frozenset()
    reading = frozenset({"GET", "HEAD"})
    if chosen.mode == "http":
        return reading
    allowed = reading | ({own.method} if own.safe else frozenset())
    return allowed if chosen.methods is None else allowed & frozenset(chosen.methods)


def _sent_as(lookup: Lookup) -> Change | None:
    """The same object in every attempt, by which a function of `auth` knows the request again."""
    return None if lookup.conditional is None else Change(lookup.conditional)


def _conditional(request: Request, facts: Facts) -> Request:
    """The request, asked for an answer only if the stored one is no longer good (RFC 9111 4.3.1)."""
    fields = [("If-None-Match", facts.etag), ("If-Modified-Since", facts.last_modified)]
    return request.with_headers(request.headers.with_fields([(name, value) for name, value in fields if value]))


def _stored_fields(answer: Response) -> tuple[tuple[str, str], ...]:
    fields = answer.headers.multi_items()
    return storable_fields(fields, facts_of(0, fields, 0.0, 0.0).said)


def _age(entry: Entry, facts: Facts, wall: float) -> float:
    return facts.age + max(0.0, wall - entry.answered)


def _texts(headers: Headers, name: str) -> list[str]:
    found = [value for known, value in headers.fields if known.lower() == name.lower()]
    return [value if isinstance(value, str) else value.reveal() for value in found]


def _differs(attempt: Attempt, lookup: Lookup, name: str) -> bool:
    """Whether the field was sent otherwise than the look-up knew it."""
    return _texts(attempt.request.headers, name) != _texts(lookup.request.headers, name)


def _is_broken(answer: Response) -> bool:
    return bool(answer.left_coded) or getattr(answer, "undone", None) is not None


def _is_of(request: Request, url: str) -> bool:
    """Whether a URL is of the origin of the request: no other one may have it dropped (RFC 9111 4.4)."""
    try:
        return origin_of(url) == request.origin
    except ValueError:
        return False


def _repeats_a_secret(answer: Response) -> bool:
    fields = "\n".join(f"{name}: {value}" for name, value in answer.headers.multi_items())
    text = f"{fields}\n{answer.content.decode('utf-8', 'surrogateescape')}"
    return answer.masked(text) != text


def _is_the_services(error: APIError, attempt: Attempt) -> bool:
    """Whether an error would meet others as well, and is not of this call's own time or this machine."""
    return not attempt.is_cut_short and not isinstance(error, LocalFault | DeadlinePassed)


def _may_pass(error: APIError, lookup: Lookup) -> bool:
    """Whether a stale answer serves in place of the error: the service is down or throttles, or we stopped."""
    if isinstance(error, ResponseError):
        meaning = lookup.attempt.meaning if lookup.attempt is not None else None
        status = error.response.status_code
        return status in FAILURES or status == TOO_MANY or status >= 520 or meaning in ("transient", "rate_limited")
    return isinstance(error, NotSent | NoAnswer | BreakerOpen | LimitReached | DeadlinePassed)


def _shared(answer: Response, lookup: Lookup) -> Response:
    """The failure that another call ended with, for this one."""
    made = Response(
        answer.status_code,
        request=lookup.request,
        headers=Headers(tuple(answer.headers.multi_items())),
        content=answer.content,
        reason_phrase=answer.reason_phrase,
        http_version=answer.http_version,
    )
    made.undone, made.cache_status = None, cache_status.forwarded(lookup.why, collapsed=True)
    return made


def _tell(did: str, why: str, request: Request, then: Verdict | None = None) -> Tell:
    return Tell(CacheUsed(*NO_CALL, request.url, did, why), then)


def make(settings: Settings, scope: Scope, own: Own, jar: Any = None) -> tuple[Cache, ...]:
    """The policy of an operation whose answers may be kept."""
    chosen = settings.cache
    if chosen is None or (own.operation and own.method not in _methods(chosen, own)):
        return ()
    return (scope.one(("cache", own.operation, settings), lambda: Cache(chosen, settings, scope, own, jar)),)


def make_store(settings: Settings, scope: Scope, own: Own, jar: Any = None) -> tuple[Any, ...]:
    """What stores answers, and what drops them for calls that may change something, where any call of the service is cached."""
    cached = make(settings, scope, own, jar)
    stores: tuple[Any, ...] = tuple(CacheStore(each) for each in cached)
    is_safe = own.method in SAFE if own.operation and own.safe is None else own.safe
    if is_safe or not scope.caches:
        return stores
    cache = cached[0] if cached else Cache(CacheSettings(), settings, scope, own, jar)
    return (*stores, Invalidation(cache, is_safe=own.safe))
