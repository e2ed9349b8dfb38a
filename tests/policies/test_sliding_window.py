"""Turns under several rates at once."""

import math
import random
import threading
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.arithmetic.shape import MOST_ENTRIES, margin
from callsheet.arithmetic.sliding_window import Limiter
from callsheet.arithmetic.window import CoarseWindow
from callsheet.settings.rate_limit import Rate
from tests.policies.schedules import ASKS, RATES, SCHEDULES, Ask, PlainLimiter, coarse, most_in_a_window

NOW = 1000.0
LATER = math.inf


def coarse_limiter(rates, kept=0):
    """A limiter that counts all rates but the first `kept` as large ones are."""
    limiter = Limiter(rates)
    limiter._windows[kept:] = [CoarseWindow(coarse(rate)) for rate in rates[kept:]]
    return limiter


LIMITERS = RATES.map(Limiter) | RATES.map(coarse_limiter) | RATES.map(lambda rates: coarse_limiter(rates, 1))


def turns_of(limiter, schedule, now=Fraction(1000)):
    """What a limiter answers to each event, and the time after the last."""
    turns, answers = [], []
    for event in schedule:
        if isinstance(event, Ask):
            now += event.after
            turns.append(limiter.reserve(now, event.cost, now + event.patience))
            answers.append(turns[-1])
        elif turns:
            limiter.give_back(turns[event.which % len(turns)])
    return answers, now


def answered(turns):
    return [(turn.at, turn.units) for turn in turns]


def standing(turns):
    return [(turn.at, turn.units) for turn in turns if turn.units]


def waits(limiter, now, count, cost=1):
    return [round(limiter.reserve(now, cost, LATER).wait, 6) for _ in range(count)]


def test_a_burst_goes_at_once_and_the_next_when_it_has_left_the_window():
    assert waits(Limiter((Rate(3, 1.0),)), NOW, 7) == [0.0, 0.0, 0.0, 1.01, 1.01, 1.01, 2.02]


def test_a_window_is_counted_from_each_unit_and_not_from_a_full_second():
    limiter = Limiter((Rate(2, 1.0),))
    assert [limiter.reserve(NOW + at, 1, LATER).at for at in (0.0, 0.75, 0.75)] == [NOW, NOW + 0.75, NOW + 1.01]


def test_all_rates_hold():
    limiter = Limiter((Rate(2, 1.0), Rate(3, 60.0)))
    assert waits(limiter, NOW, 4) == [0.0, 0.0, 1.01, 60.05]


def test_a_cost_takes_as_many_units():
    limiter = Limiter((Rate(5, 1.0),))
    assert [round(limiter.reserve(NOW, cost, LATER).wait, 6) for cost in (3, 2, 4, 1)] == [0.0, 0.0, 1.01, 1.01]


def test_a_small_request_does_not_overtake_a_large_one():
    limiter = Limiter((Rate(4, 1.0),))
    assert [round(limiter.reserve(NOW, cost, LATER).wait, 6) for cost in (3, 4, 1)] == [0.0, 1.01, 2.02]


def test_too_late_says_when_and_spends_nothing():
    limiter = Limiter((Rate(1, 1.0),))
    limiter.reserve(NOW, 1, LATER)
    turns = [limiter.reserve(NOW, 1, NOW + 0.5) for _ in range(3)]
    assert [(turn.is_reserved, round(turn.wait, 6)) for turn in turns] == [(False, 1.01)] * 3
    assert waits(limiter, NOW, 1) == [1.01]


def test_what_never_fits_is_never_its_turn_whoever_is_patient():
    turn = Limiter((Rate(100, 1.0), Rate(5, 60.0))).reserve(NOW, 6, LATER)
    assert (turn.is_reserved, turn.at, turn.wait) == (False, math.inf, math.inf)


@pytest.mark.parametrize("cost", [0, -1])
def test_a_cost_below_one_is_an_error(cost):
    with pytest.raises(ValueError, match="expected at least 1"):
        Limiter((Rate(1, 1.0),)).reserve(NOW, cost, LATER)


def test_who_read_the_clock_earlier_but_came_later_does_not_wait_for_it():
    limiter = Limiter((Rate(9, 1.0),))
    limiter.reserve(NOW + 0.005, 1, LATER)
    assert limiter.reserve(NOW, 1, LATER).wait == 0.0


