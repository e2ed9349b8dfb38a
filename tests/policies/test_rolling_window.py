"""Counts over the last so many seconds."""

from hypothesis import given
from hypothesis import strategies as st

from callsheet.arithmetic.rolling_window import BUCKETS, RollingWindow

STEPS = st.lists(st.tuples(st.floats(0, 20), st.integers(0, 3), st.integers(0, 3)), max_size=60)


@given(steps=STEPS, seconds=st.floats(0.01, 60))
def test_it_counts_what_happened_in_the_last_tenths(steps, seconds):
    window, log, now = RollingWindow(seconds), [], 100.0
    width = seconds / BUCKETS
    for pause, hits, total in steps:
        now += pause
        window.add(now, hits, total)
        log.append((int(now / width), hits, total))
        recent = [entry for entry in log if entry[0] > int(now / width) - BUCKETS]
        assert window.hits == sum(entry[1] for entry in recent)
        assert window.total == sum(entry[2] for entry in recent)


def test_what_is_older_than_the_window_is_forgotten_and_what_is_within_nine_tenths_is_not():
    window = RollingWindow(10.0)
    window.add(100.0, 1, 1)
    window.advance(108.9)
    assert window.total == 1
    window.advance(110.0)
    assert (window.hits, window.total) == (0, 0)


def test_a_clock_that_goes_back_loses_nothing():
    window = RollingWindow(10.0)
    window.add(100.0, 1, 1)
    window.add(95.0, 1, 1)
    assert window.total == 2
