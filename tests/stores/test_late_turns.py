"""A turn that is taken too late is asked for again: the limit holds where processes starve, and little of it is lost."""

import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callsheet.arithmetic.shared_window import NO_PLACE, Taken, horizon, tolerance, whole_shapes
from callsheet.arithmetic.store_clock import ENOUGH, StoreClock
from callsheet.settings.rate_limit import Rate, RateLimit
from callsheet.stores.script import SCRIPT
from callsheet.stores.valkey import ValkeyStore
from tests.policies.schedules import most_in_a_window
from tests.stores.starved import Delays, Machine, Process
from tests.stores.test_valkey import prefix, reserve

BEGAN = 1_700_000_000_000


class Store:
    """The script, at times in milliseconds that the test gives. It answers: is it reserved, at what time, at which place."""

    def __init__(self, valkey, *rates):
        self.client, self.rates, self.store = valkey.client(), rates, ValkeyStore(valkey.url, prefix())

    def turn(self, now, cost=1, patience=60.0, place=NO_PLACE, earliest=0):
        question = reserve(self.rates, cost, patience)._replace(place=place, earliest=(BEGAN + earliest) / 1000)
        reserved, wait, at, place = self.client.eval(SCRIPT, *self.store.arguments(question, (BEGAN + now) * 1000))
        assert at == (BEGAN + now) * 1000 + wait
        return reserved == 1, at / 1000 - BEGAN, place

    def taken(self, now, place, when):
        told = Taken(*reserve(self.rates)._replace(place=place, earliest=(BEGAN + when) / 1000))
        self.client.eval(SCRIPT, *self.store.arguments(told, (BEGAN + now) * 1000))


def test_a_turn_that_is_moved_delays_only_the_turn_one_window_after_it(valkey):
    store = Store(valkey, Rate(2, 1.0))
    assert [store.turn(0) for _ in range(2)] == [(True, 0, 0), (True, 0, 1)]
    assert store.turn(200, place=0) == (True, 200, 0)
    assert [store.turn(300) for _ in range(4)] == [(True, 1210, 2), (True, 1010, 3), (True, 2220, 4), (True, 2020, 5)]


def test_a_turn_far_ahead_is_told_when_the_one_before_it_was_moved(valkey):
    store = Store(valkey, Rate(1, 1.0))
    assert [store.turn(0)[1] for _ in range(3)] == [0, 1010, 2020]
    store.turn(400, place=0)
    assert store.turn(600, place=1, earliest=1010) == (True, 1410, 1)
    assert store.turn(1500, place=2, earliest=2020) == (True, 2420, 2)


def test_a_turn_is_never_moved_ahead(valkey):
    store = Store(valkey, Rate(1, 1.0))
    store.turn(0)
    store.turn(0)
    assert store.turn(700, place=1, earliest=1010) == (True, 1010, 1)


def test_a_turn_may_be_asked_for_a_time_to_come(valkey):
    store = Store(valkey, Rate(1, 1.0))
    store.turn(0)
    assert store.turn(100, place=0, earliest=150) == (True, 150, 0)
    assert store.turn(100)[1] == 1160


def test_after_half_a_window_a_turn_is_lost(valkey):
    store = Store(valkey, Rate(2, 1.0))
    store.turn(0)
    assert store.turn(504, place=0) == (True, 504, 0)
    assert store.turn(504 + 505, place=0) == (True, 1009, 1)
    assert store.turn(1009)[1] == 504 + 1010


def test_a_turn_that_cannot_be_waited_for_stays_where_it_was(valkey):
    store = Store(valkey, Rate(1, 1.0))
    store.turn(0)
    store.turn(0)
    store.turn(400, place=0)
    assert store.turn(600, place=1, earliest=1010, patience=0.5) == (False, 1410, 1)
    assert store.turn(600)[1] == 2020


def test_a_place_that_the_store_forgot_is_a_new_one(valkey):
    store = Store(valkey, Rate(2, 1.0))
    assert store.turn(0, place=7) == (True, 0, 0)
    assert store.turn(0, place=7) == (True, 0, 1)


