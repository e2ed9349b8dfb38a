"""What a service says about its own limits, and who heeds it."""

import pytest

from callsheet.errors import LimitReached
from callsheet.events import NO_CALL, LimitLearned
from callsheet.policies.service_limit import LONGEST_HOLD, LearnedLimit, ServiceLimit
from callsheet.settings.rate_limit import RateLimit
from callsheet.verdicts import Refuse, Tell, Wait
from tests.policies.conftest import NOW

WALL = 1_700_000_000.0


@pytest.fixture
def limit():
    return ServiceLimit(LearnedLimit(), RateLimit(), lambda: WALL)


def told(limit, attempt, now=NOW):
    attempt.began = now
    return limit.after(attempt, now)


def wait_of(limit, attempt, now=NOW):
    verdict = limit.before(attempt, now)
    return verdict.seconds if isinstance(verdict, Wait) else verdict


def test_a_429_holds_up_every_call(limit, attempt_of):
    assert told(limit, attempt_of(429, headers={"Retry-After": "7"})) == Tell(LimitLearned(*NO_CALL, 0, 7.0, 429))
    assert wait_of(limit, attempt_of()) == 7.0
    assert wait_of(limit, attempt_of(), NOW + 3) == 4.0
    assert wait_of(limit, attempt_of(), NOW + 7) is None


def test_a_call_whose_deadline_comes_first_is_told_so_at_once(limit, attempt_of):
    told(limit, attempt_of(429, headers={"Retry-After": "71"}))
    verdict = limit.before(attempt_of(), NOW)
    assert isinstance(verdict, Refuse)
    assert (verdict.by, type(verdict.error), verdict.error.retry_after) == ("rate_limit.learn", LimitReached, 71.0)
    assert "come back in 71 s, your call has 30 s" in str(verdict.error)


def test_when_full_fail_waits_for_nothing(attempt_of):
    limit = ServiceLimit(LearnedLimit(), RateLimit(when_full="fail"), lambda: WALL)
    told(limit, attempt_of(429, headers={"Retry-After": "1"}))
    assert isinstance(limit.before(attempt_of(), NOW), Refuse)


def test_a_429_that_names_no_time_holds_up_for_a_second_and_longer_while_it_goes_on(limit, attempt_of):
    waits, now = [], NOW
    for _ in range(7):
        told(limit, attempt_of(429), now)
        waits.append(wait_of(limit, attempt_of(total=100.0), now))
        now += waits[-1]
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0]


def test_many_429s_at_once_are_one(limit, attempt_of):
    assert [told(limit, attempt_of(429)) is None for _ in range(50)] == [False] + [True] * 49
    assert wait_of(limit, attempt_of()) == 1.0


def test_a_success_between_begins_anew(limit, attempt_of):
    told(limit, attempt_of(429))
    told(limit, attempt_of(200), NOW + 1)
    told(limit, attempt_of(429), NOW + 2)
    assert wait_of(limit, attempt_of(), NOW + 2) == 1.0


def test_a_429_may_tell_its_time_in_the_rate_limit_fields(limit, attempt_of):
    told(limit, attempt_of(429, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(WALL) + 12)}))
    assert wait_of(limit, attempt_of()) == 12.0


def test_an_absurd_time_does_not_lock_us_out_for_ever(limit, attempt_of):
    told(limit, attempt_of(429, headers={"Retry-After": "9" * 20}))
    assert limit.before(attempt_of(), NOW).error.retry_after == LONGEST_HOLD


def test_an_answer_that_was_on_its_way_does_not_undo_a_429(limit, attempt_of):
    told(limit, attempt_of(429, headers={"Retry-After": "7"}))
    told(limit, attempt_of(200, headers={"RateLimit": '"default";r=50;t=60'}), NOW + 0.1)
    assert wait_of(limit, attempt_of(), NOW + 1) == 6.0
    assert wait_of(limit, attempt_of(), NOW + 7) is None


def test_a_reset_that_has_passed_holds_up_nobody(limit, attempt_of):
    past = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(WALL) - 5)}
    assert told(limit, attempt_of(200, headers=past)) is None
    assert wait_of(limit, attempt_of()) is None


def test_what_is_left_may_be_sent_and_then_no_more(limit, attempt_of):
    told(limit, attempt_of(200, headers={"RateLimit": '"default";r=2;t=10'}))
    assert [wait_of(limit, attempt_of(), NOW + 1) for _ in range(4)] == [None, None, 9.0, 9.0]
    assert wait_of(limit, attempt_of(), NOW + 10) is None


def test_an_attempt_asked_again_after_a_wait_takes_one_only(limit, attempt_of):
    told(limit, attempt_of(200, headers={"RateLimit": '"default";r=2;t=10'}))
    attempt = attempt_of()
    assert [wait_of(limit, attempt), wait_of(limit, attempt)] == [None, None]
    assert limit.learned.remaining == 1


def test_what_was_taken_and_not_sent_is_given_back(limit, attempt_of):
    told(limit, attempt_of(200, headers={"RateLimit": '"default";r=1;t=10'}))
    attempt = attempt_of()
    limit.before(attempt, NOW)
    limit.let_go(attempt, False)
    assert wait_of(limit, attempt_of()) is None
    used = attempt_of()
    used.held[limit] = limit.learned.resets
    limit.let_go(used, True)
    assert limit.learned.remaining == 0


def test_of_one_window_the_smaller_rest_counts_and_a_later_window_replaces_it(limit, attempt_of):
    def says(rest, seconds, at):
        told(limit, attempt_of(200, headers={"RateLimit": f'"default";r={rest};t={seconds}'}), at)
        return limit.learned.remaining

    assert says(5, 10, NOW) == 5
    assert says(7, 10, NOW + 0.5) == 5
    assert says(3, 9, NOW + 1) == 3
    assert says(9, 10, NOW + 10) == 9


def test_that_nothing_is_left_is_told_once(limit, attempt_of):
    def empty():
        return attempt_of(200, headers={"RateLimit": '"default";r=0;t=10'})

    assert [told(limit, empty()), told(limit, empty())] == [Tell(LimitLearned(*NO_CALL, 0, 10.0, 200)), None]


def test_a_rule_may_say_that_an_answer_means_too_fast(limit, attempt_of):
    attempt = attempt_of(200, headers={"Retry-After": "3"})
    attempt.meaning = "rate_limited"
    told(limit, attempt)
    assert wait_of(limit, attempt_of()) == 3.0


@pytest.mark.parametrize(
    "headers", [{}, {"RateLimit": "garbage;;"}, {"X-RateLimit-Remaining": "-1", "X-RateLimit-Reset": "9"}]
)
@pytest.mark.parametrize("status", [200, 404, 503])
def test_an_answer_that_says_nothing_changes_nothing(limit, attempt_of, status, headers):
    assert told(limit, attempt_of(status, headers=headers)) is None
    assert wait_of(limit, attempt_of()) is None
