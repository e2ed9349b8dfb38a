"""A breaker that opens when nothing works: a row of failures, no shorter than a blip, and any success closes it."""

import itertools
import os
import threading
from collections import deque

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


def waiting(breaker, now=NOW):
    """An attempt that the breaker let through and that waits for something else."""
    attempt = attempt_at(now)
    assert not isinstance(breaker.before(attempt, now), Refuse)
    return attempt


def sent(breaker, now=NOW):
    """An attempt that the breaker let through and that was sent."""
    attempt = waiting(breaker, now)
    attempt.was_sent = True
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
    assert len(breaker.probing) == 2


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
    assert (breaker.state, len(breaker.probing)) == ("closed", 0)


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
    assert (breaker.state, len(breaker.probing)) == ("half-open", 1)


def test_a_round_without_headers_ends_after_the_pause():
    breaker = opened()
    hanging = sent(breaker, NOW + 1.0)
    assert "try it out" in str(refused(breaker, NOW + 1.9))
    verdict = breaker.before(attempt_at(NOW + 2.5), NOW + 2.5)
    assert verdict.event == changed("open", 0, 2.0)
    assert verdict.then.error.retry_after == 1.5  # the pause counts from when the round ended
    assert over(breaker, hanging, NoAnswer("at last"), NOW + 3.0) is None
    assert breaker.until == NOW + 4.0


def test_each_probe_has_the_whole_pause_for_its_headers():
    breaker = opened(Settings(samples=4, open=4.0, probes=2))
    first = sent(breaker, NOW + 4.0)
    second = sent(breaker, NOW + 7.0)
    over(breaker, first, 429, NOW + 7.5)
    assert breaker.before(attempt_at(NOW + 8.5), NOW + 8.5) is None
    assert isinstance(breaker.before(attempt_at(NOW + 11.0), NOW + 11.0), Tell)  # the second had its pause
    assert (breaker.state, breaker.openings, second in breaker.probing) == ("open", 2, False)


def test_the_pause_of_a_probe_begins_when_it_is_sent():
    breaker = opened()
    probe = waiting(breaker, NOW + 1.0)
    probe.began, probe.was_sent = NOW + 1.8, True
    assert "try it out" in str(refused(breaker, NOW + 2.7))
    assert breaker.openings == 1
    assert refused(breaker, NOW + 2.8).retry_after == 2.0


def test_the_round_ends_with_the_probe_that_was_sent_first():
    breaker = opened(Settings(samples=4, probes=2))
    waited = waiting(breaker, NOW + 1.0)
    sent(breaker, NOW + 1.1)
    waited.began, waited.was_sent = NOW + 1.5, True
    assert refused(breaker, NOW + 2.6).retry_after == pytest.approx(1.5)  # of 2 s since 2.1


def test_a_probe_that_waits_to_be_sent_leaves_its_place_to_another_and_the_pause_stays():
    breaker = opened()
    first = waiting(breaker, NOW + 1.0)
    assert "try it out" in str(refused(breaker, NOW + 1.9))
    second = sent(breaker, NOW + 2.0)
    assert (breaker.openings, list(breaker.probing)) == (1, [second])
    verdict = breaker.before(first, NOW + 2.1)  # its wait is over
    assert "try it out" in str(verdict.error)
    over(breaker, second, 200, NOW + 2.2)
    assert breaker.before(first, NOW + 2.2) is None


def test_a_probe_whose_round_has_failed_while_it_waited_is_not_sent():
    breaker = opened(Settings(samples=4, probes=2))
    waits = waiting(breaker, NOW + 1.0)
    made(breaker, 503, NOW + 1.1)
    assert isinstance(breaker.before(waits, NOW + 1.2), Refuse)
    breaker.let_go(waits, False)
    assert (breaker.state, breaker.openings, breaker.probing) == ("open", 2, {})


def test_a_probe_that_waits_is_refused_once_it_is_forced_open():
    breaker = opened()
    waits = waiting(breaker, NOW + 1.0)
    breaker.force("forced-open", NOW + 1.1)
    assert "forced open" in str(breaker.before(waits, NOW + 1.2).error)