def test_a_turn_of_a_large_count_is_moved_with_its_neighbours(valkey):
    store = Store(valkey, Rate(2000, 2.0))
    places = [store.turn(now)[2] for now in (0, 1, 2)]
    assert places == [0, 1, 2]
    assert [store.turn(200, place=1)[1], store.turn(100, place=0)[1]] == [200, 100]
    assert store.turn(201, cost=1997)[1] == 201
    assert store.turn(202)[1] == 2220  # the first two share an entry, which counts at the later time


def test_a_turn_that_was_taken_late_is_counted_when_it_was_taken(valkey):
    store = Store(valkey, Rate(1, 1.0))
    store.turn(0)
    store.taken(300, place=0, when=100)
    assert store.turn(300)[1] == 1110
    store.taken(700, place=0, when=400)  # half a window is over: the next turn may have been promised
    assert store.turn(700)[1] == 2120


def test_all_rates_hold_for_a_turn_that_is_moved(valkey):
    store = Store(valkey, Rate(1, 0.1), Rate(2, 1.0))
    assert [store.turn(0)[1] for _ in range(2)] == [0, 101]
    assert store.turn(40, place=0)[1] == 40
    assert store.turn(100, place=1, earliest=101)[1] == 141
    assert [store.turn(141)[1] for _ in range(2)] == [1050, 1151]


MOVES = st.lists(
    st.tuples(st.integers(0, 400), st.none() | st.integers(0, 9), st.integers(1, 3), st.integers(0, 300)),
    max_size=60,
)
SOME_RATES = st.lists(st.builds(Rate, st.integers(3, 8), st.integers(1, 20).map(lambda n: Fraction(n, 10))), max_size=3)


@settings(max_examples=150, deadline=None)
@given(rates=SOME_RATES.filter(bool).map(tuple), schedule=MOVES)
def test_no_window_holds_more_in_whatever_order_turns_are_moved(valkey, rates, schedule):
    """Each turn is taken at its time, if it was promised, or moved at any time before or after."""
    store, now, turns = Store(valkey, *rates), 0, {}
    shortest = horizon(whole_shapes(rates)) * 1000
    promised = {}
    for after, which, wanted, lead in schedule:
        now += after
        if which is None or not turns:
            place, cost, earliest = NO_PLACE, wanted, 0
        else:
            place = list(turns)[-1 - which % len(turns)]
            cost, earliest = turns.pop(place), now + lead
            promised.pop(place, None)
        _, at, place = store.turn(now, cost, place=place, earliest=earliest)
        turns[place] = cost
        if at - now <= shortest:
            promised[place] = at, cost
    for rate in rates:
        assert most_in_a_window(promised.values(), Fraction(rate.seconds) * 1000) <= rate.count


def milliseconds(dice, *most):
    """Mostly short, seldom long: of ten delays five are at most the first, four the second, one the third."""
    return dice.uniform(0, dice.choices(most, (5, 4, 1))[0]) / 1000


def starved(dice, quick):
    """Delays of a machine with too few processors; every fourth answer is `quick`, so that clocks can be compared."""
    turns = iter(range(10**9))
    return Delays(
        lambda: milliseconds(dice, 2, 40, 300) if next(turns) % 4 else quick,
        lambda: milliseconds(dice, 2, 40, 300) if next(turns) % 4 else quick,
        lambda: milliseconds(dice, 2, 30, 200),
    )


@settings(max_examples=40, deadline=None)
@given(
    rates=st.sampled_from([(Rate(8, 2.0),), (Rate(5, 2.0), Rate(12, 8.0)), (Rate(20, 3.0),)]),
    cost=st.sampled_from([1, 1, 3]),
    callers=st.integers(1, 30),
    when_full=st.sampled_from(["wait", "fail"]),
    seed=st.integers(0, 2**32),
)
def test_the_service_never_sees_more_than_the_rate(valkey, rates, cost, callers, when_full, seed):
    """As long as the delays of a turn, its departure and its report are together less than half a window."""
    machine, dice = Machine(valkey, prefix()), random.Random(seed)
    setting = RateLimit(rates, cost=cost, when_full=when_full)
    processes = [Process(machine, setting, starved(dice, 0.0005), dice.uniform(0, 9999)) for _ in range(4)]
    for n in range(callers):
        machine.at(dice.uniform(0, 0.3), processes[n % 4].keep_calling)
    machine.run(until=12.0)
    assert machine.sent
    for rate in rates:
        assert most_in_a_window(machine.sent, rate.seconds) <= rate.count