def test_a_turn_given_back_is_the_next_callers():
    limiter = Limiter((Rate(1, 1.0),))
    limiter.give_back(limiter.reserve(NOW, 1, LATER))
    assert waits(limiter, NOW, 2) == [0.0, 1.01]


@pytest.mark.parametrize("order", ["as they came", "the last first", "shuffled"])
def test_nobody_waits_for_the_ghosts_of_a_thousand_cancelled_callers(order):
    limiter = Limiter((Rate(10, 1.0), Rate(100, 20.0)))
    waits(limiter, NOW, 10)
    waiting = [limiter.reserve(NOW, 1, LATER) for _ in range(1000)]
    if order == "shuffled":
        random.Random(7).shuffle(waiting)
    for turn in waiting if order == "as they came" else reversed(waiting):
        limiter.give_back(turn)
    assert waits(limiter, NOW, 11) == [1.01] * 10 + [2.02]


def test_the_queue_keeps_its_place_behind_a_caller_who_still_waits():
    limiter = Limiter((Rate(1, 1.0),))
    _, second, third = (limiter.reserve(NOW, 1, LATER) for _ in range(3))
    limiter.give_back(second)
    assert limiter.reserve(NOW, 1, LATER).at >= third.at


def test_giving_back_twice_or_what_was_not_reserved_changes_nothing():
    limiter = Limiter((Rate(1, 1.0),))
    turn = limiter.reserve(NOW, 1, LATER)
    limiter.give_back(limiter.reserve(NOW, 1, NOW))
    limiter.give_back(turn)
    limiter.give_back(turn)
    assert waits(limiter, NOW, 2) == [0.0, 1.01]


@pytest.mark.parametrize("make", [Limiter, coarse_limiter])
def test_a_turn_long_past_may_be_given_back(make):
    limiter = make((Rate(2, 1.0),))
    past = [limiter.reserve(NOW + at, 1, LATER) for at in (0, 5)]
    turns = [limiter.reserve(NOW + 5, 1, LATER), *past]
    for turn in turns:
        limiter.give_back(turn)
        limiter.reserve(NOW + 7, 1, NOW)
    assert waits(limiter, NOW + 7, 3) == [0.0, 0.0, 1.01]


def test_a_window_of_a_large_count_moves_on_with_time():
    limiter = Limiter((Rate(2000, 1.0),))
    limiter.reserve(NOW, 1000, LATER)
    limiter.reserve(NOW + 0.5, 1000, LATER)
    assert [limiter.reserve(NOW + 0.5, 1000, LATER).at for _ in range(2)] == [NOW + 1.01, NOW + 1.51]


@pytest.mark.parametrize("count", [1, 2000])
def test_a_forked_child_begins_with_nothing_granted(count):
    limiter = Limiter((Rate(count, 1.0),))
    of_parent = limiter.reserve(NOW, count, LATER)
    limiter.forget()
    assert limiter.reserve(NOW, count, LATER).wait == 0.0
    limiter.give_back(of_parent)
    assert limiter.reserve(NOW, count, LATER).wait > 0.0


@pytest.mark.parametrize(("declared", "more"), [(0.1, 0.001), (1.0, 0.01), (5.0, 0.05), (3600.0, 0.05)])
def test_a_window_is_counted_one_percent_longer_at_most_50_ms(declared, more):
    assert margin(declared) == pytest.approx(more)


@given(rates=RATES, schedule=SCHEDULES)
def test_turns_are_those_of_the_plainest_limiter(rates, schedule):
    turns, _ = turns_of(Limiter(rates), schedule)
    plain, _ = turns_of(PlainLimiter(rates), schedule)
    assert answered(turns) == answered(plain)


@given(limiter=LIMITERS, schedule=SCHEDULES)
def test_no_window_ever_holds_more_than_its_count(limiter, schedule):
    turns, _ = turns_of(limiter, schedule)
    for rate in limiter.rates:
        assert most_in_a_window(standing(turns), rate.seconds + margin(rate.seconds)) <= rate.count


@given(limiter=LIMITERS, schedule=SCHEDULES)
def test_turns_come_in_the_order_of_asking(limiter, schedule):
    now, ahead = Fraction(1000), []
    for event in schedule:
        if not isinstance(event, Ask):
            if ahead:
                limiter.give_back(ahead.pop(event.which % len(ahead)))
            continue
        now += event.after
        turn = limiter.reserve(now, event.cost, now + event.patience)
        assert turn.at >= max([now, *(each.at for each in ahead)])
        assert turn.wait == turn.at - now
        assert not (turn.is_reserved and turn.at > now + event.patience)
        if turn.is_reserved:
            ahead.append(turn)


