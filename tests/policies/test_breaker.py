"""A breaker that opens when nothing works: a row of failures, no shorter than a blip, and any success closes it."""

import itertools
import os
import threading

import pytest
from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from callsheet.call import Attempt, Call
from callsheet.errors import BreakerOpen, LimitReached, NoAnswer, NotSent
from callsheet.events import NO_CALL, BreakerChanged
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.policies.breaker import Breaker, ShareBreaker, breaker_of
from callsheet.settings.breaker import RECENT
from callsheet.settings.breaker import Breaker as Settings
from callsheet.settings.breaker import ShareBreaker as ShareSettings
from callsheet.settings.timeout import Timeout
from callsheet.verdicts import Refuse, Tell
from tests.policies.conftest import NOW, Ticket

QUICK = Settings(samples=4)
REQUEST = Request("GET", "https://shop.test/things", Headers())


def attempt_at(now):
    attempt = Attempt(Call(REQUEST, Timeout(), now, Ticket, service="shop", operation="get"), 1)
    attempt.began, attempt.allowed = now, 10.0
    return attempt


def sent(breaker, now=NOW):
    """An attempt that the breaker let through."""
    attempt = attempt_at(now)
    assert not isinstance(breaker.before(attempt, now), Refuse)
    return attempt


def refused(breaker, now=NOW):
    verdict = breaker.before(attempt_at(now), now)
    verdict = verdict.then if isinstance(verdict, Tell) else verdict
    return verdict.error if isinstance(verdict, Refuse) else None


def over(breaker, attempt, outcome, now=NOW):
    """The attempt ends with this outcome; what the breaker says."""
    attempt.outcome = Response(outcome, request=REQUEST) if isinstance(outcome, int) else outcome
    verdict = breaker.after(attempt, now)
    if breaker in attempt.held:
        breaker.let_go(attempt, True)
    return verdict


def made(breaker, outcome, now=NOW):
    return over(breaker, sent(breaker, now), outcome, now)


def opened(settings=QUICK, at=NOW, pick=lambda: 1.0):
    """A breaker that has opened at this time."""
    breaker = Breaker(settings, pick)
    for number in range(settings.samples):
        made(breaker, 503, at - settings.window * (1 - number / (settings.samples - 1)))
    assert breaker.state == "open"
    return breaker


def changed(state, failures=0, seconds=0.0):
    return BreakerChanged(*NO_CALL, state, failures, failures, seconds)


def test_the_defaults():
    assert Settings() == Settings(ratio=1.0, samples=20, window=2.0, open=1.0, max_open=5.0, probes=1)


@pytest.mark.parametrize(("settings", "kind"), [(Settings(), Breaker), (ShareSettings(ratio=0.99), ShareBreaker)])
def test_the_ratio_says_which_kind_it_is(settings, kind):
    assert type(breaker_of(settings, lambda: 1.0)) is kind


def test_it_opens_at_enough_failures_in_a_row_over_long_enough():
    breaker = Breaker(QUICK)
    assert [made(breaker, 503, NOW + at) for at in (0.0, 0.5, 1.0, 1.5, 1.9)] == [None] * 5
    assert made(breaker, 503, NOW + 2.0) == Tell(changed("open", 6, 1.0))
    assert breaker.state == "open"


def test_few_failures_do_not_open_it_however_long_they_last():
    breaker = Breaker(QUICK)
    for at in (0.0, 5.0, 10.0):
        made(breaker, 503, NOW + at)
    assert (breaker.state, breaker.counted(NOW + 10.0)) == ("closed", (3, 3))


def test_a_blip_under_a_burst_does_not_open_it():
    breaker = Breaker(Settings())
    for number in range(1000):
        made(breaker, 503, NOW + 0.3 * number / 1000)
    assert breaker.state == "closed"
    made(breaker, 200, NOW + 0.4)
    assert breaker.counted(NOW + 0.4) == (0, 0)


@pytest.mark.parametrize("earlier", [1, 5, 19])
def test_yesterdays_failures_open_nothing(earlier):
    breaker, today = Breaker(Settings()), NOW + 86400
    for _ in range(earlier):
        made(breaker, 503)
    for number in range(25):
        made(breaker, 503, today + 0.01 * number)
    assert (breaker.state, breaker.counted(today + 0.3)) == ("closed", (25, 25))


def test_failures_that_are_too_far_apart_are_no_row():
    breaker = Breaker(Settings(samples=4))
    for number in range(50):
        made(breaker, 503, NOW + 25.0 * number)
    assert breaker.state == "closed"


def test_what_is_counted_is_forgotten_after_a_while():
    breaker = Breaker(QUICK)
    made(breaker, 503)
    assert breaker.counted(NOW + RECENT) == (1, 1)
    assert breaker.counted(NOW + RECENT + 1) == (0, 0)


@pytest.mark.parametrize("every", [2, 3, 10, 20])
def test_a_service_that_sometimes_answers_keeps_it_closed(every):
    breaker = Breaker(Settings())
    for number in range(2000):
        made(breaker, 200 if number % every == 0 else 503, NOW + number / 20)
    assert breaker.state == "closed"