@pytest.mark.parametrize("callers", [64, 200])
@pytest.mark.parametrize("seed", range(3))
def test_late_turns_lose_little_of_the_rate(valkey, callers, seed):
    """Where a tenth of the awakenings is 0 to 100 ms late, and answers as well, 95 % are sent."""
    machine, dice = Machine(valkey, prefix()), random.Random(seed)
    delays = Delays(*[lambda: milliseconds(dice, 2, 5, 100)] * 3)
    processes = [Process(machine, RateLimit((Rate(50, 1.0),)), delays, 100.0 * n) for n in range(16)]
    for n in range(callers):
        machine.at(0.0, processes[n % 16].keep_calling)
    machine.run(until=20.0)
    assert most_in_a_window(machine.sent, 1.0) == 50
    assert 950 <= len(machine.sent) <= 1000


@pytest.mark.parametrize("seed", range(3))
def test_a_request_that_left_late_delays_the_turn_one_window_after_it(valkey, seed):
    """Its connection was new, or its process was not given a processor after it had looked at the time."""
    machine, dice = Machine(valkey, prefix()), random.Random(seed)
    delays = Delays(*[lambda: 0.0002] * 3, out=lambda: milliseconds(dice, 1, 10, 200))
    processes = [Process(machine, RateLimit((Rate(50, 1.0),)), delays, 100.0 * n) for n in range(16)]
    for n in range(64):
        machine.at(0.0, processes[n % 16].keep_calling)
    machine.run(until=15.0)
    assert most_in_a_window(machine.sent, 1.0) == 50
    assert 0.95 * 750 <= len(machine.sent) <= 750


def test_on_time_every_turn_is_used_and_costs_one_question_or_two(valkey):
    machine = Machine(valkey, prefix())
    delays = Delays(*[lambda: 0.0002] * 3)
    process = Process(machine, RateLimit((Rate(50, 1.0),)), delays)
    for _ in range(64):
        process.keep_calling()
    machine.run(until=10.3 - 0.001)
    assert 10 * 50 - 2 <= len(machine.sent) <= 10 * 50
    assert machine.exchanges <= 2 * (500 + 64)


def test_a_store_that_is_far_away_is_no_reason_to_ask_for_ever(valkey):
    machine, dice = Machine(valkey, prefix()), random.Random(7)
    delays = Delays(lambda: dice.uniform(0.08, 0.1), lambda: dice.uniform(0.08, 0.1), lambda: 0.001)
    process = Process(machine, RateLimit((Rate(10, 1.0),)), delays)
    for _ in range(20):
        process.keep_calling()
    machine.run(until=2.0)
    asked, sent = machine.exchanges, len(machine.sent)
    machine.run(until=20.0)
    assert len(machine.sent) - sent >= 0.95 * 180
    assert machine.exchanges - asked <= 2.2 * (len(machine.sent) - sent)


def test_where_answers_are_late_a_turn_is_asked_for_that_comes_after_its_answer(valkey):
    machine, dice = Machine(valkey, prefix()), random.Random(7)
    delays = Delays(lambda: 0.0002, lambda: dice.uniform(0, 0.06), lambda: 0.0001)
    process = Process(machine, RateLimit((Rate(5, 0.1),)), delays)
    process.keep_calling()
    machine.run(until=20.0)
    assert machine.exchanges <= 4 * len(machine.sent)


def test_a_call_that_must_not_wait_asks_again_for_a_turn_that_was_told_too_late(valkey):
    machine = Machine(valkey, prefix())
    late = iter([0.3, 0.2, 0.0002, 0.0002])
    process = Process(
        machine,
        RateLimit((Rate(1, 1.0),), when_full="fail"),
        Delays(lambda: 0.0002, lambda: next(late), lambda: 0.0002),
    )
    process.call()
    machine.run(until=1.0)
    process.call()
    machine.run(until=2.0)
    [(sent, _)] = machine.sent
    assert sent == pytest.approx(0.501, abs=0.001)
    [refusal] = machine.refused
    assert "the limit is reached" in refusal


