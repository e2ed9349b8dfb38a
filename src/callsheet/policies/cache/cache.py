"""Asked before each attempt: serves what is stored, or has one call ask the service while others wait for it.

Theory of operation. For the first attempt of a request `Cache` looks it up, and answers, or notes in a `Lookup` what the store has
and lets the attempt go on. One call per key and process does so: it leads a `Flight`, and others that miss the same key wait
for its end, within their own deadlines. The leader publishes what it stored, or the failure that it ended with. A leader that
is cancelled or runs out of its own time makes the oldest waiter leader. `Cache` is told first of an answer: a 304 becomes the
stored answer, before anybody judges it.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from callsheet.auth.constant import constant_credential
from callsheet.auth.principal import Principal
from callsheet.call import Attempt, Call
from callsheet.errors import APIError, BreakerOpen, DeadlinePassed, LimitReached, NoAnswer, NotSent, ResponseError
from callsheet.events import CacheUsed
from callsheet.http.caching import cache_status
from callsheet.http.caching.fields import freshened
from callsheet.http.caching.freshness import Facts, age_now, facts_of
from callsheet.http.caching.keys import Asked, argument_text, asked_of, body_text, mac, place_of, texts_of, varied
from callsheet.http.caching.reuse import FAILURES, Windows, may_be_stale, may_serve_error, use_of, window
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.policies.cache.answers import (
    answer_of,
    conditional,
    if_changed,
    made,
    shared,
    shown_fields,
    stored_fields,
)
from callsheet.policies.cache.lookup import LOOKUP, OPTION, REFRESHING, CacheState, Lookup, patience, told
from callsheet.policies.scope import Own, Scope
from callsheet.settings.cache import Cache as CacheSettings
from callsheet.settings.settings import Settings
from callsheet.stores.base import Entry, Find, HashKey
from callsheet.verdicts import AnswerWith, Ask, Begin, Change, Refuse, StoreFailure, Tell, Verdict, WaitFor

KEPT_FOR_VALIDATION = 7 * 86400.0
"""Seconds for which a stale answer that has a validator is kept: asking for it anew costs no body."""
KEPT_STALE = 86400.0
"""Seconds for which one without a validator is kept: a request may take it as it is (`max-stale`)."""
MOST_REFRESHES = 16
"""Calls in the background at once; where more would be needed, stale answers are served and nothing is fetched."""
FOR_THE_KEY = 3.0
"""How many times longer than any other question the one for the key may take."""
MOST_KNOWN = 1024
"""Stored answers whose fields were read, of one operation, so that a hit need not read them again."""
TOO_MANY_REQUESTS, LEAST_OF_NETWORKS = 429, 520


class Known(NamedTuple):
    """What was read of a stored answer, which is known again by `of`: its facts, and its fields but for the age."""

    of: tuple[Any, ...]
    facts: Facts
    shown: tuple[tuple[str, str], ...]


class Cache:
    """Answer a request from the store; else let one call fetch the answer, with the conditions by which it may be a 304.

    `jar` is the jar of the service, if it has one: while it holds cookies, nobody knows whose an answer is.
    """

    name = "cache"

    def __init__(self, chosen: CacheSettings, settings: Settings, scope: Scope, own: Own, jar: Any) -> None:
        self.chosen = chosen
        self.store = scope.cache
        self.state: CacheState = scope.one(("cache",), CacheState)
        self.wall = scope.wall_clock
        self.service = scope.service
        # What a fake answered by the clock of a test is not the service's, though both name one file.
        self._realm = scope.service if scope.wall_clock is time.time else f"{scope.service} of a test"
        self.jar = jar
        self.follows = settings.redirects is not None
        self.retry = settings.retry
        self._left_out = ",".join(sorted(scope.left_out))  # who takes out the credential is somebody else
        self._methods = methods_of(chosen, own)
        self._principal = Principal(settings)
        self.windows = Windows(chosen.stale_while_revalidate, chosen.stale_if_error)
        self._constant = frozenset({*settings.headers.items(), *constant_credential(settings.auth).headers})
        self._asked: tuple[Headers, Asked] | None = None
        self._hears = scope.hears(CacheUsed)
        self._known: dict[Any, Known] = {}
        self._known_keys: dict[Any, tuple[str, str]] = {}

    def before(self, attempt: Attempt, now: float) -> Verdict | None:
        """The answer, if the store has it; else what has to be waited for, or how the request changes."""
        call = attempt.call
        lookup: Lookup | None = call.notes.get(LOOKUP)
        if lookup is None or lookup.request is not call.request:
            if lookup is not None and lookup.flight is not None and lookup.flight.leader is call:
                self.state.land(lookup.flight)  # of the request before a redirect, which the others follow as well
            lookup = call.notes[LOOKUP] = Lookup(call.request, self.asked(call.request.headers), patience(call, now))
            self.state.requests += 1
            lookup.changes = self.state.changes
            lookup.detail = self._why_not(call, lookup)
            otherwise = _refused(lookup) if _wants_only(call, lookup) else None
            if lookup.detail:
                return otherwise
            known = self.state.hash_key
            if known is not None:
                return self._look(attempt, lookup, known)
            return self.keyed(partial(self._look, attempt, lookup), lookup.patience, otherwise)
        lookup.changes = self.state.changes
        return self._awake(attempt, lookup) if lookup.waits else _sent_as(lookup)

    def after(self, attempt: Attempt, now: float) -> AnswerWith | None:
        """The stored answer in place of a 304 (RFC 9111 4.3.4)."""
        lookup: Lookup | None = attempt.call.notes.get(LOOKUP)
        answer = attempt.outcome
        if lookup is None or lookup.conditional is None or lookup.entry is None:
            return None
        if not isinstance(answer, Response) or answer.status_code != 304:
            return None
        wall = self.wall()
        fields = freshened(lookup.entry.fields, stored_fields(answer))
        asked = wall - (now - attempt.began)
        lookup.merged = self.timed(replace(lookup.entry, fields=fields, asked=asked, answered=wall))
        cookies = tuple(("Set-Cookie", value) for value in answer.headers.get_list("Set-Cookie"))
        return AnswerWith(self._answer(lookup.merged, attempt.request, wall, cookies)[0])

    def let_go(self, attempt: Attempt, sent: bool) -> None:  # noqa: FBT001 the questions are asked by position
        """Wait no longer for another call."""
        lookup: Lookup | None = attempt.call.notes.get(LOOKUP)
        if lookup is not None and lookup.flight is not None:
            with self.state.lock:
                lookup.flight.waiters.pop(attempt, None)

    def ended(self, call: Call) -> None:
        """End the flight that the call leads."""
        self.state.refreshing.discard(call.notes.get(REFRESHING, ""))
        lookup: Lookup | None = call.notes.get(LOOKUP)
        flight = lookup.flight if lookup is not None else None
        if lookup is not None and flight is not None and flight.leader is call:
            self.state.end(flight, lookup)

    def instead(self, call: Call, error: APIError) -> Tell | None:
        """The stored answer in place of an error that the call would raise, where it may serve that long (RFC 5861 4)."""
        lookup: Lookup | None = call.notes.get(LOOKUP)
        if lookup is None or lookup.entry is None or lookup.facts is None or REFRESHING in call.notes:
            return None
        if not _may_pass(error, lookup):
            return None
        answer, age = self._answer(lookup.entry, lookup.request, self.wall())
        if not may_serve_error(lookup.facts, self.windows, age):
            return None
        answer.cache_status = cache_status.hit(lookup.facts.lifetime - age)
        self.state.hits += 1
        return told("stale", f"in place of {type(error).__name__}", lookup.request, AnswerWith(answer))

    def forget(self) -> None:
        """Nothing of the parent's: what calls share is in the state."""

    def asked(self, headers: Headers) -> Asked:
        """What the fields of a request say to a cache; most calls of a plan have the same ones."""
        last = self._asked
        if last is None or last[0] is not headers:
            last = self._asked = (headers, asked_of(headers, self._constant))
        return last[1]

    def known(self, entry: Entry) -> Known:
        """What the entry says of its own storing; in mode `ttl` the settings say for how long it serves."""
        name, of = (entry.key, entry.vary), (entry.asked, entry.answered, entry.status, entry.fields)
        known = self._known.get(name)
        if known is None or known.of != of:
            facts = facts_of(entry.status, entry.fields, entry.asked, entry.answered)
            if self.chosen.ttl is not None:
                facts = facts._replace(said={}, lifetime=self.chosen.ttl, is_guessed=False, age=0.0)
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            known = self._known[name] = Known(of, facts, shown_fields(entry))
        return known

    def timed(self, entry: Entry) -> Entry:
        """The entry with the times until which it is fresh, and until which it is of any use."""
        facts, windows = self.known(entry).facts, self.windows
        fresh = entry.answered - facts.age + facts.lifetime
        late = max(
            window(facts, "stale-while-revalidate", windows.revalidate),
            window(facts, "stale-if-error", windows.error),
            KEPT_FOR_VALIDATION if facts.has_validator else KEPT_STALE if may_be_stale(facts) else 0.0,
        )
        return replace(entry, fresh_until=fresh, keep_until=max(fresh, entry.answered) + late)

    def keyed(
        self, then: Callable[[bytes], Verdict | None], within: float, otherwise: Verdict | None = None
    ) -> Verdict | None:
        """Go on with the store's key for hashes; `otherwise` where the store does not give it.

        It is asked for once, and may take longer: a new file is made for it first.
        """
        known = self.state.hash_key
        if known is not None:
            return then(known)
        return Ask(self.store, HashKey(), partial(self._got_key, then, otherwise), FOR_THE_KEY * within)

    def tag(self, hash_key: bytes, url: str) -> str:
        """By which all that is stored of a URL is dropped: what one principal changed, others would see as it was, too.

        Raises ValueError for what is no URL of http.
        """
        return mac(hash_key, "tag", self._realm, place_of(url))

    def _got_key(self, then: Callable[[bytes], Verdict | None], otherwise: Verdict | None, got: Any) -> Verdict | None:
        if isinstance(got, StoreFailure):
            return otherwise
        self.state.hash_key = got
        return then(got)

    def _answer(
        self, entry: Entry, request: Request, wall: float, cookies: tuple[tuple[str, str], ...] = ()
    ) -> tuple[Response, float]:
        """The stored answer, with the cookies that a 304 sets, and how old it is (RFC 9111 4.2.3)."""
        _, facts, shown = self.known(entry)
        age = age_now(facts, entry.answered, wall)
        return answer_of(entry, (*shown, *cookies), request, age), age

    def _why_not(self, call: Call, lookup: Lookup) -> str:
        """Why the store is neither asked nor given the answer; "" if it is."""
        request = lookup.request
        if request.method not in self._methods:
            lookup.why = "method"
            return f"an answer to {request.method}"
        if request.is_transfer:
            return "a stream" if request.is_stream else "an upload"
        if call.notes.get(OPTION) == "off":
            return "cache=off"
        lookup.principal = self._principal.now()
        if lookup.principal is None and not self.chosen.shared:
            return "the sheet does not say whose credential a function gives (identity)"
        if self.jar is not None and self.jar.holds_any:
            return "the jar holds cookies"
        return f"the request has {lookup.asked.bypasses}" if lookup.asked.bypasses else ""

    def _look(self, attempt: Attempt, lookup: Lookup, hash_key: bytes) -> Verdict | None:
        lookup.key, lookup.shared_key = self._keys(attempt.call, lookup, hash_key)
        if attempt.call.notes.get(OPTION) == "refresh":
            lookup.why = "request"
            return told("miss", "cache=refresh", lookup.request)
        lookup.landings = self.state.landings
        found = partial(self._found, attempt, lookup, is_own=bool(lookup.key))
        return Ask(self.store, Find(lookup.key or lookup.shared_key), found, lookup.patience)

    def _keys(self, call: Call, lookup: Lookup, hash_key: bytes) -> tuple[str, str]:
        """The principal's own key and everybody's, "" for none. Those of a URL that was asked for a moment ago are known."""
        asked, chosen, request = lookup.asked, self.chosen, lookup.request
        name = (request.wire_url, request.method, asked.proofs, asked.rest, lookup.principal)
        known = self._known_keys.get(name) if request.body is None and chosen.vary_on is None else None
        if known is not None:
            return known
        parts = self._parts(call, request, asked)
        shared = mac(hash_key, "all", *parts) if chosen.shared else ""
        has_own = lookup.principal is not None and not (chosen.shared and chosen.mode == "ttl")
        own = mac(hash_key, "own", lookup.principal or "", asked.proofs, *parts) if has_own else ""
        if request.body is None and chosen.vary_on is None:
            if len(self._known_keys) >= MOST_KNOWN:
                self._known_keys.clear()
            self._known_keys[name] = own, shared
        return own, shared

    def _parts(self, call: Call, request: Request, asked: Asked) -> list[str]:
        """What an answer depends on beside the principal."""
        chosen = self.chosen
        method = "GET" if request.method == "HEAD" else request.method
        parts = [self._realm, self._left_out, chosen.mode, method, request.wire_url.partition("#")[0]]
        for name in chosen.vary_on or ():
            is_argument = name in call.arguments and not request.headers.has(name.lower())
            text = argument_text(call.arguments, name) if is_argument else ", ".join(texts_of(request.headers, name))
            parts += (name, text)
        if chosen.mode == "ttl" and chosen.vary_on is None:
            parts.append(asked.rest)
        if request.body is not None:
            parts.append(body_text(request))
        return parts

    def _found(self, attempt: Attempt, lookup: Lookup, got: Any, *, is_own: bool) -> Verdict | None:
        """Judge the variant that fits; among what is the principal's own first, then among what is everybody's."""
        entries: tuple[Entry, ...] = () if isinstance(got, StoreFailure) else got
        fitting = [entry for entry in entries if self._fits(entry, lookup.request)]
        if fitting:
            return self._judge(attempt, lookup, max(fitting, key=lambda entry: entry.answered))
        if is_own and lookup.shared_key:
            again = partial(self._found, attempt, lookup, is_own=False)
            return Ask(self.store, Find(lookup.shared_key), again, lookup.patience)
        return self._go(attempt, lookup, "vary-miss" if entries else "uri-miss")

    def _fits(self, entry: Entry, request: Request) -> bool:
        """Whether the varied fields are those of the request (RFC 9111 4.1), and it is no redirect that is to be followed."""
        if self.follows and 300 <= entry.status < 400:
            return False
        hash_key = self.state.hash_key
        assert hash_key is not None
        return not entry.vary or entry.vary == varied(hash_key, tuple(name for name, _ in entry.vary), request)

    def _judge(self, attempt: Attempt, lookup: Lookup, entry: Entry, *, collapsed: bool = False) -> Verdict | None:
        """Serve the stored answer, or go on to ask the service if it is still good."""
        request, (_, facts, shown) = lookup.request, self.known(entry)
        age = age_now(facts, entry.answered, self.wall())
        use = use_of(facts, lookup.asked.wishes, self.windows, age)
        lookup.entry, lookup.facts = entry, facts
        if use.how == "ask" or (REFRESHING in attempt.call.notes and not collapsed):
            return self._go(attempt, lookup, use.why or "stale")
        answer = answer_of(entry, shown, request, age)
        answer.cache_status = (
            cache_status.forwarded(lookup.why, collapsed=True) if collapsed else cache_status.hit(use.left)
        )
        if lookup.asked.conditions:
            answer = if_changed(answer, entry, request)
        self.state.hits += 1
        served: Verdict = AnswerWith(answer)
        if self._hears and use.how == "fresh":
            served = told("hit", f"fresh for {use.left:.0f} s", request, served)
        elif self._hears:
            served = told("stale", f"for {-use.left:.0f} s", request, served)
        wants_none = lookup.asked.wishes.no_store or attempt.call.notes.get(OPTION) == "no-store"
        return self._refreshing(lookup, served) if use.how == "revalidate" and not wants_none else served

    def _refreshing(self, lookup: Lookup, served: Verdict) -> Verdict:
        """Serve the stale answer, and have another call fetch a fresh one in the background, once per key."""
        state, key = self.state, lookup.key or lookup.shared_key
        with state.lock:
            if key in state.refreshing or len(state.refreshing) >= MOST_REFRESHES:
                return served
            state.refreshing.add(key)
        return Begin(lookup.request, {REFRESHING: key}, served)

    def _go(self, attempt: Attempt, lookup: Lookup, why: str) -> Verdict | None:
        """Ask the service, alone or behind the call that does so already; refuse where only the stored answer is wanted."""
        asked, facts, request = lookup.asked, lookup.facts, lookup.request
        lookup.why = why
        if _wants_only(attempt.call, lookup):
            return _refused(lookup)
        if facts is not None and facts.has_validator and not asked.conditions:
            lookup.conditional = conditional(request, facts)
        waiting = None
        if request.method != "HEAD" and not asked.conditions and not lookup.is_alone:
            waiting = self._join(attempt, lookup)
        return waiting or told("miss", why, request, _sent_as(lookup))

    def _join(self, attempt: Attempt, lookup: Lookup) -> WaitFor | Ask | None:
        """Lead the flight of this key, or wait for the call that does."""
        asked = lookup.asked
        flight, ticket = self.state.join(f"{lookup.key or lookup.shared_key}{asked.rest}{asked.wishes}", attempt)
        lookup.flight = flight
        if ticket is None:
            if self.state.landings == lookup.landings or REFRESHING in attempt.call.notes or lookup.why == "request":
                return None
            # Another call may have stored the answer since this one looked.
            again = partial(self._found_late, attempt, lookup)
            return Ask(self.store, Find(lookup.key or lookup.shared_key), again, lookup.patience)
        lookup.waits = True
        attempt.held[self] = None
        return WaitFor(ticket, "the answer to another call, which asks for the same", looks_again=True)

    def _found_late(self, attempt: Attempt, lookup: Lookup, got: Any) -> Verdict | None:
        """Give the answer that was stored just now to those that wait, too; else ask the service, and lead them."""
        flight, wall = lookup.flight, self.wall()
        assert flight is not None
        entries: tuple[Entry, ...] = () if isinstance(got, StoreFailure) else got
        fresh = [entry for entry in entries if entry.fresh_until > wall and self._fits(entry, lookup.request)]
        if not fresh:
            return told("miss", lookup.why, lookup.request, _sent_as(lookup))
        flight.entry = max(fresh, key=lambda entry: entry.answered)
        self.state.land(flight)
        lookup.flight, lookup.conditional, lookup.is_alone = None, None, True
        return self._judge(attempt, lookup, flight.entry)

    def _awake(self, attempt: Attempt, lookup: Lookup) -> Verdict | None:
        """Go on after the flight that it waited for has landed, or as the one that leads it now."""
        flight = lookup.flight
        assert flight is not None
        lookup.waits = False
        if flight.leader is attempt.call:
            return told("miss", lookup.why, lookup.request, _sent_as(lookup))
        lookup.flight, lookup.is_alone = None, True
        if flight.entry is not None and self._fits(flight.entry, lookup.request):
            lookup.conditional = None
            return self._judge(attempt, lookup, flight.entry, collapsed=True)
        is_ours = flight.who is not None and flight.who == lookup.who
        if is_ours and flight.response is not None:
            return AnswerWith(shared(flight.response, lookup.request, lookup.why))
        if is_ours and flight.error is not None:
            return Refuse(copy.copy(flight.error), by=self.name)
        return told("miss", lookup.why, lookup.request, _sent_as(lookup))


