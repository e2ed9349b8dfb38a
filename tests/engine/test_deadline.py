"""The call ends when its time is up, whatever it is doing, and says which limit it was."""

import pytest

from callsheet.errors import AttemptTimeout, ConnectTimeout, DeadlinePassed, ServerError
from callsheet.policies.deadline import Deadline
from callsheet.settings.timeout import Timeout, WrittenTimeout
from callsheet.verdicts import Wait
from tests.engine.world import Answer, Policy


def test_an_attempt_gets_its_own_limits_while_there_is_time(world):
    world.call(world.real_plan())
    limits = world.transport.limits[0]
    assert (limits.connect, limits.read, limits.attempt, limits.whole) == (5.0, None, 10.0, None)


def test_a_later_attempt_gets_what_is_left(world):
    world.transport.script = [Answer(takes=60.0)] * 3
    with pytest.raises(DeadlinePassed, match=r"in attempt 2$"):
        world.call(world.real_plan(), timeout=Timeout(connect=5.0, attempt=10.0, total=14.0))
    assert [limits.attempt for limits in world.transport.limits] == pytest.approx([10.0, 3.5])
    assert world.transport.limits[1].connect == pytest.approx(3.5)


def test_an_attempt_that_was_too_slow_by_itself_timed_out(world):
    world.transport.script = [Answer(takes=60.0)]
    with pytest.raises(AttemptTimeout) as caught:
        world.call(world.real_plan(retry=None))
    assert not isinstance(caught.value, DeadlinePassed)
    assert isinstance(caught.value, TimeoutError)


def test_an_attempt_that_the_total_cut_off_passed_the_deadline(world):
    world.transport.script = [Answer(takes=60.0)]
    with pytest.raises(DeadlinePassed, match=r"not done within 2 s \(timeout\.total\), in attempt 1$") as caught:
        world.call(world.real_plan(), timeout=WrittenTimeout.within(2.0).resolved())
    error = caught.value
    assert (error.attempts, error.was_sent, error.stopped_by) == (1, True, "deadline")
    assert isinstance(error, TimeoutError)
    assert world.clock == pytest.approx(1002.0)


def test_a_timer_that_fires_a_little_early_makes_no_difference(world):
    def early(request, limits):
        world.clock += limits.attempt - 0.0005
        return AttemptTimeout("not answered", was_sent=True)

    world.transport.script = [early]
    with pytest.raises(DeadlinePassed):
        world.call(world.real_plan(), timeout=WrittenTimeout.within(2.0).resolved())


def test_a_connection_that_was_not_made_says_so(world):
    world.transport.script = [ConnectTimeout("no connection")]
    with pytest.raises(ConnectTimeout) as caught:
        world.call(world.real_plan(retry=None), timeout=WrittenTimeout.within(2.0).resolved())
    assert caught.value.was_sent is False
    assert isinstance(caught.value, TimeoutError)


def test_a_call_whose_time_is_up_sends_nothing(world):
    plan = world.real_plan()
    call = world.new_call(plan)
    world.clock += 30.0
    with pytest.raises(DeadlinePassed) as caught:
        world.call(plan, call=call)
    assert (caught.value.attempts, world.transport.sent) == (0, [])


def test_a_wait_that_does_not_fit_is_not_begun(world):
    plan = world.plan(Deadline(), Policy("limit", [], before=[Wait(31.0, "a turn (rate_limit)")]))
    with pytest.raises(DeadlinePassed, match=r"within 30 s \(timeout\.total\) while waiting for a turn \(rate_limit\)"):
        world.call(plan)
    assert (world.pauses, world.transport.sent) == ([], [])


def test_a_pause_that_does_not_fit_leaves_the_outcome(world):
    world.transport.script = [Answer(503, takes=2.9)]
    with pytest.raises(ServerError) as caught:
        world.call(world.real_plan(), timeout=Timeout(total=3.0))
    assert (caught.value.stopped_by, world.pauses) == ("deadline", [])


def test_everything_together_ends_within_the_total(world):
    world.transport.script = [Answer(503, takes=1.0) for _ in range(3)]
    with pytest.raises(DeadlinePassed):
        world.call(world.real_plan(), timeout=Timeout(total=2.4))
    assert world.clock == pytest.approx(1002.4)


def test_elapsed_is_all_of_it(world):
    world.transport.script = [Answer(503, takes=1.0), Answer(takes=2.0)]
    answer = world.call(world.real_plan())
    assert (answer.elapsed, answer.attempts) == (pytest.approx(3.5), 2)
