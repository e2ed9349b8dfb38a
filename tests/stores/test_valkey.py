"""The limiter in a real Valkey: the same turns as in Python, one round trip each, and no harm where it is gone."""

import socket
import threading
import time
import uuid
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callsheet.arithmetic.shared_window import Hold, Reserve, whole_shapes
from callsheet.arithmetic.sliding_window import Limiter
from callsheet.secret import Secret
from callsheet.settings.rate_limit import Rate
from callsheet.stores.base import StoreUnavailableError
from callsheet.stores.script import SCRIPT
from callsheet.stores.valkey import REST, SHA, ValkeyStore
from tests.policies.schedules import MILLISECOND, RATES, Ask, seconds
from tests.servers.valkey import ValkeyServer

MANY = 10**9


def reserve(rates, cost=1, patience=60.0, limit="="):
    return Reserve("shop", limit, whole_shapes(rates), cost, patience)


def prefix():
    return f"test-{uuid.uuid4().hex[:8]}"


class InPython:
    """A schedule played to the limiter of one process."""

    def __init__(self, rates):
        self.limiter = Limiter(rates)

    def turn(self, now, cost, patience):
        turn = self.limiter.reserve(now, cost, now + patience)
        return turn.is_reserved, turn.wait


class InLua:
    """The same to the script, with times that the schedule gives."""

    def __init__(self, valkey, rates):
        self.client, self.rates = valkey.client(), rates
        self.store = ValkeyStore(valkey.url, prefix())

    def turn(self, now, cost, patience):
        question = reserve(self.rates, cost, patience)
        given, wait, *_ = self.client.eval(SCRIPT, *self.store.arguments(question, int(now * 1_000_000)))
        return given == 1, Fraction(wait, 1_000_000)


def ms(*times):
    return [time * MILLISECOND for time in times]


VECTORS = {
    "a burst, and then the window": ((Rate(3, ms(1000)[0]),), [(0, 1, MANY)] * 7, [0, 0, 0, 1010, 1010, 1010, 2020]),
    "sliding, not fixed": ((Rate(2, ms(1000)[0]),), [(0, 1, MANY), (750, 1, MANY), (0, 1, MANY)], [0, 0, 260]),
    "two rates": ((Rate(2, ms(1000)[0]), Rate(3, ms(60_000)[0])), [(0, 1, MANY)] * 4, [0, 0, 1010, 60_050]),
    "costs": ((Rate(5, ms(1000)[0]),), [(0, 3, MANY), (0, 2, MANY), (0, 4, MANY), (0, 1, MANY)], [0, 0, 1010, 1010]),
    "no overtaking": ((Rate(4, ms(1000)[0]),), [(0, 3, MANY), (0, 4, MANY), (0, 1, MANY)], [0, 1010, 2020]),
    "too late is not spent": ((Rate(1, ms(1000)[0]),), [(0, 1, 0), (0, 1, 500), (0, 1, 2000)], [0, -1010, 1010]),
    "a large count": ((Rate(2000, ms(1000)[0]),), [(0, 1000, MANY), (500, 1000, MANY), (0, 1000, MANY)], [0, 0, 510]),
}


@pytest.mark.parametrize("world", ["python", "lua"])
@pytest.mark.parametrize("name", VECTORS)
def test_the_same_vectors_in_python_and_in_lua(valkey, world, name):
    rates, asks, expected = VECTORS[name]
    limiter = InPython(rates) if world == "python" else InLua(valkey, rates)
    now, found = Fraction(1_700_000_000), []
    for after, cost, patience in asks:
        now += after * MILLISECOND
        given_turn, wait = limiter.turn(now, cost, patience * MILLISECOND)
        found.append(round(wait * 1000 if given_turn else -wait * 1000, 3))
    assert found == expected


