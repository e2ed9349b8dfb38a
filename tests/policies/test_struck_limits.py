"""An interrupt at any moment of taking or giving back a turn leaves no window counting wrong for ever."""

import pytest

from callsheet.arithmetic.sliding_window import Limiter
from callsheet.settings.rate_limit import Rate
from tests.strikes import strikes

RATES = [Rate(3, 1.0)], [Rate(5, 1.0), Rate(7, 10.0)], [Rate(40_000, 3600.0)]


def used(limiter):
    return [window.used for window in limiter._windows]


def counted(limiter):
    return [sum(entry.units for entry in window.inside) for window in limiter._windows]


@pytest.mark.parametrize("rates", RATES)
def test_windows_count_what_is_in_them(rates):
    limiter, clock = Limiter(tuple(rates)), [0.0]

    def take_and_give_back():
        clock[0] += 0.4
        turns = [limiter.reserve(clock[0], 1, 1e9) for _ in range(3)]
        limiter.give_back(turns[1])
        limiter.give_back(turns[2])

    for _ in range(3):
        for place in strikes(take_and_give_back):
            assert used(limiter) == counted(limiter), place
    clock[0] += 1e5
    assert all(limiter.reserve(clock[0], 1, 1e9).wait == 0.0 for _ in range(min(rate.count for rate in rates)))
