"""What becomes of a call under faults, with the policies that answer them: both colours, one clock, nothing waits."""

import pytest

import callsheet
from callsheet.errors import (
    BreakerOpen,
    DeadlinePassed,
    LimitReached,
    NoAnswer,
    RateLimited,
    ServerError,
)
from callsheet.events import AttemptEnded, BreakerChanged, CallEnded, LimitLearned
from callsheet.policies.breaker import Breaker
from callsheet.policies.rate_limit import Limiters
from callsheet.policies.retry_budget import RetryBudget
from callsheet.policies.service_limit import LearnedLimit
from callsheet.settings import Breaker as BreakerSettings
from callsheet.settings import Budget, Rate, RateLimit, Timeout
from tests.engine.world import FACTS, Answer


def failing(world, plan, error=ServerError, **facts):
    with pytest.raises(error) as caught:
        world.call(plan, **facts)
    return caught.value


def test_a_service_that_fails_is_left_alone_and_found_again(world):
    breaker = Breaker(BreakerSettings(samples=4))
    plan = world.real_plan(retry=None, shared={"breaker": breaker})
    world.transport.script = [*[Answer(503)] * 3, Answer(503, takes=2.0)]
    for _ in range(4):
        failing(world, plan)
    error = failing(world, plan, BreakerOpen)
    assert (len(world.transport.sent), error.was_sent, error.attempts) == (4, False, 0)
    assert error.retry_after == pytest.approx(1.0)
    world.clock += 1.0
    world.call(plan)
    world.call(plan)
    assert [event.state for event in world.told(BreakerChanged)] == ["open", "half-open", "closed"]


def test_a_breaker_that_opens_between_attempts_leaves_the_outcome(world):
    breaker = Breaker(BreakerSettings(samples=2, window=0.1, open=3.0))
    world.transport.script = [Answer(503), Answer(500)]
    error = failing(world, world.real_plan(shared={"breaker": breaker}))
    assert (error.status_code, error.attempts, error.stopped_by) == (500, 2, "breaker")
    assert str(error).endswith("(attempt 2); no further attempt: breaker")


def test_a_cancelled_probe_gives_its_place_back(world):
    breaker = Breaker(BreakerSettings(samples=1, window=0.0))
    plan = world.real_plan(retry=None, shared={"breaker": breaker})
    world.transport.script = [Answer(503)]
    failing(world, plan)
    world.clock += 5.0
    world.transport.script = [ZeroDivisionError("a bug")]
    with pytest.raises(ZeroDivisionError):
        world.call(plan)
    assert (breaker.state, breaker.probing) == ("half-open", {})
    world.call(plan)
    assert breaker.state == "closed"


def test_a_retry_that_the_budget_does_not_cover_is_not_made(world):
    budget = RetryBudget(Budget(ratio=0.0, floor=0.1, window=10.0))
    plan = world.real_plan(shared={"budget": budget})
    world.transport.script = [Answer(503), Answer(503)]
    error = failing(world, plan)
    assert (error.attempts, error.stopped_by) == (2, "retry.budget")
    world.transport.script = [NoAnswer("lost")]
    error = failing(world, plan, NoAnswer)
    assert (error.attempts, error.stopped_by) == (1, "retry.budget")


def test_a_call_counts_once_in_the_budget_however_often_policies_are_asked(world):
    budget = RetryBudget(Budget())
    limits = Limiters(RateLimit((Rate(1, 1.0),)))
    plan = world.real_plan(shared={"budget": budget, "limits": limits})
    world.call(plan)
    world.call(plan)
    assert (len(world.pauses), budget.window.total) == (1, 2)


def test_a_call_waits_for_its_turn(world):
    plan = world.real_plan(shared={"limits": Limiters(RateLimit((Rate(2, 10.0),)))})
    for _ in range(3):
        world.call(plan)
    assert world.pauses == [pytest.approx(10.0, rel=0.02)]
    assert [round(event.waited) for event in world.told(AttemptEnded)] == [0, 0, 10]


def test_a_turn_that_comes_too_late_is_told_at_once_and_not_spent(world):
    limits = Limiters(RateLimit((Rate(1, 60.0),)))
    plan = world.real_plan(shared={"limits": limits})
    world.call(plan)
    errors = [failing(world, plan, LimitReached) for _ in range(2)]
    assert str(errors[0]).startswith("shop.get_thing: GET /things: your turn is in 60")
    assert "your call has 30 s (rate_limit 1/60 s); nothing was sent: use map, or raise total" in str(errors[0])
    assert errors[0].retry_after == errors[1].retry_after
    assert world.pauses == []


def test_when_full_fail_waits_for_nobody(world):
    setting = RateLimit((Rate(1, 1.0),), when_full="fail")
    plan = world.real_plan(rate_limit=setting, shared={"limits": Limiters(setting)})
    world.call(plan)
    error = failing(world, plan, LimitReached)
    assert "the limit is reached (rate_limit 1/1 s, when_full: fail)" in str(error)
    assert 0.9 < error.retry_after < 1.1


