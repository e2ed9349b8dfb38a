"""Writes the worst case in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from callsheet.explain.worst_case import Outage, WorstCase
from callsheet.sheet.forms.quantities import spelled_number, spelled_seconds

WAITS = "for a slot, for a turn, or as long as the service asks (Retry-After)"
MOST_LISTED = 3
"""If there are more pauses, their sum is told."""


def sentences(worst: WorstCase, *, may_transfer: bool) -> Iterator[str]:
    """The most that one call may do, and what an outage would cause, in a paragraph each."""
    yield " ".join(_of_one_call(worst))
    if may_transfer:
        yield _of_a_transfer(worst)
    yield " ".join(_of_an_outage(worst.outage))


def _of_one_call(worst: WorstCase) -> Iterator[str]:
    most = "1 attempt" if worst.attempts == 1 else f"at most {worst.attempts} attempts"
    yield f"A call makes {most} and ends within {_spelled(worst.total)}."
    if worst.trying > worst.total:
        yield f"({_summed(worst)} would be {_spelled(worst.trying)}; `timeout.total` cuts them.)"
    elif worst.trying < worst.total:
        yield f"({_summed(worst)}{_made(worst)}; the rest is for waiting: {WAITS}.)"
    if worst.redirects:
        yield f"It follows at most {worst.redirects} redirects, each a further request."
    if worst.given_back:
        yield f"What the service gives back unprocessed over HTTP/2 is sent again at most {worst.given_back} times more."
    if worst.attempts > 1 and worst.sent_once:
        yield (
            f"A {_listed(worst.sent_once, 'or')} that the service may have processed is not sent again, "
            "unless it carries an idempotency key."
        )


def _summed(worst: WorstCase) -> str:
    requests = worst.attempts + worst.redirects + worst.given_back
    tried = _spelled(worst.attempt) if requests == 1 else f"{requests} times {_spelled(worst.attempt)}"
    if not worst.pauses:
        return tried
    if len(worst.pauses) > MOST_LISTED:
        return f"{tried} and pauses of at most {_spelled(sum(worst.pauses))} in all"
    return f"{tried} and pauses of at most {_listed(map(_spelled, worst.pauses), 'and')}"


def _made(worst: WorstCase) -> str:
    return " for the attempt" if worst.trying == worst.attempt else f" make {_spelled(worst.trying)}"


def _of_a_transfer(worst: WorstCase) -> str:
    silence = _spelled(worst.silence)
    if worst.transfer is None:
        return (
            "A stream, a download or an upload has no limit as a whole, since no `timeout.total` is written: "
            f"it goes on as long as {silence} do not pass without a byte."
        )
    within = _spelled(worst.transfer)
    return f"A stream, a download or an upload ends within {within}, too, and after {silence} without a byte."


def _of_an_outage(outage: Outage) -> Iterator[str]:
    calls = f"{spelled_number(outage.calls_per_second)} {_plural(outage.calls_per_second, 'call')}/s"
    rate = f"{_rounded(outage.requests_per_second)} {_plural(outage.requests_per_second, 'request')}/s"
    becomes = f"{calls} stay {rate}" if outage.bound_by == "calls" else f"{calls} become at most {rate}{_bound(outage)}"
    yield f"In an outage, {becomes} {_how_long(outage)}"
    total = f"{_rounded(outage.calls_per_second * outage.seconds)} calls"
    yield f"In {outage.seconds / 60:g} minutes that makes at most {outage.requests:,} requests of {total}."


def _bound(outage: Outage) -> str:
    over = f", averaged over {_spelled(outage.averaged_over)}" if outage.averaged_over else ""
    return f" (`{outage.bound_by}`{over})"


def _how_long(outage: Outage) -> str:
    if not outage.probes:
        return "for as long as it lasts: the breaker is off."
    if outage.opens_within is None:
        return (
            "for as long as it lasts: at so few calls the breaker may never open (`breaker.samples`, `breaker.window`)."
        )
    first, longest = _spelled(outage.first_open), _spelled(outage.longest_open)
    every = f"every {first}" if first == longest else f"after {first}, then ever more seldom, up to every {longest}"
    probes = f"{outage.probes} {_plural(outage.probes, 'probe')}"
    opens = _spelled(outage.opens_within)
    return (
        f"for at most {opens}, if attempts fail at once; then the breaker is open, and lets {probes} through {every}."
    )


def _spelled(seconds: float) -> str:
    return spelled_seconds(round(seconds, 3))


def _plural(number: float, noun: str) -> str:
    return noun if number == 1 else f"{noun}s"


def _rounded(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 or number == int(number) else f"{number:.3g}"


def _listed(words: Iterable[str], joint: str) -> str:
    *others, last = words
    return f"{', '.join(others)} {joint} {last}" if others else last