def test_a_round_whose_pause_is_over_too_is_followed_by_the_next():
    breaker = opened()
    sent(breaker, NOW + 1.0)
    probe = attempt_at(NOW + 4.5)
    assert breaker.before(probe, NOW + 4.5) == Tell(changed("open", 0, 2.0), Tell(changed("half-open")))
    assert (len(breaker.probing), breaker.openings) == (1, 2)


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


@pytest.mark.parametrize("outcome", [429, 407, LimitReached("ours"), None])
def test_a_probe_that_says_nothing_gives_its_place_back_and_the_pause_stays(outcome):
    breaker = opened()
    assert made(breaker, outcome, NOW + 1.0) is None
    assert (breaker.state, len(breaker.probing), breaker.openings) == ("half-open", 0, 1)
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


@pytest.mark.parametrize("outcome", [429, None])
def test_one_whose_probes_say_nothing_for_long_goes_on_probing(outcome):
    breaker = opened()
    for number in range(40):
        probe = sent(breaker, NOW + 1.0 + 2 * number)
        assert (breaker.state, refused(breaker, probe.began) is not None) == ("half-open", True)
        over(breaker, probe, outcome, probe.began + 0.1)
    assert breaker.openings == 1


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


@pytest.mark.parametrize("kind", [Breaker, ShareBreaker])
def test_a_forked_child_counts_from_nothing(kind):
    breaker = kind(ShareSettings(samples=4))
    made(breaker, 503)
    breaker.forget()
    assert (breaker.state, breaker.counted(NOW)) == ("closed", (0, 0))


class InterruptedOnce(deque):
    is_over = False

    def append(self, value):
        if not self.is_over:
            self.is_over = True
            raise KeyboardInterrupt
        super().append(value)


def test_an_interrupt_while_a_failure_is_counted_loses_that_failure_and_no_more():
    breaker = Breaker(QUICK)
    breaker.last = InterruptedOnce(maxlen=4)
    with pytest.raises(KeyboardInterrupt):
        made(breaker, 503)
    for at in (0.1, 1.0, 2.0, 2.1):
        made(breaker, 503, NOW + at)
    assert breaker.state == "open"


class NeverTaken:
    def __enter__(self):
        raise AssertionError("a lock was taken")


@pytest.mark.parametrize("state", ["closed", "forced-closed"])
def test_while_it_is_closed_a_success_takes_no_lock(state):
    breaker = Breaker(QUICK)
    breaker.force(state, NOW)
    breaker.lock = NeverTaken()
    assert made(breaker, 200) is None


