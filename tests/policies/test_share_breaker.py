"""A breaker that opens at a share of failures: when a service is left alone, and when it is tried again."""

import pytest
from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from callsheet.arithmetic.rolling_window import BUCKETS
from callsheet.call import Attempt, Call
from callsheet.errors import (
    AttemptTimeout,
    BreakerOpen,
    ConnectTimeout,
    DeadlinePassed,
    DecodeError,
    LimitReached,
    LocalFault,
    MalformedAnswer,
    NoAnswer,
    NotSent,
    ResponseTooLarge,
    TLSError,
    UsageError,
)
from callsheet.events import NO_CALL, BreakerChanged
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.policies.breaker import ShareBreaker, failed, open_for
from callsheet.settings.breaker import ShareBreaker as Settings
from callsheet.settings.timeout import Timeout
from callsheet.verdicts import Refuse, Tell
from tests.policies.conftest import NOW, Ticket

QUICK = Settings(samples=4, probes=2)


def attempt_at(now):
    request = Request("GET", "https://shop.test/things", Headers())
    attempt = Attempt(Call(request, Timeout(), now, Ticket, service="shop", operation="get"), 1)
    attempt.began, attempt.allowed = now, 10.0
    return attempt


def sent(breaker, at=NOW):
    """An attempt that the breaker let through."""
    attempt = attempt_at(at)
    assert not isinstance(breaker.before(attempt, at), Refuse)
    return attempt


def over(breaker, attempt, outcome, at=NOW):
    """The attempt ends with this outcome; what the breaker says."""
    request = attempt.call.request
    attempt.outcome = Response(outcome, request=request) if isinstance(outcome, int) else outcome
    verdict = breaker.after(attempt, at)
    if breaker in attempt.held:
        breaker.let_go(attempt, True)
    return verdict


def made(breaker, outcome, at=NOW):
    return over(breaker, sent(breaker, at), outcome, at)


def refused(breaker, at=NOW):
    request = Request("GET", "https://shop.test/things", Headers())
    verdict = breaker.before(Attempt(Call(request, Timeout(), at, Ticket), 1), at)
    return verdict.error if isinstance(verdict, Refuse) else None


def opened(at=NOW, settings=QUICK):
    breaker = ShareBreaker(settings)
    for _ in range(settings.samples):
        made(breaker, 503, at)
    assert breaker.state == "open"
    return breaker


@pytest.mark.parametrize("outcome", [500, 503, NotSent("a"), NoAnswer("b"), MalformedAnswer("c"), TLSError("d")])
def test_what_the_service_or_the_way_did_wrong_is_a_failure(attempt_of, outcome):
    assert failed(attempt_of(outcome)) is True


@pytest.mark.parametrize("outcome", [200, 301, 400, 401, 404, 408, 422, DecodeError("a"), ResponseTooLarge("b")])
def test_an_answer_shows_that_the_service_is_there(attempt_of, outcome):
    assert failed(attempt_of(outcome)) is False


IDLE = NoAnswer("lost", on_kept_connection=True)
REFUSED = NotSent("refused", on_kept_connection=True)
CREDENTIALS = NotSent("the proxy wants other credentials", is_local=True)
LOCAL, CERT = LocalFault("no descriptor"), TLSError("our certificate cannot be read", is_local=True)
NOTHING = [
    407,
    429,
    BreakerOpen("a"),
    LimitReached("b"),
    UsageError("closed"),
    IDLE,
    REFUSED,
    CREDENTIALS,
    LOCAL,
    CERT,
    None,
]


@pytest.mark.parametrize("outcome", NOTHING)
def test_some_outcomes_say_nothing_of_the_service(attempt_of, outcome):
    assert failed(attempt_of(outcome)) is None


@pytest.mark.parametrize(
    ("meaning", "found"), [("rate_limited", None), ("transient", True), ("failed", False), ("ignored", False)]
)
def test_what_a_rule_says_counts_more_than_the_status(attempt_of, meaning, found):
    attempt = attempt_of(200)
    attempt.meaning = meaning
    assert failed(attempt) is found