def test_a_turn_is_given_back_if_it_is_not_used(world):
    limits, breaker = Limiters(RateLimit((Rate(1, 10.0),))), Breaker(BreakerSettings())
    plan = world.real_plan(shared={"limits": limits, "breaker": breaker})
    world.call(plan)
    wait, world.io.sleep = world.io.sleep, None

    def forced(seconds):
        breaker.force("forced-open", world.clock)
        return wait(seconds)

    world.io.sleep = forced
    failing(world, plan, BreakerOpen)
    breaker.force("closed", world.clock)
    world.io.sleep = wait
    world.pauses.clear()
    world.call(plan)
    assert world.pauses == []


def test_a_retry_takes_a_turn_of_its_own(world):
    plan = world.real_plan(pick=lambda: 0.0, shared={"limits": Limiters(RateLimit((Rate(1, 5.0),)))})
    world.transport.script = [Answer(503)]
    world.call(plan)
    assert [round(pause) for pause in world.pauses] == [5]


def test_one_429_holds_up_the_calls_of_all(world):
    learned = LearnedLimit()
    plan = world.real_plan(retry=None, shared={"learned": learned})
    world.transport.script = [Answer(429, headers={"Retry-After": "7"})]
    failing(world, plan, RateLimited)
    world.call(plan)
    assert world.pauses == [pytest.approx(7.0)]
    (event,) = world.told(LimitLearned)
    assert event == LimitLearned(event.id, *FACTS, 0, 7.0, 429)


def test_a_429_beyond_the_deadline_fails_now_and_so_do_the_others(world):
    plan = world.real_plan(shared={"learned": LearnedLimit()})
    world.transport.script = [Answer(429, headers={"Retry-After": "120"})]
    error = failing(world, plan, RateLimited)
    assert (error.attempts, error.retry_after, error.stopped_by) == (1, 120.0, "deadline")
    other = failing(world, plan, LimitReached)
    assert (other.retry_after, len(world.transport.sent), world.pauses) == (120.0, 1, [])


def test_a_deadline_around_a_call_bounds_it(world):
    world.transport.script = [Answer(takes=60.0)]
    with callsheet.deadline(2.0, now=world.now):
        error = failing(world, world.real_plan(), DeadlinePassed)
    assert world.transport.limits[0].attempt == 2.0
    assert "not done within 2 s, which the deadline around it had left, in attempt 1" in str(error)


def test_nested_deadlines_only_shrink(world):
    with callsheet.deadline(2.0, now=world.now) as outer:
        with callsheet.deadline(60.0, now=world.now):
            world.call(world.real_plan())
        with callsheet.deadline(1.0, now=world.now):
            world.call(world.real_plan())
        assert outer.remaining == 2.0
        world.call(world.real_plan())
    world.call(world.real_plan())
    assert [limits.attempt for limits in world.transport.limits] == [2.0, 1.0, 2.0, 10.0]


def test_a_deadline_may_be_entered_again(world):
    around = callsheet.deadline(2.0, now=world.now)
    for _ in range(2):
        with around:
            world.call(world.real_plan())
    assert [limits.attempt for limits in world.transport.limits] == [2.0, 2.0]


def test_a_deadline_that_has_passed_sends_nothing(world):
    with callsheet.deadline(1.0, now=world.now):
        world.clock += 1.5
        failing(world, world.real_plan(), DeadlinePassed)
    assert world.transport.sent == []


def test_a_deadline_around_bounds_a_stream_to_its_last_byte(world):
    world.transport.script = [Answer(pieces=[b"a"])]
    with callsheet.deadline(2.0, now=world.now):
        world.close(world.stream(world.real_plan()))
    assert world.transport.limits[0].whole == 2.0


@pytest.mark.parametrize("seconds", [-1, float("inf"), float("nan"), "2", True, None])
def test_a_deadline_is_a_number_of_seconds(seconds):
    with pytest.raises(ValueError, match="deadline: expected a number of seconds, 0 or more"):
        callsheet.deadline(seconds)


def test_the_time_left_is_passed_on(world):
    world.transport.script = [Answer(503, takes=1.0)]
    world.call(world.real_plan(deadline_header="X-Timeout"), timeout=Timeout(attempt=4.0, total=5.0))
    assert [request.headers["X-Timeout"] for request in world.transport.requests] == ["4.000", "3.500"]


def test_the_time_left_is_in_milliseconds_where_the_name_says_so(world):
    world.call(world.real_plan(deadline_header="X-Timeout-Ms"), timeout=Timeout(total=1.5))
    assert world.transport.requests[0].headers["x-timeout-ms"] == "1500"


def test_what_stopped_a_call_is_on_its_event(world):
    plan = world.real_plan(shared={"budget": RetryBudget(Budget(ratio=0.0, floor=0.0))})
    world.transport.script = [Answer(503)]
    failing(world, plan)
    assert [event.stopped_by for event in world.told(CallEnded)] == ["retry.budget"]
