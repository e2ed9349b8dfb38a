"""The worst case by arithmetic, held against small simulations of what it bounds."""

import math
from collections import deque
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.call import Attempt, Call
from callsheet.errors import NotSent
from callsheet.explain.worst_case import OUTAGE, Load, opens_within, outage, probings, worst_case
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.policies import breaker as policies
from callsheet.settings import Backoff, Breaker, Budget, IdempotencyKey, Rate, RateLimit, Redirects, Retry, Settings
from callsheet.settings.breaker import ShareBreaker
from callsheet.settings.timeout import Timeout, WrittenTimeout
from callsheet.verdicts import Refuse

SETTINGS = Settings("https://shop.test")


def worst(method="GET", calls=100.0, limits=(), **changed):
    return worst_case(replace(SETTINGS, **changed), method, calls, limits)


@pytest.mark.parametrize(
    ("method", "changed", "attempts", "once_processed"),
    [
        ("GET", {}, 3, 3),
        ("DELETE", {}, 3, 3),
        ("POST", {}, 3, 1),
        ("PATCH", {}, 3, 1),
        ("GET", {"retry": None}, 1, 1),
        ("POST", {"retry": None}, 1, 1),
        ("POST", {"retry": Retry(attempts=5)}, 5, 1),
        ("POST", {"idempotent": True}, 3, 3),
        ("POST", {"idempotency_key": IdempotencyKey()}, 3, 3),
        ("PATCH", {"idempotency_key": IdempotencyKey(source="argument")}, 3, 3),
        ("POST", {"retry": Retry(methods=frozenset({"POST"}))}, 3, 3),
        ("GET", {"retry": Retry(methods=frozenset({"POST"}))}, 3, 1),
        ("GET", {"retry": Retry(methods=frozenset()), "idempotency_key": IdempotencyKey()}, 3, 1),
        (None, {}, 3, 1),
        (None, {"idempotency_key": IdempotencyKey()}, 3, 3),
    ],
)
def test_attempts_of_one_call(method, changed, attempts, once_processed):
    found = worst(method, **changed)
    assert (found.attempts, found.attempts_once_processed) == (attempts, once_processed)


def test_the_methods_that_are_sent_once():
    assert worst(None).sent_once == ("POST", "PATCH")
    assert worst("POST").sent_once == ("POST",)
    assert worst("GET").sent_once == ()


@pytest.mark.parametrize(
    ("changed", "pauses", "trying", "longest"),
    [
        ({}, (1.0, 2.0), 33.0, 30.0),
        ({"retry": None}, (), 10.0, 10.0),
        ({"timeout": Timeout(attempt=3.0)}, (1.0, 2.0), 12.0, 12.0),
        ({"timeout": Timeout(attempt=3.0), "redirects": Redirects(max=2)}, (1.0, 2.0), 18.0, 18.0),
        ({"timeout": Timeout(attempt=3.0), "http2": True}, (1.0, 2.0), 18.0, 18.0),
        ({"timeout": Timeout(attempt=3.0), "http2": True, "retry": None}, (), 3.0, 3.0),
        ({"retry": Retry(attempts=4, backoff=Backoff(5.0, 8.0, 5.0))}, (5.0, 8.0, 8.0), 61.0, 30.0),
    ],
)
def test_the_longest_time_of_one_call(changed, pauses, trying, longest):
    found = worst(**changed)
    assert (found.pauses, found.trying, found.longest) == (pauses, trying, longest)


def test_a_transfer_has_only_the_total_that_was_written():
    assert worst().transfer is None
    assert worst().silence == 10.0
    written = WrittenTimeout(total=60.0)
    assert worst(written=written, timeout=written.resolved()).transfer == 60.0


@pytest.mark.parametrize(
    ("calls", "changed", "limits", "rate", "bound_by", "over"),
    [
        (100.0, {}, (), 130.0, "retry.budget", 10.0),
        (1.0, {}, (), 3.0, "retry.attempts", None),
        (100.0, {"retry": None}, (), 100.0, "calls", None),
        (100.0, {"retry": Retry(attempts=1)}, (), 100.0, "calls", None),
        (100.0, {"retry": Retry(attempts=2, budget=Budget(1.0, 0.0))}, (), 200.0, "retry.attempts", None),
        (100.0, {"retry": Retry(budget=None)}, (), 300.0, "retry.attempts", None),
        (100.0, {}, (RateLimit((Rate(120, 1.0), Rate(600, 60.0))),), 10.0, "rate_limit", 60.0),
        (100.0, {}, (RateLimit((Rate(50, 1.0),), cost=5),), 10.0, "rate_limit", 1.0),
        (100.0, {}, (RateLimit((Rate(500, 1.0),)),), 130.0, "retry.budget", 10.0),
        (100.0, {}, (RateLimit((Rate(90, 1.0),)), RateLimit((Rate(20, 1.0),))), 20.0, "rate_limit", 1.0),
    ],
)
def test_requests_per_second_in_an_outage(calls, changed, limits, rate, bound_by, over):
    found = worst(calls=calls, limits=limits, **changed).outage
    assert (found.requests_per_second, found.bound_by, found.averaged_over) == (pytest.approx(rate), bound_by, over)