@pytest.mark.parametrize("outcome", [AttemptTimeout("slow"), DeadlinePassed("total")])
@pytest.mark.parametrize(("allowed", "found"), [(10.0, True), (9.5, True), (2.0, None)])
def test_only_an_attempt_with_its_whole_time_shows_that_the_service_is_slow(attempt_of, outcome, allowed, found):
    attempt = attempt_of(outcome)
    attempt.allowed = allowed
    assert failed(attempt) is found


@pytest.mark.parametrize(("allowed", "found"), [(6.0, True), (5.0, True), (1.0, None)])
def test_a_connection_that_was_not_made_within_its_limit_is_a_failure(attempt_of, allowed, found):
    attempt = attempt_of(ConnectTimeout("slow"))
    attempt.allowed = allowed
    assert failed(attempt) is found


@pytest.mark.parametrize(
    ("outcome", "given"), [(AttemptTimeout("read"), {"read": 0.05}), (ConnectTimeout("c"), {"connect": 0.01})]
)
def test_an_impatient_callers_limits_say_nothing_of_the_service(attempt_of, outcome, given):
    attempt = attempt_of(outcome)
    attempt.allowed, attempt.call.timeout = 10.0, Timeout(**given)
    assert failed(attempt) is None


def test_a_stream_that_stays_open_counts_once_as_a_probe():
    breaker = opened(settings=Settings(samples=4, probes=3))
    streams = sent(breaker, NOW + 5.0)
    streams.outcome = Response(200, request=streams.call.request)
    breaker.after(streams, NOW + 5.0)
    for _ in range(2):
        made(breaker, 200, NOW + 6.0)
    assert breaker.state == "closed"


def test_a_service_that_hangs_opens_it_also_where_one_try_may_take_all_of_the_total(attempt_of):
    attempt = attempt_of(DeadlinePassed("total"), total=3.0)
    attempt.call.granted, attempt.allowed = Timeout(attempt=3.0, total=3.0), 2.999
    assert failed(attempt) is True


def test_it_opens_at_the_ratio_once_there_are_enough_samples():
    breaker = ShareBreaker(Settings(ratio=0.5, samples=4))
    assert [made(breaker, status) for status in (503, 503, 503)] == [None] * 3
    assert breaker.state == "closed"
    assert made(breaker, 503) == Tell(BreakerChanged(*NO_CALL, "open", 4, 4, 5.0))


def test_it_stays_closed_below_the_ratio():
    breaker = ShareBreaker(Settings(ratio=0.5, samples=4))
    for status in (200, 200, 200, 503, 503, 200, 503):
        made(breaker, status)
    assert (breaker.state, breaker.counted(NOW)) == ("closed", (3, 7))


def test_what_is_older_than_the_window_counts_no_more():
    breaker = ShareBreaker(Settings(samples=4, window=30.0))
    for at in (NOW, NOW + 1, NOW + 2, NOW + 40):
        made(breaker, 503, at)
    assert (breaker.state, breaker.counted(NOW + 40)) == ("closed", (1, 1))


def test_an_open_one_refuses_and_says_for_how_long():
    error = refused(opened(), NOW + 1.0)
    assert isinstance(error, BreakerOpen)
    assert error.retry_after == 4.0
    assert "left alone for another 4.0 s (breaker); nothing was sent" in str(error)


def test_after_its_time_a_few_probes_are_let_through_and_no_more():
    breaker = opened()
    probes = [sent(breaker, NOW + 5.0) for _ in range(2)]
    assert breaker.state == "half-open"
    assert "a few attempts try it out" in str(refused(breaker, NOW + 5.0))
    assert all(breaker in probe.held for probe in probes)


def test_the_change_to_half_open_is_told():
    breaker = opened()
    request = Request("GET", "https://shop.test/things", Headers())
    probe = Attempt(Call(request, Timeout(), NOW, Ticket, service="shop", operation="get"), 1)
    assert breaker.before(probe, NOW + 5.0) == Tell(BreakerChanged(*NO_CALL, "half-open", 0, 0, 0.0))


