"""Told after the error rules: stores what may be stored, drops what a call has changed, and says of each answer what was done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urljoin

from callsheet.call import Attempt, Call
from callsheet.http.caching import cache_status
from callsheet.http.caching.fields import first, freshened
from callsheet.http.caching.freshness import Facts, facts_of
from callsheet.http.caching.keys import texts_of, varied
from callsheet.http.caching.reuse import why_not_stored
from callsheet.http.request import Request, origin_of
from callsheet.http.response import Response
from callsheet.policies.cache.answers import stored_fields
from callsheet.policies.cache.cache import Cache
from callsheet.policies.cache.lookup import LOOKUP, OPTION, Lookup, is_broken, patience, told
from callsheet.secret.credential_names import without_named
from callsheet.settings.retry import SAFE_METHODS
from callsheet.stores.base import Drop, Entry, Keep
from callsheet.verdicts import Ask, StoreFailure, Verdict

VALIDATORS = ("etag", "last-modified", "content-length")
"""Fields by which the answer to a HEAD is known to be of the stored body (RFC 9111 4.3.5)."""


class CacheStore:
    """Store answers once it is known what they mean."""

    name = "cache.store"
    reads_answers = True

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def after(self, attempt: Attempt, now: float) -> Verdict | None:
        """Store the answer, or say why not."""
        lookup: Lookup | None = attempt.call.notes.get(LOOKUP)
        if lookup is None or lookup.request is not attempt.call.request:
            return None
        lookup.attempt, lookup.stored, lookup.patience = attempt, None, patience(attempt.call, now)
        self._cache.state.network += 1
        answer = attempt.outcome
        if not isinstance(answer, Response):
            return None
        hash_key = self._cache.state.hash_key
        if hash_key is None or not (lookup.key or lookup.shared_key):
            return self._not_stored(lookup, answer, lookup.detail or "the store could not be asked", None)
        merged = lookup.merged if answer.from_cache else None
        status = None if lookup.conditional is None else 304 if merged else answer.status_code
        if lookup.request.method == "HEAD" and merged is None:
            answer.cache_status = cache_status.forwarded(lookup.why, status=status)
            return None if self._why_not_renewed(attempt.call, lookup, answer) else self._by_head(lookup, answer)
        wall = self._cache.wall()
        facts = facts_of(answer.status_code, answer.headers.multi_items(), wall, wall)
        why = "" if merged else self._why_not(attempt, lookup, answer, facts)
        why = why or self._why_not_renewed(attempt.call, lookup, answer)
        key = self._key(lookup, facts)
        if not key:
            why = why or "it is not public, and the sheet does not say whose credential a function gives (identity)"
        tag = self._cache.tag(hash_key, lookup.request.wire_url)
        if not why and self._cache.state.has_changed(tag, lookup.changes):
            why = "another call has changed it meanwhile"
        if why:
            return self._not_stored(lookup, answer, why, status)
        entry = merged or self._entry(attempt, lookup, answer, now)
        if merged is None:
            vary = varied(hash_key, facts.names or (), lookup.request)
            entry = self._cache.timed(replace(entry, key=key, vary=vary, tags=(tag,)))
        answer.cache_status = cache_status.forwarded(lookup.why, status=status, stored=True)
        did = "revalidated" if merged else "stored"
        return Ask(self._cache.store, Keep(entry), partial(self._kept, lookup, entry, did), lookup.patience)

    def _not_stored(self, lookup: Lookup, answer: Response, why: str, status: int | None) -> Verdict:
        answer.cache_status = cache_status.forwarded(lookup.why, status=status, detail=why)
        return told("not stored", why, lookup.request)

    def _key(self, lookup: Lookup, facts: Facts) -> str:
        """Under which key the answer is stored: the principal's own, or everybody's; "" for none."""
        chosen = self._cache.chosen
        is_shared = chosen.shared and (chosen.mode == "ttl" or "public" in facts.said)
        return lookup.shared_key if is_shared else lookup.key

    def _entry(self, attempt: Attempt, lookup: Lookup, answer: Response, now: float) -> Entry:
        wall = self._cache.wall()
        return Entry(
            key="",
            service=self._cache.service,
            operation=attempt.call.operation,
            method=lookup.request.method,
            url=without_named(lookup.request.url),
            vary=(),
            status=answer.status_code,
            reason=answer.reason_phrase,
            fields=stored_fields(answer),
            body=answer.content,
            asked=wall - (now - attempt.began),
            answered=wall,
            mode=self._cache.chosen.mode,
            fresh_until=wall,
            keep_until=wall,
        )

    def _kept(self, lookup: Lookup, entry: Entry, did: str, got: Any) -> Verdict | None:
        if self._cache.state.has_changed(entry.tags[0], lookup.changes):  # between the question above and this one
            return Ask(self._cache.store, Drop(key=entry.key), _then(None), lookup.patience)
        lookup.stored = entry
        if isinstance(got, StoreFailure):
            return told("not stored", "the store could not be asked", lookup.request)
        return told(did, f"fresh for {max(0.0, entry.fresh_until - entry.answered):.0f} s", lookup.request)

    def _by_head(self, lookup: Lookup, answer: Response) -> Verdict | None:
        """Renew, or drop, the stored answer to GET by the answer to a HEAD (RFC 9111 4.3.5)."""
        entry = lookup.entry
        if entry is None or answer.status_code != 200 or answer.from_cache:
            return None
        fields = stored_fields(answer)
        known = [(first(fields, name), first(entry.fields, name)) for name in VALIDATORS]
        if any(None not in pair and pair[0] != pair[1] for pair in known):
            return Ask(self._cache.store, Drop(key=entry.key), _then(None), lookup.patience)
        if all(None in pair for pair in known[:2]):
            return None  # nothing says that the body is still the stored one
        wall = self._cache.wall()
        renewed = replace(entry, fields=freshened(entry.fields, fields), asked=wall, answered=wall)
        return Ask(self._cache.store, Keep(self._cache.timed(renewed)), _then(None), lookup.patience)

    def _why_not(self, attempt: Attempt, lookup: Lookup, answer: Response, facts: Facts) -> str:
        """Why an answer is not stored; "" if it is."""
        chosen, status = self._cache.chosen, answer.status_code
        if attempt.meaning not in (None, "ignored"):
            return f"an error rule or the envelope says {attempt.meaning}"
        if chosen.mode == "http":
            return why_not_stored(
                lookup.request.method, status, facts, lookup.asked.wishes, self._cache.windows
            ) or self._cannot(attempt, lookup, answer, facts)
        if not 200 <= status < 300 or status == 206 or attempt.meaning is not None:
            return f"status {status} is no success"
        return self._cannot(attempt, lookup, answer, facts)

    def _why_not_renewed(self, call: Call, lookup: Lookup, answer: Response) -> str:
        """Why not even the fields of an answer are stored, as those of a 304; "" if they are."""
        if call.notes.get(OPTION) == "no-store":
            return "cache=no-store"
        if lookup.asked.wishes.no_store:
            return "no-store in the request"
        return "it repeats a secret of the request" if _repeats_a_secret(answer) else ""

    def _cannot(self, attempt: Attempt, lookup: Lookup, answer: Response, facts: Facts) -> str:
        """What keeps an answer out whose fields would let it be stored."""
        most, jar, retry = self._cache.chosen.max_entry, self._cache.jar, self._cache.retry
        tries = attempt.number - attempt.call.uncharged
        if retry is not None and answer.status_code in retry.statuses and tries < retry.attempts:
            return f"status {answer.status_code} may be gone at the next attempt"
        if is_broken(answer):
            return "its content coding could not be undone"
        if len(answer.content) > most:
            return f"it is larger than {most} bytes (max_entry)"
        if self._cache.follows and 300 <= answer.status_code < 400:
            return "a redirect that is followed"
        if jar is not None and (answer.field(b"set-cookie") is not None or _differs(attempt, lookup, "cookie")):
            return "it belongs to a session (cookies)"
        added = next((name for name in facts.names or () if _differs(attempt, lookup, name)), None)
        if added is not None:
            return f"it varies on {added}, which was set after the store was asked"
        return ""


class Invalidation:
    """Drop what is stored of a URL once a call may have changed what it names (RFC 9111 4.4)."""

    name = "cache.store"

    def __init__(self, cache: Cache, *, is_safe: bool | None) -> None:
        self._cache = cache
        self._is_safe = is_safe

    def after(self, attempt: Attempt, now: float) -> Verdict | None:
        """Drop the stored answers of the URL, and of those that the answer names, if the call succeeded."""
        request, answer = attempt.request, attempt.outcome
        is_safe = request.method in SAFE_METHODS if self._is_safe is None else self._is_safe
        if is_safe or not isinstance(answer, Response) or answer.status_code >= 400:
            return None
        within = patience(attempt.call, now)
        return self._cache.keyed(partial(self._drop, attempt.call.request, answer, within), within)

    def _drop(self, request: Request, answer: Response, within: float, hash_key: bytes) -> Verdict | None:
        named = [answer.field(name) for name in (b"location", b"content-location")]
        beside = [url for name in named if name and (url := _at_home(request, name))]
        tags = [self._cache.tag(hash_key, url) for url in (request.wire_url, *beside)]
        verdict: Verdict | None = None
        for tag in dict.fromkeys(tags):
            self._cache.state.changed(tag)
            verdict = Ask(self._cache.store, Drop(tag=tag), _then(verdict), within)
        return verdict


def _then(verdict: Verdict | None) -> Callable[[Any], Verdict | None]:
    return lambda got: verdict


def _differs(attempt: Attempt, lookup: Lookup, name: str) -> bool:
    """Whether the field was sent otherwise than the look-up knew it."""
    return texts_of(attempt.request.headers, name) != texts_of(lookup.request.headers, name)


def _at_home(request: Request, named: str) -> str:
    """The URL that an answer names, if it is of the request's origin: nothing of another one is dropped (RFC 9111 4.4)."""
    try:
        url = urljoin(request.wire_url, named)
        return url if origin_of(url) == request.origin else ""
    except ValueError:
        return ""


def _repeats_a_secret(answer: Response) -> bool:
    fields = "\n".join(
        f"{name}: {value}" for name, value in answer.headers.multi_items() if name.lower() != "set-cookie"
    )
    text = f"{answer.reason_phrase}\n{fields}\n{answer.content.decode('utf-8', 'surrogateescape')}"
    return answer.masked(text) != text
