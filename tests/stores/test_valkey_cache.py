"""Answers in a real Valkey: one round trip, an end for everything, and no harm where the server is gone, slow or strange."""

import asyncio
import signal
import time

import pytest

from callsheet.secret import Secret
from callsheet.stores.base import Clear, Drop, Find, HashKey, Info, Keep, Show, StoreUnavailableError
from callsheet.stores.valkey_cache import CHUNK, AsyncValkeyCache
from tests.loops import COLOURS, LOOPS, run
from tests.servers.valkey import ValkeyServer
from tests.stores.caches import PATIENCE, Opened, entry, new_place

INSIDE = {"hset", "hlen", "hkeys", "hdel", "hvals", "pttl", "pexpire", "pexpireat", "time", "zadd", "zrange", "del"}
INSIDE |= {"zremrangebyscore", "info", "config|resetstat"}


@pytest.fixture(params=COLOURS)
def open_cache(request, tmp_path):
    loop, opened = None if request.param == "blocking" else request.param, []

    def make(url, prefix=None, **options):
        _, new = new_place("valkey", tmp_path, url)
        opened.append(Opened("valkey", (url, prefix or new), loop, **options))
        return opened[-1]

    yield make
    for cache in opened:
        cache.close()


def commands(client):
    found = {name.removeprefix("cmdstat_"): told["calls"] for name, told in client.info("commandstats").items()}
    return {name: calls for name, calls in found.items() if name not in INSIDE - {"hvals"}}


def test_each_question_of_a_call_is_one_round_trip(own_valkey, open_cache):
    cache = open_cache(own_valkey.url)
    cache.ask(Find("k1"))
    with own_valkey.client() as client:
        client.config_resetstat()
        for _ in range(3):
            cache.ask(Find("k1"))
        cache.ask(Keep(entry(tags=("t1", "t2"))))
        cache.ask(Drop("k1", "t1"))
        assert commands(client) == {"hvals": 3, "eval": 2}


def test_everything_but_the_hash_key_comes_to_its_end(own_valkey, open_cache):
    cache = open_cache(own_valkey.url, "mine")
    cache.ask(HashKey())
    cache.ask(Keep(entry("k1", keep_until=time.time() + 5, tags=("t1",))))
    cache.ask(Keep(entry("k1", vary=(("a", "b"),), keep_until=time.time() + 9)))
    cache.ask(Keep(entry("k2", keep_until=time.time() + 60, tags=("t1",))))
    with own_valkey.client() as client:
        left = {name: client.pttl(name) for name in client.scan_iter()}
    assert left.pop("mine:{cache}:hash-key") == -1
    assert 8_000 < left.pop("mine:{cache}:key:k1") <= 9_000
    assert all(59_000 < each <= 60_000 for each in left.values())
    assert set(left) == {f"mine:{{cache}}:{name}" for name in ("all", "key:k2", "tag:t1")}


def test_the_server_lets_go_of_an_entry(valkey, open_cache):
    cache = open_cache(valkey.url, wall=lambda: 1_000.0)
    cache.ask(Keep(entry(keep_until=1_000.05)))
    ends = time.monotonic() + PATIENCE
    while cache.ask(Find("k1")):
        assert time.monotonic() < ends
    assert cache.ask(Info()).entries == 0


def test_names_of_what_has_ended_do_not_pile_up(own_valkey, open_cache):
    cache = open_cache(own_valkey.url, "mine")
    for number in range(20):
        cache.ask(Keep(entry(f"k{number}", keep_until=time.time() + 0.01, tags=("t",))))
    ends = time.monotonic() + PATIENCE
    with own_valkey.client() as client:
        while len(client.keys("mine:{cache}:key:*")):
            assert time.monotonic() < ends
        cache.ask(Keep(entry("last", tags=("t",))))
        assert client.zcard("mine:{cache}:all") == client.zcard("mine:{cache}:tag:t") == 1


def test_more_than_one_chunk_is_counted_and_cleared(valkey, open_cache):
    cache = open_cache(valkey.url)
    for number in range(CHUNK + 20):
        cache.ask(Keep(entry(f"k{number}", service="a" if number % 2 else "b")))
    assert cache.ask(Info()).entries == CHUNK + 20
    assert len(cache.ask(Show(CHUNK + 10))) == CHUNK + 10
    assert cache.ask(Clear("a")) == CHUNK / 2 + 10
    assert cache.ask(Clear()) == CHUNK / 2 + 10


def test_what_others_wrote_there_is_a_miss(own_valkey, open_cache):
    cache = open_cache(own_valkey.url, "mine")
    with own_valkey.client() as client:
        client.hset("mine:{cache}:key:k1", mapping={"a": "no entry", "b": b"[1]\nbody", "c": b"\xff"})
        client.zadd("mine:{cache}:all", {"strange": time.time() * 1000 + 10_000})
        assert cache.ask(Find("k1")) == ()
        assert cache.ask(Show()) == ()
        assert cache.ask(Clear()) == 0
        client.set("mine:{cache}:key:k2", "a text")
        with pytest.raises(StoreUnavailableError, match="WRONGTYPE"):
            cache.ask(Find("k2"))


def test_a_server_that_is_gone_is_left_alone_for_a_second(own_valkey, open_cache):
    now = [0.0]
    cache = open_cache(own_valkey.url, now=lambda: now[0])
    cache.ask(Keep(entry()))
    own_valkey.kill()
    for is_resting in (False, True):
        with pytest.raises(StoreUnavailableError) as caught:
            cache.ask(Find("k1"))
        assert caught.value.is_resting is is_resting
    own_valkey.start()
    now[0] = 1.5
    assert cache.ask(Find("k1")) == ()


def test_a_server_that_hangs_costs_no_more_than_the_time_given(own_valkey, open_cache):
    now = [0.0]
    cache = open_cache(own_valkey.url, now=lambda: now[0])
    cache.ask(Keep(entry()))
    own_valkey._child.send_signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(StoreUnavailableError, match="Timeout"):
            cache.ask(Find("k1"), 0.06)
        assert time.monotonic() - began < 0.24
    finally:
        own_valkey._child.send_signal(signal.SIGCONT)
    now[0] = 1.5
    assert len(cache.ask(Find("k1"))) == 1  # not the answer to the question before


@pytest.mark.parametrize("loop", LOOPS)
def test_a_task_that_is_cancelled_leaves_no_answer_behind(valkey, tmp_path, loop):
    async def main():
        url, prefix = new_place("valkey", tmp_path, valkey.url)
        cache = AsyncValkeyCache(url, prefix)
        await cache.ask(Keep(entry("k1", b"one")), PATIENCE)
        await cache.ask(Keep(entry("k2", b"two")), PATIENCE)
        for pauses in range(12):
            task = asyncio.create_task(cache.ask(Find("k1"), PATIENCE))
            for _ in range(pauses):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            assert [each.body for each in await cache.ask(Find("k2"), PATIENCE)] == [b"two"]
        await cache.aclose()

    run(main(), loop)


def test_no_message_holds_the_password(open_cache):
    with ValkeyServer(password="canary-1234") as server:
        cache = open_cache(Secret(server.url))
        cache.ask(Keep(entry()))
        assert "canary" not in cache.ask(Info()).place
        wrong = open_cache(Secret(server.url.replace("canary-1234", "canary-5678")))
        with pytest.raises(StoreUnavailableError) as caught:
            wrong.ask(Find("k1"))
    assert "canary" not in str(caught.value)
