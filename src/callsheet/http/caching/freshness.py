"""For how long an answer serves, and how old it is (RFC 9111 4.2)."""

from __future__ import annotations

from typing import NamedTuple

from callsheet.http.caching.dates import http_date
from callsheet.http.caching.fields import Directives, Fields, directives, first, number, seconds, values, vary_names

HEURISTIC = frozenset({200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501})
"""Statuses that serve for a guessed time where the answer says none (RFC 9110 15.1); 206 is not stored here."""
GUESSED_SHARE, LONGEST_GUESS = 0.1, 86400.0
"""A tenth of the time since it last changed (RFC 9111 4.2.2), a day at most."""
OLDEST = float(2**31)
CLOCKS_DIFFER = 60.0
"""Seconds by which an answer may be of the future: the clocks of machines that share a store are that far apart."""


class Facts(NamedTuple):
    """What an answer says of its own storing. Times are Unix timestamps or seconds; None where it says nothing.

    `age` is how old it was when it came. `names` are the request fields it varies on, None for all.
    """

    said: Directives
    lifetime: float
    is_guessed: bool
    age: float
    etag: str | None
    last_modified: str | None
    names: tuple[str, ...] | None

    @property
    def must_validate(self) -> bool:
        """Whether it serves only after the service has been asked (`no-cache` without names of fields, RFC 9111 5.2.2.4)."""
        return "no-cache" in self.said and not self.said["no-cache"]

    @property
    def has_validator(self) -> bool:
        """Whether the service can be asked if it is still good."""
        return self.etag is not None or self.last_modified is not None


def facts_of(status: int, fields: Fields, asked: float, answered: float) -> Facts:
    """The facts of an answer whose request was sent at `asked` and which came at `answered`, both Unix timestamps."""
    said = directives(values(fields, "cache-control"))
    told = http_date(first(fields, "date") or "")
    date = answered if told is None else told
    explicit = explicit_lifetime(said, fields, date)
    return Facts(
        said,
        _guess(status, said, fields, date) if explicit is None else explicit,
        explicit is None,
        _initial_age(values(fields, "age"), date, asked, answered),
        first(fields, "etag"),
        first(fields, "last-modified"),
        vary_names(fields),
    )


def age_now(facts: Facts, answered: float, now: float) -> float:
    """How old the answer is now (RFC 9111 4.2.3); as old as can be if the clock has been set back since it came."""
    resident = now - answered
    return OLDEST if resident < -CLOCKS_DIFFER else facts.age + max(0.0, resident)


def explicit_lifetime(said: Directives, fields: Fields, date: float) -> float | None:
    """The seconds that the answer itself gives: by `max-age`, else by `Expires`, which is over if it is no date."""
    max_age = seconds(said, "max-age")
    if max_age is not None:
        return max_age
    expires = first(fields, "expires")
    if expires is None:
        return None
    end = http_date(expires)
    return 0.0 if end is None else max(0.0, end - date)


def _guess(status: int, said: Directives, fields: Fields, date: float) -> float:
    changed = http_date(first(fields, "last-modified") or "")
    if changed is None or not (status in HEURISTIC or "public" in said):
        return 0.0
    return min(max(0.0, date - changed) * GUESSED_SHARE, LONGEST_GUESS)


def _initial_age(ages: list[str], date: float, asked: float, answered: float) -> float:
    """How old the answer was when it came (RFC 9111 4.2.3). An `Age` that is no single number makes it as old as can be."""
    age = 0.0 if not ages else number(ages[0].strip()) if len(ages) == 1 else None
    if age is None:
        return OLDEST
    return max(0.0, answered - date, age + max(0.0, answered - asked))
