"""The worst that settings allow: attempts of one call, its longest time, and the requests that an outage would cause.

With R calls per second that share budget, breaker and rate limit, n attempts per call, and the names of the settings:

- longest time of a call: min(total, n * attempt + the ceilings of its pauses + redirects * attempt, and over HTTP/2
  2 * attempt for what the service gives back unprocessed). A call that
  waits for a slot, a turn or as long as the service asks (Retry-After) may take longer, but never longer than the total.
- requests per second in an outage: min(R + min(R * (n - 1), ratio * R + floor), the declared rate), on average over the window of the
  budget: the retries of each window are at most ratio * calls + floor * window.
- the breaker opens within max(window, samples / R), where attempts fail at once: the row of failures is then long enough in number
  and in time. It may never open if `samples` do not come within the 60 s for which a failure counts.
- at a `ratio` below 100 % it opens within max(ratio * window, samples / R). After t seconds the successes still
  counted are at most R * (window - t) and the failures at least R * t, so that their share is `ratio` at the latest when
  t = ratio * window; `samples` are known when t = samples / R. It may never open if a window does not hold `samples`.
- once open: `probes` requests after `open` seconds, then after twice as long, up to `max_open`; a fifth sooner at a `ratio` of 100 %,
  whose pauses are a random part of that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from callsheet.arithmetic.backoff import ceiling
from callsheet.plan.idempotency import KEYED_METHODS
from callsheet.settings.breaker import LEAST_PART, RECENT, Breaker
from callsheet.settings.rate_limit import Rate, RateLimit
from callsheet.settings.retry import UNPROCESSED_REPEATS, Budget, Retry
from callsheet.settings.settings import Settings

METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST", "PATCH")
REMEMBERED = 0.9
"""The part of a window that is always counted: older counts are dropped a tenth of the window at a time."""
OUTAGE = 600.0
"""The length in seconds of the outage whose requests are counted."""
Bound = Literal["calls", "retry.attempts", "retry.budget", "rate_limit"]
"""What limits the requests of an outage."""


@dataclass(frozen=True, slots=True)
class Outage:
    """The requests of an outage at `calls_per_second`, if every attempt fails at once.

    At most `requests_per_second` are sent, limited by `bound_by` and averaged over `averaged_over` seconds (None: at any time),
    until the breaker opens within `opens_within` seconds (None: it may never open). From then on at most `probes` requests are
    sent after `first_open` seconds, then after twice as long each time, up to `longest_open` (0 without a breaker).
    `requests` is the sum for an outage of `seconds`.
    """

    calls_per_second: float
    requests_per_second: float
    bound_by: Bound
    averaged_over: float | None
    opens_within: float | None
    probes: int
    first_open: float
    longest_open: float
    seconds: float
    requests: int


@dataclass(frozen=True, slots=True)
class WorstCase:
    """The most that one call may do, and what calls do to a service that is down. Times are in seconds.

    It makes at most `attempts`, or `attempts_once_processed` if the service may have processed the first: the methods in
    `sent_once` are then not repeated without an idempotency key. `redirects` are further requests, and `given_back` those that
    repeat what the service gave back unprocessed over HTTP/2. `pauses` are the longest
    before the second attempt, the third and so on. `trying` is the time of all attempts and pauses, `longest` the part of it
    that fits into `total`, which ends the call whatever it waits for. A transfer (a file or iterator sent, a stream or
    download) ends within `transfer` seconds; None: it goes on until `silence` seconds pass without a byte.
    """

    attempts: int
    attempts_once_processed: int
    sent_once: tuple[str, ...]
    redirects: int
    given_back: int
    pauses: tuple[float, ...]
    attempt: float
    trying: float
    longest: float
    total: float
    transfer: float | None
    silence: float
    outage: Outage


def worst_case(settings: Settings, method: str | None, calls: float, limits: Iterable[RateLimit] = ()) -> WorstCase:
    """The worst case of an operation with this method; of any request if `method` is None.

    `calls` are made per second; `limits` are the rate limits that all of them share.
    """
    attempts = settings.retry.attempts if settings.retry else 1
    sent_once = tuple(each for each in ((method,) if method else METHODS) if not is_repeatable(settings, each))
    pauses = _pauses(settings.retry)
    timeout = settings.timeout
    redirects = settings.redirects.max if settings.redirects else 0
    given_back = UNPROCESSED_REPEATS if settings.http2 and settings.retry else 0
    trying = (attempts + redirects + given_back) * timeout.attempt + sum(pauses)
    return WorstCase(
        attempts=attempts,
        attempts_once_processed=1 if sent_once else attempts,
        sent_once=sent_once,
        redirects=redirects,
        given_back=given_back,
        pauses=pauses,
        attempt=timeout.attempt,
        trying=trying,
        longest=min(timeout.total, trying),
        total=timeout.total,
        transfer=timeout.total if settings.written.total is not None else None,
        silence=timeout.read,
        outage=outage(calls, attempts, settings.retry.budget if settings.retry else None, settings.breaker, limits),
    )


def is_repeatable(settings: Settings, method: str) -> bool:
    """Whether a request by this method may be sent again once the service may have processed it."""
    if settings.idempotent or (settings.retry is not None and method in settings.retry.methods):
        return True
    return settings.idempotency_key is not None and method in KEYED_METHODS


def _pauses(retry: Retry | None) -> tuple[float, ...]:
    if retry is None:
        return ()
    backoff = retry.backoff
    first = max(backoff.first, backoff.throttled)
    return tuple(ceiling(number, first, backoff.max) for number in range(2, retry.attempts + 1))


def outage(
    calls: float, attempts: int, budget: Budget | None, breaker: Breaker | None, limits: Iterable[RateLimit] = ()
) -> Outage:
    """The requests of an outage at `calls` per second, each with at most so many attempts."""
    # In requests, not units: a request costs several units of its limit.
    rates = [Rate(rate.count // limit.cost, rate.seconds) for limit in limits for rate in limit.rates]
    load = Load(calls, attempts, budget, tuple(rates))
    rate, bound_by, averaged_over = load.per_second()
    opens = None if breaker is None else opens_within(breaker, min(calls, rate))
    requests = load.within(OUTAGE)
    if breaker is not None and opens is not None:
        # The time of two calls is added: the formula assumes a steady stream, but calls come one by one.
        before = load.within(opens + 2 / min(calls, rate))
        requests = min(requests, before + breaker.probes * probings(breaker, OUTAGE))
    return Outage(
        calls_per_second=calls,
        requests_per_second=rate,
        bound_by=bound_by,
        averaged_over=averaged_over,
        opens_within=opens,
        probes=breaker.probes if breaker else 0,
        first_open=breaker.open if breaker else 0.0,
        longest_open=breaker.max_open if breaker else 0.0,
        seconds=OUTAGE,
        requests=requests,
    )


@dataclass(frozen=True, slots=True)
class Load:
    """The requests that are sent while every attempt fails and the breaker is closed."""

    calls: float
    attempts: int
    budget: Budget | None
    rates: tuple[Rate, ...]

    def per_second(self) -> tuple[float, Bound, float | None]:
        """The average number of requests per second, what limits it, and over how many seconds the average is taken."""
        wanted = self.calls * (self.attempts - 1)
        found: tuple[float, Bound, float | None] = self.calls + wanted, "retry.attempts" if wanted else "calls", None
        if self.budget and self.budget.ratio * self.calls + self.budget.floor < wanted:
            found = self.calls + self.budget.ratio * self.calls + self.budget.floor, "retry.budget", self.budget.window
        for rate in self.rates:
            if rate.count / rate.seconds < found[0]:
                found = rate.count / rate.seconds, "rate_limit", rate.seconds
        return found

    def within(self, seconds: float) -> int:
        """The most requests in so many seconds, which may begin in the middle of a window."""
        calls = math.floor(self.calls * seconds) + 1
        retries = float(calls * (self.attempts - 1))
        if self.budget:
            windows = math.ceil(seconds / self.budget.window) + 1
            each = self.budget.ratio * (self.calls * self.budget.window + 1) + self.budget.floor * self.budget.window
            retries = min(retries, windows * each)
        most = [(math.floor(seconds / rate.seconds) + 1) * rate.count for rate in self.rates]
        return min(calls + math.floor(retries), *most) if most else calls + math.floor(retries)


def opens_within(breaker: Breaker, attempts: float) -> float | None:
    """Seconds until the breaker opens at the latest, if so many attempts per second all fail; None if it may never open."""
    known = breaker.samples / attempts if attempts else math.inf
    if breaker.ratio >= 1.0:
        return None if known > RECENT else max(breaker.window, known)
    return None if known > REMEMBERED * breaker.window else max(breaker.ratio * breaker.window, known)


def probings(breaker: Breaker, seconds: float) -> int:
    """How often an open breaker lets probes through in so many seconds at most, if they all fail."""
    part = LEAST_PART if breaker.ratio >= 1.0 else 1.0
    count, pause, left = 0, breaker.open * part, seconds
    longest = breaker.max_open * part
    while pause < longest and pause <= left:
        count, left, pause = count + 1, left - pause, pause * 2
    return count + math.floor(left / min(pause, longest))