@given(limiter=LIMITERS, schedule=SCHEDULES)
def test_an_idle_limiter_gives_its_whole_count_at_once(limiter, schedule):
    turns, now = turns_of(limiter, schedule)
    idle = max([now, *(at for at, _ in standing(turns))]) + 2 * max(rate.seconds for rate in limiter.rates)
    count = min(rate.count for rate in limiter.rates)
    assert {turn.wait for turn in (limiter.reserve(idle, 1, LATER) for _ in range(count))} == {0}
    assert limiter.reserve(idle, 1, LATER).wait > 0


@given(make=st.sampled_from([Limiter, coarse_limiter]), rates=RATES, schedule=SCHEDULES, refused=st.integers(1, 9))
def test_who_was_too_late_has_changed_nothing(make, rates, schedule, refused):
    """The same schedule twice, once with somebody at the end who is refused."""
    limiter, twin = make(rates), make(rates)
    (_, now), _ = turns_of(limiter, schedule), turns_of(twin, schedule)
    assert not limiter.reserve(now, refused, now - 1).is_reserved
    asks = [Ask(Fraction(), 1, Fraction(99))] * 9
    assert answered(turns_of(limiter, asks, now)[0]) == answered(turns_of(twin, asks, now)[0])


@given(rates=RATES, before=SCHEDULES, cancelled=st.lists(ASKS, max_size=20), after=SCHEDULES, dice=st.randoms())
def test_who_gave_up_at_the_end_of_the_queue_might_never_have_asked(rates, before, cancelled, after, dice):
    limiter, twin = Limiter(rates), Limiter(rates)
    turns_of(twin, before)
    _, now = turns_of(limiter, before)
    turns, now = turns_of(limiter, cancelled, now)
    dice.shuffle(turns)
    for turn in turns:
        limiter.give_back(turn)
    answers = [answered(turns_of(each, after, now)[0]) for each in (limiter, twin)]
    assert answers[0] == answers[1]


@given(rate=st.sampled_from([Rate(2500, 1.0), Rate(100_000, 3600.0)]), dice=st.randoms())
def test_a_large_queue_that_gave_up_is_gone_too(rate, dice):
    limiter = Limiter((rate,))
    waits(limiter, NOW, 100, cost=rate.count // 100)
    waiting = [limiter.reserve(NOW, 1, LATER) for _ in range(200)]
    dice.shuffle(waiting)
    for turn in waiting:
        limiter.give_back(turn)
    window = rate.seconds + margin(rate.seconds)
    assert limiter.reserve(NOW, 1, LATER).at == NOW + window


@pytest.mark.parametrize(
    "rate", [Rate(1, 1.0), Rate(7, 0.1), Rate(100, 1.0), Rate(1000, 1.0), Rate(2500, 1.0), Rate(9_999, 60.0)]
)
@pytest.mark.parametrize("cost", [1, 3])
def test_a_saturated_limiter_gives_98_percent_of_its_rate(rate, cost):
    cost = min(cost, rate.count)
    limiter = Limiter((rate,))
    windows = max(10, min(200, 20_000 // rate.count))
    given_units, turn = 0, limiter.reserve(0.0, cost, LATER)
    now = 0.0
    while turn.at < windows * rate.seconds:
        given_units += cost
        now = turn.at
        turn = limiter.reserve(now, cost, LATER)
    assert given_units >= 0.98 * windows * (rate.count - rate.count % cost)


@pytest.mark.parametrize("gap", [0.0, 0.00001, 0.02, 1.0])
def test_a_large_count_is_remembered_in_few_pieces(gap):
    limiter = Limiter((Rate(100_000, 3600.0),))
    for n in range(6000):
        limiter.reserve(NOW + n * gap, 20, LATER)
    [window] = limiter._windows
    assert len(window.inside) + len(window.passed) <= MOST_ENTRIES + 2 + MOST_ENTRIES / 50


def test_threads_share_a_limit():
    limiter, turns = Limiter((Rate(50, 1.0),)), []

    def ask(seed):
        dice = random.Random(seed)
        for n in range(300):
            turn = limiter.reserve(NOW + n / 100, 1, NOW + 20)
            if dice.random() < 0.5:
                limiter.give_back(turn)
            turns.append(turn)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most_in_a_window(standing(turns), 1.0) == 50
