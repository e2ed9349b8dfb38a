"""Compares this machine's clock with a server's: with a wrong clock, signatures and tokens are refused."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from callsheet.cli.doctor.found import Found, ok, problem, skipped, warning

NEAR = 1.0
"""Seconds up to which the clocks count as equal: a `Date` has whole seconds only."""
UNSURE, TOO_FAR = 30.0, 300.0
"""Seconds of skew: above UNSURE, short-lived tokens begin to be refused; above TOO_FAR, AWS and most others refuse."""


class Skew(NamedTuple):
    """Seconds by which our clock is ahead of a server's (below 0: behind it), and by which that figure may be wrong."""

    seconds: float
    tolerance: float


def skew_of(date: str | None, asked: float, answered: float) -> Skew | None:
    """The skew, from the answer's `Date` and our own time before and after; None if the date cannot be read.

    The server made the date between both moments, without the fraction of the second (RFC 9110 6.6.1).
    """
    try:
        made = parsedate_to_datetime(date or "")
    except (ValueError, OverflowError):
        return None
    theirs = made.replace(tzinfo=made.tzinfo or UTC).timestamp() + 0.5
    return Skew((asked + answered) / 2 - theirs, (answered - asked) / 2 + 0.5)


def of_skew(skew: Skew | None) -> Found:
    """What the doctor says of a skew."""
    if skew is None:
        return skipped("the answer has no Date to compare our clock with")
    certain = max(0.0, abs(skew.seconds) - skew.tolerance)
    data = {"skew_seconds": round(skew.seconds, 1), "tolerance_seconds": round(skew.tolerance, 1)}
    if certain < NEAR:
        return ok(f"its clock and ours agree within {abs(skew.seconds) + skew.tolerance:.1f} s", **data)
    side = "ahead of" if skew.seconds > 0 else "behind"
    text = f"our clock is {_span(certain)} {side} its"
    advice = "set the clock by NTP: tokens and signatures carry the time"
    if certain > TOO_FAR:
        return problem(text, advice, **data)
    return warning(text, advice, **data) if certain > UNSURE else ok(text, **data)


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