def test_a_probe_asked_again_after_a_wait_keeps_its_place():
    breaker = opened()
    probe = sent(breaker, NOW + 5.0)
    assert breaker.before(probe, NOW + 6.0) is None
    assert len(breaker.probing) == 1


def test_probes_that_go_well_close_it():
    breaker = opened()
    assert made(breaker, 200, NOW + 5.0) is None
    assert made(breaker, 404, NOW + 5.1) == Tell(BreakerChanged(*NO_CALL, "closed", 0, 0, 0.0))
    assert (breaker.state, breaker.counted(NOW + 6)) == ("closed", (0, 0))


def test_a_probe_that_fails_opens_it_for_twice_as_long():
    breaker, at = opened(), NOW
    for seconds in (5.0, 10.0, 20.0, 40.0, 60.0, 60.0):
        assert refused(breaker, at + seconds - 0.1) is not None
        at += seconds
        made(breaker, 503, at)
        assert breaker.state == "open"


def test_once_closed_it_opens_for_the_first_time_again():
    breaker = opened()
    made(breaker, 503, NOW + 5.0)
    for _ in range(2):
        made(breaker, 200, NOW + 15.0)
    assert breaker.state == "closed"
    for _ in range(4):
        made(breaker, 503, NOW + 16.0)
    assert breaker.until == NOW + 21.0


@pytest.mark.parametrize("outcome", [429, LimitReached("ours"), None])
def test_a_probe_that_says_nothing_gives_its_place_to_another(outcome):
    breaker = opened()
    sent(breaker, NOW + 5.0)
    made(breaker, outcome, NOW + 5.0)
    assert (breaker.state, len(breaker.probing)) == ("half-open", 1)
    sent(breaker, NOW + 5.0)


def test_stragglers_of_an_earlier_time_count_for_nothing():
    """A hundred attempts that hang when it opens end when it has long closed again."""
    breaker = ShareBreaker(QUICK)
    stragglers = [sent(breaker) for _ in range(100)]
    for _ in range(4):
        made(breaker, 503)
    for _ in range(2):
        made(breaker, 200, NOW + 5.0)
    for attempt in stragglers:
        over(breaker, attempt, AttemptTimeout("slow"), NOW + 9.0)
    assert (breaker.state, breaker.counted(NOW + 9.0)) == ("closed", (0, 0))


def test_a_probe_of_an_earlier_half_open_time_takes_no_place_away():
    breaker = opened()
    late = sent(breaker, NOW + 5.0)
    made(breaker, 503, NOW + 5.1)
    sent(breaker, NOW + 15.1)
    over(breaker, late, 200, NOW + 15.2)
    assert (breaker.state, len(breaker.probing), breaker.proven) == ("half-open", 1, 0)


def test_a_probe_of_an_earlier_round_that_still_waits_to_be_sent_is_asked_about_anew():
    breaker = opened()
    waits = sent(breaker, NOW + 5.0)
    made(breaker, 503, NOW + 5.1)
    assert isinstance(breaker.before(waits, NOW + 6.0), Refuse)
    breaker.before(waits, NOW + 15.1)
    assert (breaker.state, list(breaker.probing)) == ("half-open", [waits])


@pytest.mark.parametrize("status", [200, 503])
def test_forced_open_refuses_whatever_happens(status):
    breaker = ShareBreaker(QUICK)
    attempt = sent(breaker)
    breaker.force("forced-open", NOW)
    over(breaker, attempt, status)
    assert "forced open" in str(refused(breaker, NOW + 1000))


def test_forced_closed_lets_through_whatever_happens():
    breaker = ShareBreaker(QUICK)
    breaker.force("forced-closed", NOW)
    for _ in range(50):
        made(breaker, 503)
    assert refused(breaker) is None


def test_reset_begins_anew():
    breaker = opened()
    breaker.force("closed", NOW)
    assert refused(breaker) is None
    for _ in range(3):
        made(breaker, 503)
    assert breaker.state == "closed"


def test_the_time_it_stays_open_is_bounded_however_often_it_opened():
    assert [open_for(Settings(), n) for n in (0, 1, 3, 4, 5, 10_000)] == [5.0, 10.0, 40.0, 60.0, 60.0, 60.0]


