"""Dates of HTTP, in the three forms of RFC 9110 5.6.7 and as servers misspell these without doubt about what is meant."""

from __future__ import annotations

import calendar
import functools
import re

MONTHS = {name: number for number, name in enumerate(calendar.month_abbr) if name}
_TIME = r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_FORMS = (
    # IMF-fixdate and RFC 850; with dashes, long years, other zeros of the zone, and without the weekday or its comma.
    re.compile(
        r"(?:[A-Za-z]{3,9},? +)?(?P<day>[0-9]{1,2})(?: +|-)(?P<month>[A-Za-z]{3})(?: +|-)(?P<year>[0-9]{4}|[0-9]{2}) +"
        + _TIME
        + r" +(?:GMT|UTC|Z|[+-]0000)",
        re.IGNORECASE,
    ),
    # asctime
    re.compile(
        r"[A-Za-z]{3} +(?P<month>[A-Za-z]{3}) +(?P<day>[0-9]{1,2}) " + _TIME + r" (?P<year>[0-9]{4})", re.IGNORECASE
    ),
)
CENTURY_TURNS = 70
"""Two digits from here on are of the 20th century: RFC 850 is older than that."""


@functools.lru_cache(maxsize=1024)
def http_date(text: str) -> float | None:
    """A date as a Unix timestamp; None for anything else, such as the `0` and `-1` that servers send as `Expires`."""
    match = next((found for form in _FORMS if (found := form.fullmatch(text.strip()))), None)
    month = MONTHS.get(match["month"].capitalize()) if match else None
    if match is None or month is None:
        return None
    year, day = int(match["year"]), int(match["day"])
    if len(match["year"]) == 2:
        year += 1900 if year >= CENTURY_TURNS else 2000
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"])
    if year < 1 or not 1 <= day <= calendar.monthrange(year, month)[1] or hour > 23 or minute > 59 or second > 60:
        return None
    return float(calendar.timegm((year, month, day, hour, minute, second)))