def test_a_turn_that_passes_while_another_limit_waits_is_not_queued_for_again(valkey):
    """Else an attempt with two limits would lose its turn of the one in the queue of the other, again and again."""
    machine = Machine(valkey, prefix())
    process = Process(machine, RateLimit((Rate(1, 1.0),)), Delays(*[lambda: 0.0] * 3))
    attempt = process.attempt()
    asked = process.policy.before(attempt, 0.0)
    assert asked.then(machine.answer(asked.question)) is None
    assert process.policy.before(attempt, 0.3) is None
    assert process.policy.before(attempt, 30.0) is None


class TestStoreClock:
    def test_the_fastest_answer_says_how_the_clocks_differ(self):
        clock = StoreClock()
        for theirs, asked, now in [(100.0, 7.0, 7.9), (101.0, 7.97, 8.001), (102.0, 8.9, 9.3)]:
            clock.heard(theirs, asked, now)
        assert clock.most == pytest.approx(-93.0 + 0.001, abs=0.002)
        assert clock.least == pytest.approx(-93.0, abs=0.002)

    def test_a_slow_answer_says_little(self):
        clock = StoreClock()
        clock.heard(100.0, 7.0, 7.5)
        assert not clock.is_known(0.02)
        clock.heard(100.6, 7.59, 7.605)
        assert clock.is_known(0.02)

    def test_a_store_that_is_always_slow_is_believed_after_a_while(self):
        clock = StoreClock()
        for n in range(5):
            assert not clock.is_known(0.02)
            clock.heard(100.0 + n / 4, n / 4 - 0.1, n / 4 + 0.1)
        assert ENOUGH == 1.0
        assert clock.is_known(0.02)

    @pytest.mark.parametrize("step", [-3600.0, -0.5, 0.5, 3600.0])
    def test_a_clock_that_is_set_is_believed_at_once(self, step):
        clock = StoreClock()
        for n in range(20):
            clock.heard(100.0 + n, n - 0.001, n + 0.001)
        clock.heard(120.0 + step, 19.999, 20.002)
        assert clock.most == pytest.approx(20.002 - 120.0 - step)
        assert clock.is_known(0.02)

    def test_clocks_may_drift_apart(self):
        clock = StoreClock()
        for n in range(2000):
            clock.heard(n * 1.0005, n - 0.001, n + 0.001)
            assert clock.least <= n - n * 1.0005 <= clock.most
            assert clock.most - clock.least < 0.01

    @given(
        offset=st.floats(-1e6, 1e6),
        exchanges=st.lists(st.tuples(st.floats(0, 5), st.floats(0, 2), st.floats(0, 2)), min_size=1),
    )
    def test_the_difference_is_always_between_its_bounds(self, offset, exchanges):
        clock, now = StoreClock(), 0.0
        for pause, there, back in exchanges:
            asked = now + pause
            clock.heard(asked + there, asked + offset, asked + there + back + offset)
            now = asked + there + back
            assert clock.least - 1e-6 <= offset <= clock.most + 1e-6


@pytest.mark.parametrize(
    ("rates", "late"),
    [
        ([Rate(50, 1.0)], 0.02),
        ([Rate(50, 1.0), Rate(9, 3600.0)], 0.02),
        ([Rate(5, 0.1)], 0.002),
        ([Rate(1000, 60.0)], 0.2),
    ],
)
def test_a_turn_may_be_taken_two_percent_of_the_shortest_window_late(rates, late):
    assert tolerance(rates) == pytest.approx(late)


def test_windows_are_longer_by_what_turns_may_be_late():
    shapes = [whole_shapes((Rate(50, 1.0), Rate(9, 60.0)), late)[1::3] for late in (0.0, 0.02)]
    assert shapes == [(1_010_000, 60_050_000), (1_030_000, 60_070_000)]