@pytest.mark.parametrize(
    ("attempts", "breaker", "seconds"),
    [
        (100.0, Breaker(), 2.0),
        (1.0, Breaker(), 20.0),
        (0.4, Breaker(), 50.0),
        (0.3, Breaker(), None),
        (0.0, Breaker(), None),
        (100.0, ShareBreaker(), 15.0),
        (1.0, ShareBreaker(), 20.0),
        (0.5, ShareBreaker(), None),
        (100.0, ShareBreaker(ratio=0.1, samples=1000), 10.0),
    ],
)
def test_when_a_breaker_is_open_at_the_latest(attempts, breaker, seconds):
    assert opens_within(breaker, attempts) == seconds


@pytest.mark.parametrize(
    ("seconds", "count"), [(4.9, 0), (5.0, 1), (14.9, 1), (15.0, 2), (35.0, 3), (75.0, 4), (135.0, 5), (195.0, 6)]
)
def test_how_often_an_open_breaker_lets_probes_through(seconds, count):
    assert probings(ShareBreaker(), seconds) == count


@pytest.mark.parametrize(
    ("seconds", "count"), [(0.7, 0), (0.8, 1), (2.3, 1), (2.4, 2), (5.6, 3), (9.6, 4), (13.6, 5), (17.6, 6)]
)
def test_pauses_that_a_random_part_shortens_are_reckoned_at_their_shortest(seconds, count):
    assert probings(Breaker(), seconds + 1e-9) == count


def test_the_requests_of_an_outage_are_those_before_the_breaker_opens_and_the_probes():
    found = worst(retry=None).outage
    assert found.seconds == OUTAGE
    assert found.requests == 100 * 2 + 3 + probings(Breaker(), OUTAGE)
    assert (found.opens_within, found.probes, found.first_open, found.longest_open) == (2.0, 1, 1.0, 5.0)
    share = worst(retry=None, breaker=ShareBreaker()).outage
    assert share.requests == 100 * 15 + 3 + 3 * probings(ShareBreaker(), OUTAGE)
    assert (share.opens_within, share.probes, share.first_open, share.longest_open) == (15.0, 3, 5.0, 60.0)


def test_without_a_breaker_an_outage_costs_as_long_as_it_lasts():
    found = worst(retry=None, breaker=None).outage
    assert found.requests == 100 * OUTAGE + 1
    assert (found.opens_within, found.probes, found.longest_open) == (None, 0, 0.0)


SECONDS = st.floats(0.5, 60.0)
CALLS = st.floats(0.2, 40.0)


def times(per_second, seconds):
    return [number / per_second for number in range(math.floor(per_second * seconds) + 1)]


@given(
    calls=CALLS,
    attempts=st.integers(1, 5),
    ratio=st.floats(0, 1),
    floor=st.floats(0, 20),
    window=st.floats(1, 20),
    lead=st.floats(0, 20),
    seconds=SECONDS,
)
def test_a_budget_that_is_spent_at_once_stays_within_the_bound(calls, attempts, ratio, floor, window, lead, seconds):
    """Each call wants all its retries at once; a retry is made if those of the window stay within the budget."""
    budget = Budget(ratio, floor, window)
    made, called, sent = deque(), deque(), 0
    for now in times(calls, lead + seconds):
        called.append(now)
        while called[0] <= now - window:
            called.popleft()
        while made and made[0] <= now - window:
            made.popleft()
        is_out = now >= lead
        sent += is_out
        for _ in range(attempts - 1 if is_out else 0):
            if len(made) + 1 > ratio * len(called) + floor * window:
                break
            made.append(now)
            sent += 1
        if is_out:
            assert len(made) <= ratio * (calls * window + 1) + floor * window
    bound = outage(calls, attempts, budget, None)
    assert sent <= Load(calls, attempts, budget, ()).within(seconds + 1e-9)  # the sum above is rounded
    assert bound.requests_per_second <= calls * attempts + 1e-9
    assert bound.requests_per_second <= calls * (1 + ratio) + floor + 1e-9


