"""What a service says about when to come back (RFC 9110 10.2.3)."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

DELTA = re.compile(r"[0-9]+(?:\.[0-9]+)?\Z")
LONGEST = 1e9
"""Seconds, 31 years: a longer wait is as good as for ever, and sums with it stay finite."""


def seconds_until(field: str | None, wall_now: float) -> float | None:
    """`Retry-After` as seconds from now: a number of seconds or an HTTP-date. None if it is absent or neither.

    `wall_now` is the time of day as a Unix timestamp. A date that has passed is 0.0.
    """
    if field is None:
        return None
    text = field.strip()
    if DELTA.match(text):
        return min(float(text), LONGEST)
    try:
        date = parsedate_to_datetime(text)
        moment = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(0.0, moment - wall_now), LONGEST)