def methods_of(chosen: CacheSettings, own: Own) -> frozenset[str]:
    """The methods whose answers are kept; none of an operation that is not safe."""
    if own.safe is False:
        return frozenset()
    reading = frozenset({"GET", "HEAD"})
    if chosen.mode == "http":
        return reading
    allowed = reading | ({own.method} if own.safe else frozenset())
    return allowed if chosen.methods is None else allowed & frozenset(chosen.methods)


def _wants_only(call: Call, lookup: Lookup) -> bool:
    """Whether nothing may be sent for it (RFC 9111 5.2.1.7)."""
    return lookup.asked.wishes.only_if_cached or call.notes.get(OPTION) == "only"


def _refused(lookup: Lookup) -> Verdict:
    answer = made(504, lookup.request, (), reason="Gateway Timeout")
    answer.cache_status = cache_status.forwarded(lookup.why, detail="only-if-cached")
    return told("miss", "only-if-cached", lookup.request, AnswerWith(answer))


def _sent_as(lookup: Lookup) -> Change | None:
    """The same object in every attempt: a function of `auth` knows the request again by it."""
    return None if lookup.conditional is None else Change(lookup.conditional)


def _may_pass(error: APIError, lookup: Lookup) -> bool:
    """Whether a stale answer serves in place of the error: the service is down or throttles, or we stopped."""
    if not isinstance(error, ResponseError):
        return isinstance(error, NotSent | NoAnswer | BreakerOpen | LimitReached | DeadlinePassed)
    status, attempt = error.response.status_code, lookup.attempt
    if attempt is not None and attempt.meaning in ("transient", "rate_limited"):
        return True
    return status in FAILURES or status == TOO_MANY_REQUESTS or status >= LEAST_OF_NETWORKS