def test_an_open_one_refuses_and_says_for_how_long():
    error = refused(opened(Settings(samples=4, open=3.0)), NOW + 1.0)
    assert isinstance(error, BreakerOpen)
    assert error.retry_after == 2.0
    assert "left alone for another 2.0 s (breaker); nothing was sent" in str(error)


def test_after_its_pause_as_many_probes_as_allowed_are_let_through():
    breaker = opened(Settings(samples=4, probes=2))
    probe = attempt_at(NOW + 1.0)
    assert breaker.before(probe, NOW + 1.0) == Tell(changed("half-open"))
    assert breaker.before(attempt_at(NOW + 1.0), NOW + 1.0) is None
    assert "a few attempts try it out" in str(refused(breaker, NOW + 1.0))
    assert breaker.before(probe, NOW + 1.1) is None  # asked again after a wait, it keeps its place
    assert breaker.in_flight == 2


@pytest.mark.parametrize("outcome", [200, 404])
def test_one_probe_that_succeeds_closes_it(outcome):
    breaker = opened(Settings(samples=4, probes=3))
    probes = [sent(breaker, NOW + 1.0) for _ in range(3)]
    assert over(breaker, probes[0], outcome, NOW + 1.1) == Tell(changed("closed"))
    assert refused(breaker, NOW + 1.1) is None
    assert over(breaker, probes[1], 503, NOW + 1.2) is None
    assert (breaker.state, breaker.counted(NOW + 1.2)) == ("closed", (0, 0))


def test_a_stream_is_proven_at_its_headers():
    breaker = opened()
    stream = sent(breaker, NOW + 1.0)
    stream.outcome = Response(200, request=REQUEST)
    assert breaker.after(stream, NOW + 1.1) == Tell(changed("closed"))
    breaker.let_go(stream, True)
    assert (breaker.state, breaker.in_flight) == ("closed", 0)


def test_a_round_that_fails_doubles_the_pause_up_to_the_longest():
    breaker, at = opened(), NOW
    for seconds in (1.0, 2.0, 4.0, 5.0, 5.0):
        assert refused(breaker, at + seconds - 0.01) is not None
        at += seconds
        made(breaker, 503, at)
        assert breaker.state == "open"


def test_the_first_failure_of_a_round_ends_it_and_later_ones_say_nothing():
    breaker = opened(Settings(samples=4, probes=3))
    first, second, third = (sent(breaker, NOW + 1.0) for _ in range(3))
    assert over(breaker, first, 503, NOW + 1.1) == Tell(changed("open", 0, 2.0))
    assert over(breaker, second, 503, NOW + 1.2) is None
    assert (breaker.until, breaker.openings) == (NOW + 3.1, 2)
    sent(breaker, NOW + 3.1)
    assert over(breaker, third, NoAnswer("late"), NOW + 3.2) is None
    assert (breaker.state, breaker.in_flight) == ("half-open", 1)


def test_a_round_without_headers_ends_after_the_pause():
    breaker = opened()
    hanging = sent(breaker, NOW + 1.0)
    assert "try it out" in str(refused(breaker, NOW + 1.9))
    verdict = breaker.before(attempt_at(NOW + 2.5), NOW + 2.5)
    assert verdict.event == changed("open", 0, 2.0)
    assert verdict.then.error.retry_after == 1.5  # the pause counts from when the round ended
    assert over(breaker, hanging, NoAnswer("at last"), NOW + 3.0) is None
    assert breaker.until == NOW + 4.0


def test_a_round_whose_pause_is_over_too_is_followed_by_the_next():
    breaker = opened()
    sent(breaker, NOW + 1.0)
    probe = attempt_at(NOW + 4.5)
    assert breaker.before(probe, NOW + 4.5) == Tell(changed("half-open"))
    assert (breaker.in_flight, breaker.openings) == (1, 2)


def test_a_slow_answer_to_an_earlier_round_closes_it_all_the_same():
    breaker = opened()
    slow = sent(breaker, NOW + 1.0)
    refused(breaker, NOW + 2.5)
    assert over(breaker, slow, 200, NOW + 2.6) == Tell(changed("closed"))


def test_a_success_that_began_before_it_opened_closes_it():
    breaker = Breaker(QUICK)
    slow = sent(breaker, NOW - 1.0)
    for at in (0.0, 1.0, 1.5, 2.0):
        made(breaker, 503, NOW + at)
    assert breaker.state == "open"
    assert over(breaker, slow, 200, NOW + 2.1) == Tell(changed("closed"))


def test_failures_that_began_before_the_last_change_say_nothing():
    """A hundred attempts that hang when it opens end when it has long closed again."""
    breaker = Breaker(QUICK)
    stragglers = [sent(breaker) for _ in range(100)]
    for at in (0.0, 1.0, 1.5, 2.0):
        made(breaker, 503, NOW + at)
    made(breaker, 200, NOW + 3.0)
    for number, attempt in enumerate(stragglers):
        over(breaker, attempt, NoAnswer("slow"), NOW + 4.0 + number / 10)
    assert (breaker.state, breaker.counted(NOW + 14.0)) == ("closed", (0, 0))


