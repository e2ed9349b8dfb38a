"""Whether a stored answer serves a request (RFC 9111 4, 5.2.1; RFC 5861; RFC 8246), and whether an answer is stored (3)."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from callsheet.http.caching.fields import Directives, Fields, directives, members, number, seconds, values
from callsheet.http.caching.freshness import HEURISTIC, Facts

UNDERSTOOD = HEURISTIC | {302, 303, 307, 400, 401, 403, 406, 408, 409, 411, 412, 413, 415, 417, 421, 422, 426, 429, 500, 502, 503, 504, 505}  # fmt: skip
"""Statuses whose caching is understood here, for `must-understand` (RFC 9111 5.2.2.3)."""
BYPASSING = frozenset({"range", "if-range", "if-match", "if-unmodified-since"})
"""Request fields that ask for what a cache of whole answers does not have: such a request goes to the service."""
CONDITIONS = frozenset({"if-none-match", "if-modified-since"})
FAILURES = frozenset({500, 502, 503, 504})
"""Statuses that `stale-if-error` speaks of (RFC 5861 4)."""


class Wishes(NamedTuple):
    """What a request says to caches, in seconds where it is a time."""

    no_cache: bool = False
    no_store: bool = False
    only_if_cached: bool = False
    max_age: float = math.inf
    min_fresh: float = 0.0
    max_stale: float = 0.0


NO_WISHES = Wishes()


def wishes_of(fields: Fields) -> Wishes:
    """The wishes of a request. `Pragma: no-cache` counts where there is no Cache-Control (RFC 9111 5.4)."""
    control = values(fields, "cache-control")
    said: Directives = directives(control)
    if not said:
        pragma = directives(values(fields, "pragma")) if not control else {}
        return Wishes(no_cache=True) if "no-cache" in pragma else NO_WISHES
    max_age = seconds(said, "max-age")
    max_stale = said.get("max-stale", "0")
    return Wishes(
        "no-cache" in said,
        "no-store" in said,
        "only-if-cached" in said,
        math.inf if max_age is None else max_age,
        seconds(said, "min-fresh") or 0.0,
        math.inf if max_stale is None else number(max_stale) or 0.0,
    )


class Windows(NamedTuple):
    """How long after its end an answer may serve: while another is fetched, and where the call would fail.

    None: as the answer says.
    """

    revalidate: float | None = None
    error: float | None = None


class Use(NamedTuple):
    """What to do with a stored answer: serve it (`fresh`, `stale`), serve it and fetch another (`revalidate`), or ask first.

    `left` are the seconds until it is stale, negative after that; `why` is the reason to ask, in the words of RFC 9211.
    """

    how: Literal["fresh", "stale", "revalidate", "ask"]
    left: float
    why: str = ""


def use_of(facts: Facts, wishes: Wishes, windows: Windows, age: float) -> Use:
    """What to do with a stored answer that is `age` seconds old."""
    left = facts.lifetime - age
    if facts.must_validate:
        return Use("ask", left, "stale")
    if wishes.no_cache:
        return Use("ask", left, "request")
    if left > 0:
        # RFC 8246 2: what never changes is not asked for anew by a reload.
        is_reload = wishes.max_age == 0 and "immutable" in facts.said
        if left >= wishes.min_fresh and (age <= wishes.max_age or is_reload):
            return Use("fresh", left)
        return Use("ask", left, "request")
    if may_be_stale(facts) and age <= wishes.max_age and wishes.min_fresh == 0:
        if -left <= wishes.max_stale and wishes.max_stale > 0:
            return Use("stale", left)
        if -left < window(facts, "stale-while-revalidate", windows.revalidate):
            return Use("revalidate", left)
    return Use("ask", left, "stale")


def may_be_stale(facts: Facts) -> bool:
    """Whether the answer may serve once it is stale at all (RFC 9111 4.2.4)."""
    return "must-revalidate" not in facts.said and not facts.must_validate


def may_serve_error(facts: Facts, windows: Windows, age: float) -> bool:
    """Whether the answer serves in place of an error (RFC 5861 4)."""
    late = age - facts.lifetime
    return may_be_stale(facts) and (late <= 0 or late < window(facts, "stale-if-error", windows.error))


def window(facts: Facts, name: str, chosen: float | None) -> float:
    """Seconds after its end, by the settings or else by the answer."""
    return (seconds(facts.said, name) or 0.0) if chosen is None else chosen


def why_not_stored(method: str, status: int, facts: Facts, wishes: Wishes, windows: Windows) -> str:
    """Why an answer to GET is not stored (RFC 9111 3); "" if it is."""
    if method != "GET":
        return f"an answer to {method}"
    if status < 200 or status in (206, 304):
        return f"status {status}"
    if "must-understand" in facts.said:
        if status not in UNDERSTOOD:
            return f"must-understand, and status {status} is not known here"
    elif "no-store" in facts.said:
        return "no-store"
    if wishes.no_store:
        return "no-store in the request"
    if facts.names is None:
        return "Vary: *"
    if facts.lifetime > 0 or _serves_stale(facts, windows):
        return ""
    if not facts.has_validator:
        return (
            "nothing says for how long it serves" if facts.is_guessed else "it is stale at once, and has no validator"
        )
    return "" if status in HEURISTIC or not facts.is_guessed else f"status {status} does not say for how long it serves"


def _serves_stale(facts: Facts, windows: Windows) -> bool:
    """Whether the answer is of use once it is stale, though nothing can be asked by it."""
    late = window(facts, "stale-while-revalidate", windows.revalidate), window(facts, "stale-if-error", windows.error)
    return not facts.is_guessed and may_be_stale(facts) and max(late) > 0


def is_met(if_none_match: list[str], if_modified_since: float | None, etag: str | None, changed: float | None) -> bool:
    """Whether the conditions of a request say that its own copy is still good, so that a 304 answers it (RFC 9110 13.2.2).

    `changed` is when the stored answer last changed, or was made where that is not known.
    """
    if if_none_match:
        known = (etag or "").removeprefix("W/")
        tags = [tag.removeprefix("W/") for tag in members(if_none_match)]
        return etag is not None and (known in tags or "*" in tags)
    return if_modified_since is not None and changed is not None and changed <= if_modified_since
