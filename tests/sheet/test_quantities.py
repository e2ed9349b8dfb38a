"""Durations and sizes: what is written is what is meant, exactly."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.sheet.quantities import BYTES, LARGEST, LONGEST, SHORTEST, octets, seconds

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
