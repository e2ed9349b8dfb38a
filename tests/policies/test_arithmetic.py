"""Numbers in, numbers out."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from callsheet.arithmetic.backoff import ceiling, pause
from callsheet.arithmetic.retry_after import seconds_until

SECONDS = st.floats(0.001, 1e6)
WALL = 1_700_000_000.0


@given(number=st.integers(2, 10**9), first=SECONDS, most=SECONDS, portion=st.floats(0, 1))
@example(number=10**9, first=1e6, most=1e6, portion=1.0)
def test_a_pause_is_never_negative_and_never_above_the_most(number, first, most, portion):
    found = pause(number, first, most, portion)
    assert math.isfinite(found)
    assert 0.0 <= found <= most


@given(number=st.integers(2, 200), first=SECONDS, most=SECONDS)
def test_the_ceiling_never_falls(number, first, most):
    assert ceiling(number, first, most) <= ceiling(number + 1, first, most)


@given(first=SECONDS)
def test_the_first_pause_is_the_first(first):
    assert ceiling(2, first, 1e9) == first
    assert ceiling(3, first, 1e9) == 2 * first


HOSTILE = ["-5", "1e20", "inf", "nan", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT", "", " ", "1, 2", "0x10", "\x00", "²"]


@given(st.one_of(st.text(), st.sampled_from(HOSTILE), st.integers().map(str), st.datetimes().map(str)))
@pytest.mark.parametrize("wall", [0.0, WALL])
def test_any_retry_after_is_a_finite_number_or_none(wall, text):
    found = seconds_until(text, wall)
    assert found is None or (math.isfinite(found) and found >= 0.0)


@pytest.mark.parametrize("text", [*HOSTILE, "Thu, 99 Foo 2023 99:99:99 GMT", "Tue, 14 Nov 2023 22:13:20 +9999999"])
def test_a_hostile_retry_after_raises_nothing(text):
    found = seconds_until(text, WALL)
    assert found is None or 0.0 <= found < math.inf


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("120", 120.0),
        (" 120 ", 120.0),
        ("1.5", 1.5),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60.0),
        ("Tuesday, 14-Nov-23 22:14:20 GMT", 60.0),
        ("Tue Nov 14 22:14:20 2023", 60.0),
        ("Tue, 14 Nov 2023 22:12:20 GMT", 0.0),
        ("-5", None),
        ("0", 0.0),
        ("1e20", None),
        ("1e3", None),
        ("inf", None),
        ("Infinity", None),
        ("+5", None),
        ("1.", None),
        (".5", None),
        ("0x10", None),
        ("1_000", None),
        ("\u0663", None),
        ("nan", None),
        ("soon", None),
        ("9" * 400, 1e9),
    ],
)
def test_retry_after_is_seconds_or_a_date(text, seconds):
    assert seconds_until(text, WALL) == seconds