ASKS = st.lists(
    st.builds(Ask, st.just(Fraction()) | seconds(0, 100) | seconds(0, 1500), st.integers(1, 4), seconds(0, 9000)),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(rates=RATES, schedule=ASKS)
def test_any_schedule_has_the_same_turns_in_both(valkey, rates, schedule):
    limiters, now = (InPython(rates), InLua(valkey, rates)), Fraction(1_700_000_000)
    for ask in schedule:
        now += ask.after
        if ask.cost <= min(rate.count for rate in rates):
            assert limiters[0].turn(now, ask.cost, ask.patience) == limiters[1].turn(now, ask.cost, ask.patience)


@settings(max_examples=15, deadline=None)
@given(gaps=st.lists(st.tuples(seconds(0, 3), st.integers(1, 900)), min_size=10, max_size=60))
def test_a_large_count_has_the_same_turns_in_both(valkey, gaps):
    rates = (Rate(5000, ms(2000)[0]),)
    limiters, now = (InPython(rates), InLua(valkey, rates)), Fraction(1_700_000_000)
    for gap, cost in gaps:
        now += gap
        assert limiters[0].turn(now, cost, MANY) == limiters[1].turn(now, cost, MANY)


def test_the_servers_clock_counts(valkey, open_store):
    store = open_store(valkey.url, prefix=prefix())
    places = [store.ask(reserve((Rate(2, 60.0),))) for _ in range(3)]
    assert [place.is_reserved for place in places] == [True, True, False]
    assert [place.wait for place in places[:2]] == [0.0, 0.0]
    assert places[2].wait == pytest.approx(60.05, abs=1.0)


def test_a_turn_costs_one_round_trip(own_valkey, open_store):
    store = open_store(own_valkey.url)
    store.ask(reserve((Rate(5, 1.0), Rate(50, 60.0))))
    with own_valkey.client() as client:
        client.config_resetstat()
        for _ in range(20):
            store.ask(reserve((Rate(5, 1.0), Rate(50, 60.0))))
        commands = client.info("commandstats")
    inside = {"pttl", "get", "incrby", "zrangebyscore", "zrange", "zrem", "zadd", "pexpire", "time"}
    asked = {name.removeprefix("cmdstat_"): found["calls"] for name, found in commands.items()}
    assert {name: calls for name, calls in asked.items() if name not in inside | {"info", "config|resetstat"}} == {
        "evalsha": 20
    }


def test_the_script_is_loaded_again_after_a_flush(own_valkey, open_store):
    store = open_store(own_valkey.url)
    with own_valkey.client() as client:
        for flush in (client.script_flush, client.flushall, client.script_flush):
            assert store.ask(reserve((Rate(9, 1.0),))).is_reserved
            flush()
        assert store.ask(reserve((Rate(9, 1.0),))).is_reserved
        assert client.script_exists(SHA) == [True]


def test_all_keys_of_a_service_have_one_hash_tag_and_expire(own_valkey, open_store):
    store = open_store(own_valkey.url, prefix="mine")
    store.ask(reserve((Rate(5, 1.0), Rate(50, 60.0)), limit="get=a{b}c"))
    store.ask(Hold("shop", 0.5))
    with own_valkey.client() as client:
        keys = sorted(client.keys())
        assert len(keys) == 4
        assert all(key.startswith("mine:{shop}:") for key in keys)
        assert all(0 < client.pttl(key) <= 62_000 for key in keys)


def test_limits_of_other_names_rates_and_prefixes_are_others(valkey, open_store):
    one, other = open_store(valkey.url, prefix=prefix()), open_store(valkey.url, prefix=prefix())
    questions = [reserve((Rate(1, 60.0),)), reserve((Rate(1, 60.0),), limit="op="), reserve((Rate(1, 61.0),))]
    assert [store.ask(question).wait for store in (one, other) for question in questions] == [0.0] * 6


def test_a_hold_holds_up_everybody_and_is_never_shortened(valkey, open_store):
    name = prefix()
    one, other = open_store(valkey.url, prefix=name), open_store(valkey.url, prefix=name)
    one.ask(Hold("shop", 5.0))
    one.ask(Hold("shop", 0.1))
    assert other.ask(reserve((Rate(9, 1.0),))).wait == pytest.approx(5.0, abs=0.5)
    assert not other.ask(reserve((Rate(9, 1.0),), patience=1.0)).is_reserved


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_a_server_that_was_killed_fails_fast_and_is_found_again(own_valkey, open_store):
    clock = Clock()
    store = open_store(own_valkey.url, now=clock)
    store.ask(reserve((Rate(9, 1.0),)))
    own_valkey.kill()
    with pytest.raises(StoreUnavailableError) as failed:
        store.ask(reserve((Rate(9, 1.0),)))
    own_valkey.start()
    with pytest.raises(StoreUnavailableError, match="it is not asked again for 1 s") as rested:
        store.ask(reserve((Rate(9, 1.0),)))
    assert (failed.value.is_resting, rested.value.is_resting) == (False, True)
    clock.now += REST
    assert store.ask(reserve((Rate(9, 1.0),))).is_reserved


def test_a_server_that_never_answers_fails_within_its_time(open_store):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        store = open_store(f"valkey://127.0.0.1:{listener.getsockname()[1]}")
        began = time.monotonic()
        with pytest.raises(StoreUnavailableError, match="Timeout"):
            store.ask(reserve((Rate(9, 1.0),)))
        assert time.monotonic() - began < 2.0


def test_a_password_reaches_the_server_and_no_error():
    with ValkeyServer(password="canary-77") as server:
        store = ValkeyStore(Secret(server.url))
        assert store.ask(reserve((Rate(9, 1.0),)), 5.0).is_reserved
        store.close()
        wrong = ValkeyStore(Secret(server.url.replace("canary-77", "canary-88")))
        with pytest.raises(StoreUnavailableError) as caught:
            wrong.ask(reserve((Rate(9, 1.0),)), 5.0)
        assert "canary" not in str(caught.value)
        assert "canary" not in repr(wrong)
        wrong.close()


def test_threads_share_one_store(valkey):
    store, rates, given_turns = ValkeyStore(valkey.url, prefix()), (Rate(40, 60.0),), []

    def ask():
        given_turns.extend(store.ask(reserve(rates, patience=0.0), 5.0).is_reserved for _ in range(20))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()
    assert sum(given_turns) == 40
