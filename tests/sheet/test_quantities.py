"""Durations and sizes: what is written is what is meant, exactly."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.sheet.forms.quantities import (
    BYTES,
    LARGEST,
    LONGEST,
    SHORTEST,
    octets,
    per_second,
    rate,
    seconds,
    share,
    spelled_number,
    spelled_octets,
    spelled_rate,
    spelled_seconds,
    spelled_share,
)

UNITS = {"ms": Fraction(1, 1000), "s": Fraction(1), "m": Fraction(60), "h": Fraction(3600), "": Fraction(1)}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("250ms", 0.25),
        ("5s", 5.0),
        ("2m", 120.0),
        ("1h", 3600.0),
        ("1.5s", 1.5),
        ("5 s", 5.0),
        ("7", 7.0),
        (3, 3.0),
        (0.5, 0.5),
        ("1ms", 0.001),
        (" 5s ", 5.0),
    ],
)
def test_durations(written, value):
    assert seconds(written) == value


@pytest.mark.parametrize(
    "written",
    [
        0,
        -1,
        "0s",
        "-5s",
        "5sec",
        "5d",
        "5S",
        "1h30m",
        "",
        "s",
        "five",
        True,
        None,
        float("nan"),
        float("inf"),
        1e300,
        10**400,
        "0.5ms",
        "٣s",
        "1e3",
        "5\ns",
        [5],
        "9" * 30,
    ],
)
def test_what_is_no_duration(written):
    assert seconds(written) is None


@pytest.mark.parametrize(
    ("written", "value"),
    [("10MiB", 10 * 1024 ** 2), ("5MB", 5000000), ("64KiB", 65536), ("1.5KiB", 1536), ("7B", 7), (7, 7), ("1kB", 1000), ("1TiB", None), ("1GiB", 1024 ** 3), (1.5, None), ("0", None), (-1, None), ("1.5B", None), (True, None), ("1mib", None)],
)  # fmt: skip
def test_sizes(written, value):
    assert octets(written) == value


@given(st.integers(0, 10**9), st.integers(0, 999), st.sampled_from(list(UNITS)))
def test_a_duration_is_its_number_times_its_unit(whole, thousandths, unit):
    exact = (whole + Fraction(thousandths, 1000)) * UNITS[unit]
    value = seconds(f"{whole}.{thousandths:03}{unit}")
    if SHORTEST <= float(exact) <= LONGEST:
        assert value == pytest.approx(float(exact), rel=1e-12)
    else:
        assert value is None


@given(st.integers(0, 10**6), st.sampled_from(list(BYTES)))
def test_a_size_is_its_number_times_its_unit(number, unit):
    exact = number * BYTES[unit]
    assert octets(f"{number}{unit}") == (exact if 1 <= exact <= LARGEST else None)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.lists(st.integers())))
def test_anything_else_is_none_or_in_bounds(written):
    duration, size = seconds(written), octets(written)
    assert duration is None or SHORTEST <= duration <= LONGEST
    assert size is None or (isinstance(size, int) and 1 <= size <= LARGEST)


@pytest.mark.parametrize(
    ("spelled", "written"),
    [
        (spelled_seconds(0.25), "250ms"),
        (spelled_seconds(1.0), "1s"),
        (spelled_seconds(60.0), "60s"),
        (spelled_seconds(90.0), "90s"),
        (spelled_seconds(120.0), "2m"),
        (spelled_seconds(7200.0), "2h"),
        (spelled_seconds(1.5), "1.5s"),
        (spelled_octets(10 * 1024**2), "10MiB"),
        (spelled_octets(5_000_000), "5MB"),
        (spelled_octets(64 * 1024), "64KiB"),
        (spelled_octets(999), "999B"),
        (spelled_share(0.5), "50%"),
        (spelled_share(0.125), "12.5%"),
        (spelled_rate(50, 1.0), "50/s"),
        (spelled_rate(1000, 60.0), "1000/min"),
        (spelled_rate(10, 0.1), "10/100ms"),
        (spelled_rate(5, 2.0), "5/2s"),
        (spelled_number(10.0), "10"),
        (spelled_number(0.25), "0.25"),
        (spelled_number(123456789.0), "123456789"),
    ],
)
def test_a_quantity_is_spelled_as_a_sheet_writes_it(spelled, written):
    assert spelled == written


DURATIONS = st.integers(1, int(LONGEST * 1000)).map(lambda milliseconds: milliseconds / 1000)


@given(DURATIONS)
def test_a_duration_there_and_back(value):
    assert seconds(spelled_seconds(value)) == value


@given(st.integers(1, LARGEST))
def test_a_size_there_and_back(value):
    assert octets(spelled_octets(value)) == value


@given(st.integers(0, 10_000))
def test_a_share_there_and_back(hundredths):
    value = hundredths / 10_000
    assert share(spelled_share(value)) == pytest.approx(value, abs=1e-15)


@given(st.integers(1, 10**9), DURATIONS)
def test_a_rate_there_and_back(count, window):
    assert rate(spelled_rate(count, window)) == (count, window)


@given(st.integers(0, 10**9), st.integers(0, 99))
def test_a_number_there_and_back(whole, hundredths):
    value = float(f"{whole}.{hundredths:02}")
    assert per_second(spelled_number(value)) == value