def test_a_success_among_failures_from_many_threads_is_never_lost():
    """Whichever thread is last, it brings a success: then it is closed, and nothing is counted."""
    breaker = Breaker(Settings(samples=2, window=0.001))
    ready = threading.Barrier(4)

    def calls(start):
        ready.wait(5)
        for number in range(1000):
            now = NOW + start / 4 + number
            over(breaker, attempt_at(now), 503, now)
            over(breaker, attempt_at(now), 200, now)

    threads = [threading.Thread(target=calls, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (breaker.state, breaker.row, breaker.openings, breaker.probing) == ("closed", 0, 0, {})


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_has_no_probes_under_way():
    breaker = opened()
    probe = sent(breaker, NOW + 1.0)
    breaker.lock.acquire()
    breaker.forget()
    breaker.let_go(probe, True)
    assert not breaker.probing
    sent(breaker, NOW + 1.1)
    assert breaker.state == "half-open"
    assert isinstance(breaker.lock, type(threading.Lock()))


class Calls(RuleBasedStateMachine):
    """Attempts that overlap, end late or are cancelled, at any times: the promises of the breaker hold."""

    def __init__(self):
        super().__init__()
        self.settings = Settings(samples=3, window=1.0, open=2.0, max_open=6.0, probes=2)
        drawn = itertools.cycle([0.0, 1.0, 0.3])
        self.breaker, self.now = Breaker(self.settings, lambda: next(drawn)), NOW
        self.waiting, self.flying = [], []
        self.row = 0
        """Failures since the last success, whatever the breaker counts of them."""

    @rule(seconds=st.sampled_from([0.0, 0.1, 0.5, 1.0, 2.0, 6.0, 61.0]))
    def wait(self, seconds):
        self.now += seconds

    @rule(has_to_wait=st.booleans())
    def begin(self, has_to_wait):
        attempt = attempt_at(self.now)
        if self.is_let_through(attempt):
            (self.waiting if has_to_wait else self.flying).append(attempt)
            attempt.was_sent = not has_to_wait

    @rule(data=st.data())
    def send(self, data):
        if not self.waiting:
            return
        attempt = self.waiting.pop(data.draw(st.integers(0, len(self.waiting) - 1)))
        if self.is_let_through(attempt):
            attempt.began, attempt.was_sent = self.now, True
            self.flying.append(attempt)
        elif self.breaker in attempt.held:
            self.breaker.let_go(attempt, False)

    def is_let_through(self, attempt):
        verdict = self.breaker.before(attempt, self.now)
        return (verdict.then if isinstance(verdict, Tell) else verdict) is None

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
        assert len(self.breaker.probing) <= self.settings.probes
        assert self.breaker.row <= self.row
        if self.breaker.state == "open":
            assert self.breaker.until <= self.now + self.settings.max_open

    def teardown(self):
        for attempt in self.waiting + self.flying:
            over(self.breaker, attempt, None, self.now)
        self.now += self.settings.max_open
        made(self.breaker, 200, self.now)
        assert self.breaker.state == "closed"


Calls.TestCase.settings = profile(max_examples=120, stateful_step_count=50, deadline=None)
TestPromises = Calls.TestCase


class Model:
    """The same breaker for calls one after another: a log of failures, and three states."""

    def __init__(self, settings):
        self.s, self.state, self.log, self.until, self.rounds = settings, "closed", [], NOW, 0
        self.asked = NOW

    def may_pass(self, now):
        if self.state != "closed" and now - max(self.until, self.asked) >= RECENT:
            self.state, self.rounds = "closed", 0
        self.asked = now
        if self.state == "open" and now >= self.until:
            self.state = "half-open"
        return self.state != "open"

    def outcome(self, now, bad):
        if not bad:
            self.state, self.log, self.rounds = "closed", [], 0
            return
        if self.log and now - self.log[-1] > RECENT:
            self.log = []
        self.log.append(now)
        counted = self.log[-self.s.samples :]
        is_row = len(counted) == self.s.samples and now - counted[0] <= RECENT and now - self.log[0] >= self.s.window
        if self.state == "half-open" or is_row:
            self.until = now + min(self.s.max_open, self.s.open * 2**self.rounds)
            self.state, self.log, self.rounds = "open", [], self.rounds + 1


class OneCallAtATime(RuleBasedStateMachine):
    """Calls one after another, at any times, with any outcome: the breaker does what the model does."""

    def __init__(self):
        super().__init__()
        settings = Settings(samples=3, window=1.0, open=2.0, max_open=6.0)
        self.breaker, self.model, self.now = Breaker(settings), Model(settings), NOW

    @rule(seconds=st.sampled_from([0.0, 0.3, 0.7, 1.0, 2.0, 4.0, 6.0, 29.0, 30.0, 60.0, 61.0]))
    def wait(self, seconds):
        self.now += seconds

    @rule(outcome=st.sampled_from([200, 503, 503, 503, 503, 429, None]))
    def call(self, outcome):
        if not self.model.may_pass(self.now):
            assert refused(self.breaker, self.now) is not None
            return
        made(self.breaker, outcome, self.now)
        if outcome in (200, 503):
            self.model.outcome(self.now, outcome == 503)

    @invariant()
    def same_state(self):
        assert (self.breaker.state, self.breaker.openings) == (self.model.state, self.model.rounds)
        assert not self.breaker.probing


OneCallAtATime.TestCase.settings = profile(max_examples=120, stateful_step_count=50, deadline=None)
TestAgainstTheModel = OneCallAtATime.TestCase