@pytest.mark.parametrize("outcome", [429, LimitReached("ours"), None])
def test_a_probe_that_says_nothing_gives_its_place_back_and_the_pause_stays(outcome):
    breaker = opened()
    assert made(breaker, outcome, NOW + 1.0) is None
    assert (breaker.state, breaker.in_flight, breaker.openings) == ("half-open", 0, 1)
    made(breaker, NotSent("refused"), NOW + 1.1)
    assert breaker.until == NOW + 3.1


def test_once_closed_it_opens_for_the_first_time_again():
    breaker = opened()
    made(breaker, 503, NOW + 1.0)
    made(breaker, 200, NOW + 3.0)
    for at in (4.0, 5.0, 5.5, 6.0):
        made(breaker, 503, NOW + at)
    assert breaker.until == NOW + 7.0


@pytest.mark.parametrize(("drawn", "part"), [(0.0, 0.8), (0.5, 0.9), (1.0, 1.0)])
def test_the_pause_is_a_random_part_of_it(drawn, part):
    breaker = opened(pick=lambda: drawn)
    assert breaker.until == pytest.approx(NOW + part)
    made(breaker, 503, NOW + 1.0)
    assert breaker.until == pytest.approx(NOW + 1.0 + 2 * part)


@pytest.mark.parametrize("state", ["open", "half-open"])
def test_one_that_was_not_asked_for_long_is_closed_and_has_counted_nothing(state):
    breaker = opened()
    if state == "half-open":
        made(breaker, None, NOW + 1.0)
    late = attempt_at(NOW + 1.0 + RECENT)
    assert breaker.before(late, late.began) == Tell(changed("closed"))
    assert (breaker.state, breaker.openings, breaker.counted(late.began)) == ("closed", 0, (0, 0))


def test_one_that_was_asked_a_little_sooner_probes():
    breaker = opened()
    sent(breaker, NOW + RECENT)
    assert breaker.state == "half-open"


@pytest.mark.parametrize("outcome", [200, 503])
@pytest.mark.parametrize("state", ["forced-open", "forced-closed"])
def test_forced_states_count_nothing_and_change_only_by_force(state, outcome):
    breaker = Breaker(QUICK)
    flying = [sent(breaker) for _ in range(50)]
    breaker.force(state, NOW)
    for number, attempt in enumerate(flying):
        assert over(breaker, attempt, outcome, NOW + number) is None
    assert (breaker.state, breaker.counted(NOW + 50)) == (state, (0, 0))
    assert (refused(breaker, NOW + 1000) is None) is (state == "forced-closed")
    breaker.force("closed", NOW + 1000)
    assert refused(breaker, NOW + 1000) is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_has_no_probes_under_way():
    breaker = opened()
    probe = sent(breaker, NOW + 1.0)
    breaker.lock.acquire()
    breaker.forget()
    breaker.let_go(probe, True)
    assert breaker.in_flight == 0
    assert isinstance(breaker.lock, type(threading.Lock()))


class Calls(RuleBasedStateMachine):
    """Attempts that overlap, end late or are cancelled, at any times: the promises of the breaker hold."""

    def __init__(self):
        super().__init__()
        self.settings = Settings(samples=3, window=1.0, open=2.0, max_open=6.0, probes=2)
        drawn = itertools.cycle([0.0, 1.0, 0.3])
        self.breaker, self.now, self.flying = Breaker(self.settings, lambda: next(drawn)), NOW, []
        self.row = 0
        """Failures since the last success, whatever the breaker counts of them."""

    @rule(seconds=st.sampled_from([0.0, 0.1, 0.5, 1.0, 2.0, 6.0, 61.0]))
    def wait(self, seconds):
        self.now += seconds

    @rule()
    def begin(self):
        attempt = attempt_at(self.now)
        verdict = self.breaker.before(attempt, self.now)
        if isinstance(verdict, Tell):
            verdict = verdict.then
        if verdict is None:
            self.flying.append(attempt)

    @rule(outcome=st.sampled_from([200, 503, 503, 503, 429, None]), data=st.data())
    def end(self, outcome, data):
        if not self.flying:
            return
        was, row = self.breaker.state, self.row
        over(self.breaker, self.flying.pop(data.draw(st.integers(0, len(self.flying) - 1))), outcome, self.now)
        self.row = 0 if outcome == 200 else row + (outcome == 503)
        if outcome == 200:
            assert self.breaker.state == "closed"
            assert self.breaker.counted(self.now) == (0, 0)
        if was == "closed" and self.breaker.state == "open":
            assert self.row >= self.settings.samples

    @invariant()
    def holds(self):
        assert 0 <= self.breaker.in_flight <= self.settings.probes
        assert self.breaker.row <= self.row
        if self.breaker.state == "open":
            assert self.breaker.until <= self.now + self.settings.max_open

    def teardown(self):
        for attempt in self.flying:
            over(self.breaker, attempt, None, self.now)
        self.now += self.settings.max_open
        made(self.breaker, 200, self.now)
        assert self.breaker.state == "closed"


Calls.TestCase.settings = profile(max_examples=120, stateful_step_count=50, deadline=None)
TestPromises = Calls.TestCase
