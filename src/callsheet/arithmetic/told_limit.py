"""Reads what a service says of its own limits in the header fields of an answer.

`RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers, structured fields, RFC 9651), the three fields of
its earlier revisions (`RateLimit-Limit -Remaining -Reset`), and `X-RateLimit-*` as GitHub, GitLab, Reddit, Okta, OpenAI and
others send them. What cannot be read is ignored.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import http_sf

from callsheet.arithmetic.retry_after import LONGEST, served_at
from callsheet.http.response import Response

EPOCH = 1e9
"""A reset from this number on is a time of day (2001 or later), a smaller one a number of seconds from now."""
MILLISECONDS = 1e11
"""A time of day from this number on is in milliseconds."""
MOST = 10**12
INITIALS = b"rRxX"
"""The first letters of `RateLimit` and `X-RateLimit-Remaining`."""
NUMBER = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,9})?\Z")
DURATION = re.compile(
    r"(?:([0-9]{1,6})d)?(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,9}(?:\.[0-9]{1,9})?)s)?(?:([0-9]{1,9})ms)?\Z"
)
"""A reset as OpenAI and Groq write it: `6m0s`, `1.2s`, `20ms`."""
REMAINING = re.compile(r"(?:x-)?rate-?limit-remaining(-[a-z0-9-]{1,40})?\Z")
NO_REQUESTS = frozenset({"-tokens", "-input-tokens", "-output-tokens"})
"""Endings of fields that count something else than requests."""


class ToldLimit(NamedTuple):
    """At most `remaining` more units within the next `seconds`."""

    remaining: int
    seconds: float


def told_limit(response: Response, wall_clock: Callable[[], float]) -> ToldLimit | None:
    """The limit that an answer tells; of several, the one that allows the least per second. None if it tells none.

    `wall_clock` gives the time of day as a Unix timestamp, for a reset that is one in an answer without a `Date`.
    """
    fields = _candidates(response)
    if not fields:
        return None
    found = [*_structured(fields), *_separate(fields, served_at(response, wall_clock()))]
    return min(found, key=_allowed, default=None)


def _allowed(told: ToldLimit) -> tuple[float, float]:
    return told.remaining / max(told.seconds, 0.001), -told.seconds


def _candidates(response: Response) -> dict[str, list[str]]:
    """The fields that may tell a limit, by name. Most answers have none, so only the first letter of each line is compared."""
    lines = response.lines_with(INITIALS)
    if not lines:
        return {}
    fields: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.decode("latin-1").partition(":")
        if "rate" in name.lower():
            fields.setdefault(name.lower(), []).append(value.strip())
    return fields


def _structured(fields: dict[str, list[str]]) -> Iterable[ToldLimit]:
    """Limits of `RateLimit: "default";r=50;t=30`; without a `t` the time is the window of the policy with that name."""
    text = ", ".join(fields.get("ratelimit", ()))
    windows = {
        str(name): parameters.get("w") for name, parameters in _members(", ".join(fields.get("ratelimit-policy", ())))
    }
    for name, parameters in _members(text):
        yield from _told(parameters.get("r"), parameters.get("t", windows.get(str(name))))
    earlier = _parsed(text, "dictionary") or {}  # as in revision 07: `limit=100, remaining=50, reset=5`
    yield from _told(*(earlier.get(name, (None,))[0] for name in ("remaining", "reset")))


def _told(remaining: object, reset: object) -> Iterable[ToldLimit]:
    count, seconds = _count(remaining), _seconds(reset)
    if count is not None and seconds is not None:
        yield ToldLimit(count, seconds)


def _members(text: str) -> list[tuple[Any, dict[str, Any]]]:
    return [member for member in _parsed(text, "list") or () if not isinstance(member[0], list)]


def _parsed(text: str, kind: str) -> Any:
    """The parsed structured field; None if it is malformed, so that the whole field is ignored (RFC 9651 4.2)."""
    try:
        return http_sf.parse(text.encode("ascii"), tltype=kind) if text else None
    except (ValueError, UnicodeEncodeError):
        return None


def _separate(fields: dict[str, list[str]], wall_now: float) -> Iterable[ToldLimit]:
    """Limits of `X-RateLimit-Remaining` and `X-RateLimit-Reset` with the same ending, such as `-requests`."""
    for name, values in fields.items():
        match = REMAINING.match(name)
        if match is None or match[1] in NO_REQUESTS:
            continue
        reset = fields.get(name.replace("remaining", "reset"), fields.get(name.replace("remaining", "reset-after")))
        yield from _told(_first(values), None if reset is None else _reset(_first(reset), wall_now))


def _first(values: list[str]) -> str:
    """The number before a comma or parameters: `10, 10;w=1` in the draft's earlier revisions."""
    return re.split(r"[,;]", values[0], maxsplit=1)[0].strip()


def _reset(text: str, wall_now: float) -> float | None:
    if NUMBER.match(text):
        number = float(text)
        if number < EPOCH:
            return number
        moment = number / 1000 if number >= MILLISECONDS else number
        return min(max(0.0, moment - wall_now), LONGEST)
    match = DURATION.match(text) if text else None
    if match is None:
        return None
    units = (86400.0, 3600.0, 60.0, 1.0, 0.001)
    return sum(float(amount) * unit for amount, unit in zip(match.groups(), units, strict=True) if amount)


def _count(value: object) -> int | None:
    if isinstance(value, str):
        value = float(value) if NUMBER.match(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST:
        return None
    return math.floor(value)


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST:
        return None
    return float(value)