@given(calls=CALLS, attempts=st.integers(1, 4), count=st.integers(1, 30), window=st.floats(0.5, 20), seconds=SECONDS)
def test_no_more_is_sent_than_a_declared_rate_admits(calls, attempts, count, window, seconds):
    admitted, sent = deque(), 0
    for now in times(calls, seconds):
        for _ in range(attempts):
            while admitted and admitted[0] <= now - window:
                admitted.popleft()
            if len(admitted) < count:
                admitted.append(now)
                sent += 1
    assert sent <= Load(calls, attempts, None, (Rate(count, window),)).within(seconds + 1e-9)


class SimulatedBreaker:
    """Counts in tenths of its window, opens and probes: what the formulas are about, in a few lines."""

    def __init__(self, settings):
        self.settings = settings
        self.counts = deque()
        self.until = None
        self.pause = settings.open

    def lets_through(self, now):
        return self.until is None or now >= self.until

    def add(self, now, has_failed):
        if self.until is not None:
            return
        width = self.settings.window / 10
        tenth = math.floor(now / width)
        self.counts.append((tenth, has_failed))
        while self.counts[0][0] <= tenth - 10:
            self.counts.popleft()
        failures = sum(failed for _, failed in self.counts)
        if (
            has_failed
            and len(self.counts) >= self.settings.samples
            and failures >= self.settings.ratio * len(self.counts)
        ):
            self.until = now + self.pause

    def probes_fail(self, now):
        self.pause = min(self.pause * 2, self.settings.max_open)
        self.until = now + self.pause


BREAKERS = st.builds(
    ShareBreaker,
    ratio=st.floats(0.05, 0.999),
    samples=st.integers(1, 40),
    window=st.floats(2.0, 30.0),
    open=st.floats(0.5, 5.0),
    max_open=st.floats(5.0, 60.0),
    probes=st.integers(1, 5),
)


@given(breaker=BREAKERS, calls=CALLS, healthy=st.floats(0, 60))
def test_a_breaker_opens_in_time_after_any_spell_of_health(breaker, calls, healthy):
    within = opens_within(breaker, calls)
    simulated = SimulatedBreaker(breaker)
    opened = None
    for now in times(calls, healthy + 2 * breaker.window):
        simulated.add(now, now >= healthy)
        if simulated.until is not None:
            opened = now - healthy
            break
    if within is not None:
        # The formula takes calls for a steady stream; they come one by one.
        assert opened is not None
        assert opened <= within + 2 / calls + 1e-6


@given(breaker=BREAKERS, seconds=st.floats(1, 600))
def test_an_open_breaker_probes_no_more_often_than_reckoned(breaker, seconds):
    simulated = SimulatedBreaker(breaker)
    simulated.until, probed = breaker.open, 0
    while simulated.until <= seconds:
        probed += 1
        simulated.probes_fail(simulated.until)
    assert probed <= probings(breaker, seconds) <= probed + 1


ROWS = st.builds(
    Breaker,
    samples=st.integers(1, 40),
    window=st.floats(0.1, 30.0),
    open=st.floats(0.5, 5.0),
    max_open=st.floats(5.0, 60.0),
    probes=st.integers(1, 5),
)


@given(breaker=ROWS, calls=CALLS, drawn=st.floats(0.0, 1.0))
def test_a_row_of_failures_opens_it_in_time_and_probes_no_more_often_than_reckoned(breaker, calls, drawn):
    """The breaker itself, under a steady stream of attempts that fail at once."""
    policy, opened, probed = policies.Breaker(breaker, lambda: drawn), None, 0
    for now in times(calls, 200.0):
        attempt = Attempt(Call(Request("GET", "https://shop.test/", Headers()), Timeout(), now, None), 1)
        attempt.began, attempt.outcome = now, NotSent("refused")
        if not isinstance(policy.before(attempt, now), Refuse):
            probed += opened is not None
            policy.after(attempt, now)
        if opened is None and policy.state == "open":
            opened = now
    within = opens_within(breaker, calls)
    if within is not None and within + 2 / calls < 200.0:
        assert opened is not None
        assert opened <= within + 2 / calls + 1e-6
    if opened is not None:
        assert probed <= probings(breaker, 200.0 - opened + 1e-9)


@given(
    calls=st.floats(0.2, 20),
    breaker=BREAKERS | ROWS,
    attempts=st.integers(1, 4),
    cost=st.integers(1, 3),
    count=st.integers(3, 50),
)
def test_whatever_protects_only_lowers_the_requests(calls, breaker, attempts, cost, count):
    limit = RateLimit((Rate(count, 1.0),), cost=cost)
    bare = outage(calls, attempts, None, None)
    for protected in (
        outage(calls, attempts, Budget(), None),
        outage(calls, attempts, None, breaker),
        outage(calls, attempts, None, None, [limit]),
        outage(calls, attempts, Budget(), breaker, [limit]),
    ):
        assert protected.requests <= bare.requests
        assert protected.requests_per_second <= bare.requests_per_second
