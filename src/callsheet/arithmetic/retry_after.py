"""Reads when a service wants the next request (`Retry-After`, RFC 9110 10.2.3)."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

from callsheet.http.response import Response

NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?\Z")
"""Digits (RFC 9110 10.2.3), and the fraction that some services add: ignoring it could mean to come back too early."""
LONGEST = 1e9
"""Seconds (31 years) that a longer wait is cut to, so that sums with it stay finite."""


def told_pause(response: Response, wall_now: float) -> float | None:
    """Seconds that an answer asks to wait, by `Retry-After` or `retry-after-ms`; None if it does not say.

    A date counts from the answer's own `Date`, so that it does not matter whether the clocks of both sides agree. The field
    in milliseconds is used if it is the same time, more exactly; else the longest time of all that can be read, so
    that no call comes back too early.
    """
    field, exact = response.field(b"retry-after"), response.field(b"retry-after-ms")
    if field is None and exact is None:
        return None
    texts = response.headers.get_list("retry-after") if field is not None else []
    now = served_at(response, wall_now)
    told = [seconds for text in texts if (seconds := seconds_until(text, now)) is not None]
    in_ms = None if exact is None else _number(exact.strip())
    if in_ms is None:
        return max(told, default=None)
    precise = min(in_ms / 1000, LONGEST)
    longest = max(told, default=precise)
    return precise if precise <= longest < precise + 1 else max(longest, precise)


def seconds_until(field: str | None, wall_now: float) -> float | None:
    """`Retry-After` as seconds from now: a number of seconds or an HTTP-date. None if it is absent or neither.

    `wall_now` is the time of day as a Unix timestamp. A date that has passed is 0.0.
    """
    if field is None:
        return None
    text = field.strip()
    number = _number(text)
    if number is not None:
        return min(number, LONGEST)
    moment = _moment(text)
    return None if moment is None else min(max(0.0, moment - wall_now), LONGEST)


def served_at(response: Response, wall_now: float) -> float:
    """The time of day by the service's clock when it answered, as a Unix timestamp; by ours if there is no usable `Date`."""
    moment = _moment(response.field(b"date") or "")
    return wall_now if moment is None else moment


def _moment(text: str) -> float | None:
    try:
        date = parsedate_to_datetime(text.replace(":60 ", ":59 "))  # a leap second (RFC 9110 5.6.7)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _number(text: str) -> float | None:
    return float(text) if NUMBER.match(text) else None
