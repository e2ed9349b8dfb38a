"""Faults at a rate, over the real transport."""

import asyncio
import contextlib
import time

import pytest

from callsheet import AsyncClient, Client
from callsheet.errors import AttemptTimeout, NoAnswer, NotSent, UsageError
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.testing import FakeTransport, Faults
from callsheet.testing.faults import Chance
from tests.loops import COLOURS, run
from tests.servers import ScriptedServer, answer


def outcomes(url, colour, calls=60, **options):
    kept = []

    def wrapped(real):
        kept.append(Faults(real, **options))
        return kept[0]

    def told(found):
        return type(found).__name__ if isinstance(found, Exception) else found.status_code

    def blocking():
        found = []
        with Client(base_url=url, transport=wrapped, retry="off", breaker="off", rate_limit={"learn": False}) as client:
            for _ in range(calls):
                try:
                    found.append(told(client.get("/", raise_for_status=False)))
                except (NoAnswer, NotSent) as error:
                    found.append(told(error))
        return found

    async def tasks():
        settings = {"retry": "off", "breaker": "off", "rate_limit": {"learn": False}}
        async with AsyncClient(base_url=url, transport=wrapped, **settings) as client:
            found = []
            for _ in range(calls):
                found += await asyncio.gather(client.get("/", raise_for_status=False), return_exceptions=True)
            return [told(each) for each in found]

    return (blocking() if colour == "blocking" else run(tasks(), colour)), kept[0].injected


@pytest.mark.parametrize("colour", COLOURS)
def test_a_seed_brings_the_same_faults_again(colour):
    with ScriptedServer(answer()) as server:
        first, injected = outcomes(server.url, colour, rate=0.4, seed=7)
        again, _ = outcomes(server.url, colour, rate=0.4, seed=7)
        other, _ = outcomes(server.url, colour, rate=0.4, seed=8)
    assert first == again != other
    assert set(first) == {200, 429, 500, 503, "NoAnswer", "NotSent"}
    assert sum(injected.values()) == sum(outcome != 200 for outcome in first)


def test_both_colours_have_the_same_faults():
    with ScriptedServer(answer()) as server:
        blocking, tasks = (outcomes(server.url, colour, rate=0.3, seed=1)[0] for colour in ("blocking", "asyncio"))
    assert blocking == tasks


@pytest.mark.parametrize(("kind", "reaches"), [("refuse", 0), ("drop", 60), ("503", 0)])
def test_a_dropped_answer_was_really_asked_for(kind, reaches):
    with ScriptedServer(answer()) as server:
        outcomes(server.url, "blocking", rate=1.0, kinds=(kind,))
        assert len(server.requests) == reaches


def test_both_colours_and_all_services_may_count_together():
    faults = Faults(rate=1.0, kinds=("503",))

    async def one():
        async with AsyncClient(base_url=server.url, transport=faults.over, retry="off") as client:
            return (await client.get("/", raise_for_status=False)).headers["x-injected-fault"]

    with ScriptedServer(answer()) as server:
        with Client(base_url=server.url, transport=faults.over, retry="off") as client:
            assert client.get("/", raise_for_status=False).text == "injected"
        assert asyncio.run(one()) == "503"
        assert server.requests == []
    assert (faults.injected, faults.requests) == ({"503": 2}, 2)


def test_which_request_is_hit_does_not_depend_on_the_others():
    def hits(targets):
        chance = Chance(0.3, 7, ("drop", "refuse"))
        found = {}
        for target in targets:
            found.setdefault(target, []).append(
                chance.drawn(Request("GET", f"https://a.test{target}?n={len(found)}", Headers()))
            )
        return found

    one_by_one = hits(["/a"] * 50 + ["/b"] * 50)
    assert one_by_one == hits(["/a", "/b"] * 50)
    assert one_by_one["/a"] != one_by_one["/b"]
    assert {"drop", "refuse", None} == set(one_by_one["/a"])


def test_the_rate_is_what_was_asked_for():
    chance = Chance(0.05, 1, ("drop",))
    for number in range(10_000):
        chance.drawn(Request("GET", f"https://a.test/{number}", Headers()))
    assert 400 < chance.injected["drop"] < 600


@pytest.mark.parametrize("colour", COLOURS)
def test_a_delay_passes_on_the_clock_and_within_the_limits(colour):
    fake = FakeTransport()
    fake.on("GET", "/x").respond(delay=3.0)

    def get(**options):
        faults = Faults(fake, rate=1.0, kinds=("delay",), **options)

        async def task():
            async with AsyncClient(base_url="https://a.test", transport=faults, retry="off") as client:
                return await client.get("/x")

        if colour != "blocking":
            return run(task(), colour)
        with Client(base_url="https://a.test", transport=faults, retry="off") as client:
            return client.get("/x")

    assert get(delay=6.5).elapsed == 9.5
    with pytest.raises(AttemptTimeout, match="not answered within 2 s"):
        get(delay=8.0)
    with pytest.raises(AttemptTimeout, match=r"not answered within 10 s .*delay injected"):
        get(delay=60.0)


def test_a_delay_really_takes_its_time():
    with ScriptedServer(answer()) as server:
        for colour in ("blocking", "asyncio"):
            began = time.monotonic()
            assert outcomes(server.url, colour, calls=1, rate=1.0, kinds=("delay",), delay=0.03)[0] == [200]
            assert time.monotonic() - began >= 0.03


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("kind", ["drop", "503"])
def test_a_stream_is_hit_as_any_answer(colour, kind):
    fake = FakeTransport()
    fake.on("GET", "/x").respond(content=b"body")
    faults = Faults(fake, rate=1.0, kinds=(kind,))

    def blocking():
        client = Client(base_url="https://a.test", transport=faults, retry="off")
        with client, client.stream("GET", "/x", raise_for_status=False) as found:
            return found.read()

    async def task():
        client = AsyncClient(base_url="https://a.test", transport=faults, retry="off")
        async with client, client.stream("GET", "/x", raise_for_status=False) as found:
            return await found.read()

    raises = pytest.raises(NoAnswer) if kind == "drop" else contextlib.nullcontext()
    with raises:
        assert (blocking() if colour == "blocking" else run(task(), colour)) == b"injected"
    assert len(fake.calls) == (kind == "drop")


def test_no_faults_at_a_rate_of_zero():
    with ScriptedServer(answer()) as server:
        assert set(outcomes(server.url, "blocking", rate=0.0)[0]) == {200}


@pytest.mark.parametrize(
    "options", [{"rate": 2}, {"rate": -0.1}, {"rate": True}, {"kinds": ()}, {"kinds": ("flood",)}, {"delay": -1}]
)
def test_what_cannot_be_is_refused(options):
    with pytest.raises(UsageError, match="Faults: "):
        Faults(None, **options)
