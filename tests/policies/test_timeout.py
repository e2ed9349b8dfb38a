"""How written values and defaults make the four limits."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.settings.timeout import Timeout, WrittenTimeout

SECONDS = st.floats(0.001, 1e5)
MAYBE = st.none() | SECONDS


@given(SECONDS)
def test_a_number_is_the_whole_call(seconds):
    found = WrittenTimeout.within(seconds).resolved()
    assert (found.total, found.attempt, found.connect) == (seconds, seconds, min(5.0, seconds))


@given(MAYBE, MAYBE, MAYBE, MAYBE)
def test_what_is_written_stands_and_defaults_yield(connect, read, attempt, total):
    written = WrittenTimeout(connect, read, attempt, total)
    if written.contradiction():
        return
    found = written.resolved()
    for name in ("connect", "read", "attempt", "total"):
        assert getattr(written, name) in (None, getattr(found, name))
    assert found.connect <= found.attempt <= found.total or connect is not None
    assert found.attempt <= found.total


def test_nothing_written_is_the_default():
    assert WrittenTimeout().resolved() == Timeout(connect=5.0, read=10.0, attempt=10.0, total=30.0)


@pytest.mark.parametrize(
    ("written", "limits"),
    [
        ({"total": 2.0}, Timeout(connect=2.0, read=10.0, attempt=2.0, total=2.0)),
        ({"attempt": 60.0}, Timeout(connect=5.0, read=60.0, attempt=60.0, total=60.0)),
        ({"connect": 20.0}, Timeout(connect=20.0, read=20.0, attempt=20.0, total=30.0)),
        ({"read": 45.0}, Timeout(connect=5.0, read=45.0, attempt=45.0, total=45.0)),
    ],
)
def test_a_default_yields_upwards_and_downwards(written, limits):
    assert WrittenTimeout(**written).resolved() == limits


@pytest.mark.parametrize(
    ("written", "clash"),
    [
        ({"connect": 3.0, "attempt": 2.0}, ("connect", "attempt")),
        ({"connect": 3.0, "total": 2.0}, ("connect", "total")),
        ({"attempt": 3.0, "total": 2.0}, ("attempt", "total")),
        ({"read": 3.0, "total": 2.0}, ("read", "total")),
        ({"attempt": 2.0, "total": 2.0}, None),
    ],
)
def test_two_written_values_that_contradict_are_found(written, clash):
    assert WrittenTimeout(**written).contradiction() == clash


def test_a_calls_own_fields_are_laid_over_those_known():
    known = WrittenTimeout(connect=1.0, total=20.0)
    assert WrittenTimeout.given({"total": 5.0}, known) == WrittenTimeout(connect=1.0, total=5.0)
    assert WrittenTimeout.given(4, WrittenTimeout(read=9.0)).read == 4.0
    assert WrittenTimeout.given(4, known) == WrittenTimeout(connect=1.0, attempt=4.0, total=4.0)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0, r"expected a number of seconds above 0, found 0"),
        (-1, r"found -1"),
        (math.inf, r"found inf"),
        (math.nan, r"found nan"),
        (True, r"found True"),
        ("5", r"found '5'"),
        ({"totl": 5}, r"unknown totl; expected connect, read, attempt, total"),
        ({"connect": 9, "total": 5}, r"`connect` \(9 s\) is longer than `total`, which holds it"),
    ],
)
def test_what_is_no_timeout_is_refused(value, message):
    with pytest.raises(ValueError, match=message):
        WrittenTimeout.given(value, WrittenTimeout())
