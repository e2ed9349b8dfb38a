"""Facts of many calls at once that hold for threads and tasks alike."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callsheet.errors import NotFound, SheetError, UsageError
from tests.loops import uvloop
from tests.many.worlds import WORLDS, Calls


def drive(calls, on_error, count, concurrency, picks):
    """Open the calls in a drawn order; before each, every call that may be in flight is, and none that may not."""
    finished = set()
    has_failed = False
    for pick in (*picks, 0):
        given = next(row for row in range(count + 1) if row not in finished)
        if not has_failed:
            expected = min(count, given + 2 * concurrency, len(finished) + concurrency)
            calls.wait_for_begun(expected)
            assert len(calls.begun) == expected
        held = sorted(calls.held)
        if not held:
            return
        row = held[pick % len(held)]
        calls.open(row)
        finished.add(row)
        has_failed = has_failed or (row in calls.faults and on_error == "raise")


@st.composite
def runs(draw):
    count = draw(st.integers(0, 20))
    faulty = draw(st.sets(st.integers(0, 19), max_size=3))
    return {
        "world": draw(st.sampled_from([each for each in WORLDS if uvloop or "uvloop" not in each.name])),
        "count": count,
        "concurrency": draw(st.integers(1, 5)),
        "faults": {row: NotFound(str(row)) for row in faulty if row < count},
        "on_error": draw(st.sampled_from(["raise", "keep"])),
        "end": draw(st.sampled_from([None, OSError("the rows broke")])),
        "picks": draw(st.lists(st.integers(0, 4), min_size=20, max_size=20)),
    }


@settings(deadline=None, max_examples=150)
@given(run=runs())
def test_whatever_the_order_in_which_calls_end(run):
    calls = Calls(run["faults"])
    count, concurrency, on_error = run["count"], run["concurrency"], run["on_error"]
    iteration = run["world"].iterate(calls, count, run["end"], concurrency=concurrency, on_error=on_error)
    try:
        drive(calls, on_error, count, concurrency, run["picks"])
    finally:
        calls.free()
        iteration.end()

    failed = min(calls.faults, default=count) if on_error == "raise" else count
    assert [outcome.index for outcome in calls.outcomes] == list(range(failed))
    for row, outcome in enumerate(calls.outcomes):
        assert outcome.row == row
        assert (outcome.value, outcome.error) == (
            (None, calls.faults[row]) if row in calls.faults else (row * 10, None)
        )
    assert iteration.error is (calls.faults[failed] if failed < count else run["end"])
    assert sorted(calls.begun) == list(range(len(calls.begun)))
    assert calls.most_in_flight <= concurrency
    assert calls.most_ahead <= 2 * concurrency
    assert not calls.held
    assert not iteration.left_over


def test_one_slow_row_holds_up_its_neighbours_only_when_the_room_is_full_however_many_rows_there_are(world):
    calls = Calls()
    iteration = world.iterate(calls, None, concurrency=3, most=7)
    for begun in range(3, 6):
        calls.wait_for_begun(begun)
        calls.open(begun - 2)
    calls.wait_for_begun(6)
    calls.open(4)
    calls.open(5)
    assert calls.begun[-1] == 5
    assert list(calls.held) == [0]
    assert (calls.taken, calls.most_ahead) == (6, 6)
    calls.open(0)
    calls.wait_for_begun(9)
    calls.open(6)
    iteration.wait_for_outcomes(7)
    calls.free()
    iteration.end()
    assert [outcome.row for outcome in calls.outcomes] == list(range(7))
    assert calls.most_ahead <= 6


@pytest.mark.parametrize("fault", [ValueError("a bug"), UsageError("the client is closed"), SheetError("wrong")])
def test_what_is_no_error_of_the_row_is_raised_although_errors_are_kept(world, fault):
    calls = Calls({1: NotFound("1"), 3: fault})
    iteration = world.iterate(calls, None, concurrency=2, on_error="keep")
    for row in range(4):
        calls.open(row)
    calls.free()
    iteration.end()
    assert [outcome.ok for outcome in calls.outcomes] == [True, False, True]
    assert iteration.error is fault


def test_after_a_failure_nothing_more_is_begun_though_outcomes_before_it_are_still_awaited(world):
    calls = Calls({2: NotFound("2")})
    iteration = world.iterate(calls, None, concurrency=3)
    calls.wait_for_begun(3)
    calls.open(2)
    calls.open(1)
    assert sorted(calls.begun) == [0, 1, 2]
    calls.open(0)
    iteration.end()
    assert sorted(calls.begun) == [0, 1, 2]
    assert [outcome.row for outcome in calls.outcomes] == [0, 1]
    assert isinstance(iteration.error, NotFound)


def test_the_first_error_in_the_order_of_the_rows_is_raised_not_the_first_in_time(world):
    calls = Calls({1: NotFound("1"), 2: NotFound("2")})
    iteration = world.iterate(calls, 3, concurrency=3)
    calls.wait_for_begun(3)
    for row in (2, 1, 0):
        calls.open(row)
    iteration.end()
    assert str(iteration.error) == "1"


def test_leaving_early_leaves_nothing_in_flight(world):
    calls = Calls()
    iteration = world.iterate(calls, None, concurrency=4, most=1)
    calls.wait_for_begun(4)
    calls.open(0)
    iteration.wait_for_outcomes(1)
    calls.free()
    iteration.end()
    assert iteration.error is None
    assert not calls.held
    assert not iteration.left_over


def test_all_rows_are_taken_in_one_thread(world):
    calls = Calls()
    iteration = world.iterate(calls, 6, concurrency=3)
    for row in range(6):
        calls.open(row)
    iteration.end()
    assert len(calls.takers) == 1
    assert [outcome.result() for outcome in calls.outcomes] == [0, 10, 20, 30, 40, 50]


def test_no_rows_no_outcomes(world):
    calls = Calls()
    iteration = world.iterate(calls, 0, concurrency=3)
    iteration.end()
    assert (calls.outcomes, iteration.error) == ([], None)


@settings(deadline=None, max_examples=60)
@given(run=runs())
def test_unordered_outcomes_come_as_the_calls_end(run):
    calls = Calls(run["faults"])
    count, concurrency = run["count"], run["concurrency"]
    options = {"concurrency": concurrency, "on_error": run["on_error"], "ordered": False}
    iteration = run["world"].iterate(calls, count, run["end"], **options)
    opened = []
    raised = None
    try:
        while len(opened) < count and raised is None:
            calls.wait_for_begun(min(count, len(opened) + concurrency))
            held = sorted(calls.held)
            row = held[run["picks"][len(opened) % 20] % len(held)]
            calls.open(row)
            if row in calls.faults and run["on_error"] == "raise":
                raised = calls.faults[row]
            else:
                opened.append(row)
                iteration.wait_for_outcomes(len(opened))
    finally:
        calls.free()
        iteration.end()

    assert [outcome.index for outcome in calls.outcomes] == [outcome.row for outcome in calls.outcomes] == opened
    assert [outcome.error for outcome in calls.outcomes] == [calls.faults.get(row) for row in opened]
    assert iteration.error is (raised or run["end"])
    assert calls.most_in_flight <= concurrency
    assert calls.most_ahead <= 2 * concurrency
    assert not calls.held
    assert not iteration.left_over


def test_unordered_a_slow_row_holds_up_nobody(world):
    calls = Calls()
    iteration = world.iterate(calls, 30, concurrency=3, ordered=False)
    for row in range(1, 30):
        calls.open(row)
    iteration.wait_for_outcomes(29)
    calls.open(0)
    iteration.end()
    assert [outcome.row for outcome in calls.outcomes] == [*range(1, 30), 0]
    assert calls.most_ahead <= 6


def test_the_error_that_ends_waiting_rows_names_the_first_that_is_not_done(world):
    for ordered, first in ((True, 3), (False, 1)):
        late = NotFound("gone", position=-1)
        calls = Calls({3: late})
        iteration = world.iterate(calls, 9, concurrency=4, on_error="keep", ordered=ordered)
        for row in (0, 2, *((1,) if ordered else ()), 3):
            calls.open(row)
        calls.free()
        iteration.end()
        assert iteration.error is late
        assert late.position == first