class Model:
    """The breaker in ten lines: a log of samples, and three states."""

    def __init__(self, settings):
        self.s, self.log, self.state, self.until, self.times, self.good = settings, [], "closed", 0.0, 0, 0

    def may_pass(self, now):
        if self.state == "open" and now >= self.until:
            self.state, self.good = "half-open", 0
        return self.state != "open"

    def sample(self, now, bad):
        bucket = self.s.window / BUCKETS
        self.log.append((int(now // bucket), bad))
        recent = [b for at, b in self.log if at > int(now // bucket) - BUCKETS]
        self.good += not bad
        worn = self.state == "closed" and len(recent) >= self.s.samples and sum(recent) >= self.s.ratio * len(recent)
        if bad and (worn or self.state == "half-open"):
            self.until, self.state = now + min(self.s.max_open, self.s.open * 2**self.times), "open"
            self.times, self.log = self.times + 1, []
        elif self.state == "half-open" and self.good >= self.s.probes:
            self.state, self.times, self.log = "closed", 0, []


class OneCallAtATime(RuleBasedStateMachine):
    """Calls one after another, at any times, with any outcome: the breaker does what the model does."""

    def __init__(self):
        super().__init__()
        self.settings = Settings(ratio=0.5, samples=3, window=10.0, open=2.0, max_open=9.0, probes=2)
        self.breaker, self.model, self.now = ShareBreaker(self.settings), Model(self.settings), NOW

    @rule(seconds=st.sampled_from([0.0, 0.3, 1.0, 2.0, 5.0, 9.0, 11.0]))
    def wait(self, seconds):
        self.now += seconds

    @rule(bad=st.booleans())
    def call(self, bad):
        may_pass = self.model.may_pass(self.now)
        attempt = None
        if may_pass:
            attempt = sent(self.breaker, self.now)
            self.model.sample(self.now, bad)
            over(self.breaker, attempt, 503 if bad else 200, self.now)
        else:
            assert refused(self.breaker, self.now) is not None

    @rule(outcome=st.sampled_from([429, None]))
    def call_that_says_nothing(self, outcome):
        if self.model.may_pass(self.now):
            made(self.breaker, outcome, self.now)

    @invariant()
    def same_state(self):
        assert self.breaker.state == self.model.state
        assert not self.breaker.probing


OneCallAtATime.TestCase.settings = profile(max_examples=60, stateful_step_count=40, deadline=None)
TestAgainstTheModel = OneCallAtATime.TestCase


class ManyCallsAtOnce(RuleBasedStateMachine):
    """Attempts that overlap, end late or are cancelled: never more probes than allowed, and never stuck."""

    def __init__(self):
        super().__init__()
        self.settings = Settings(ratio=0.5, samples=3, window=10.0, open=2.0, max_open=9.0, probes=2)
        self.breaker, self.now, self.flying = ShareBreaker(self.settings), NOW, []

    @rule(seconds=st.sampled_from([0.1, 1.0, 2.0, 9.0]))
    def wait(self, seconds):
        self.now += seconds

    @rule()
    def begin(self):
        attempt = attempt_at(self.now)
        if not isinstance(self.breaker.before(attempt, self.now), Refuse):
            self.flying.append(attempt)

    @rule(outcome=st.sampled_from([200, 503, 429, None]), data=st.data())
    def end(self, outcome, data):
        if self.flying:
            attempt = self.flying.pop(data.draw(st.integers(0, len(self.flying) - 1)))
            over(self.breaker, attempt, outcome, self.now)

    @invariant()
    def probes_are_bounded(self):
        assert len(self.breaker.probing) + self.breaker.proven <= self.settings.probes

    def teardown(self):
        for attempt in self.flying:
            over(self.breaker, attempt, None, self.now)
        for _ in range(2 * self.settings.probes):
            self.now += self.settings.max_open
            made(self.breaker, 200, self.now)
        assert self.breaker.state == "closed"


ManyCallsAtOnce.TestCase.settings = profile(max_examples=60, stateful_step_count=40, deadline=None)
TestOverlapping = ManyCallsAtOnce.TestCase
