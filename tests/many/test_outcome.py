"""Facts of one outcome, and of what both colours refuse."""

import dataclasses
import pickle

import pytest

from callsheet.errors import ArgumentError, NotFound
from callsheet.many.outcome import Outcome
from callsheet.many.tasks import map_in_tasks
from callsheet.many.threads import map_in_threads
from tests.many.worlds import asynchronous

BOTH = pytest.mark.parametrize("map_rows", [map_in_threads, map_in_tasks])


def test_a_value():
    outcome = Outcome({"id": 7}, 3, "Ada")
    assert (outcome.row, outcome.index, outcome.value, outcome.error) == ({"id": 7}, 3, "Ada", None)
    assert outcome.ok
    assert outcome.result() == "Ada"


def test_a_value_may_be_nothing():
    assert Outcome({"id": 7}, 0, None).ok
    assert Outcome({"id": 7}, 0, None).result() is None


def test_an_error():
    error = NotFound("shop.get_user: 404")
    outcome = Outcome({"id": 7}, 3, error=error)
    assert not outcome.ok
    assert outcome.value is None
    with pytest.raises(NotFound) as caught:
        outcome.result()
    assert caught.value is error


def test_an_outcome_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Outcome(1, 0, 2).value = 3


def test_an_outcome_pickles():
    outcome = pickle.loads(pickle.dumps(Outcome({"id": 7}, 3, error=NotFound("gone", attempts=2))))
    assert (outcome.row, outcome.error.attempts, str(outcome.error)) == ({"id": 7}, 2, "gone")


@BOTH
@pytest.mark.parametrize("concurrency", [0, -1, 1.5, "8", True, None])
def test_concurrency_is_a_whole_number_of_at_least_one(map_rows, concurrency):
    with pytest.raises(ArgumentError, match=r"`concurrency` must be a whole number, 1 or more; found"):
        map_rows(str, [], concurrency=concurrency)


@BOTH
def test_what_to_do_with_errors_is_one_of_two_words(map_rows):
    with pytest.raises(ArgumentError, match='`on_error` must be "raise" or "keep"; found \'ignore\''):
        map_rows(str, [], concurrency=1, on_error="ignore")


@BOTH
def test_rows_can_be_iterated_over(map_rows):
    with pytest.raises(ArgumentError, match=r"`rows` must be an iterable.*; found int"):
        map_rows(str, 7, concurrency=1)


def test_threads_take_no_asynchronous_rows():
    with pytest.raises(ArgumentError, match="found async_generator; an AsyncClient takes these"):
        map_in_threads(str, asynchronous(iter([])), concurrency=1)


@BOTH
def test_nothing_is_taken_before_an_outcome_is_asked_for(map_rows):
    taken = []
    rows = (taken.append(row) for row in range(3))
    outcomes = map_rows(str, rows, concurrency=3)
    del outcomes
    assert taken == []
