"""The practice API on real sockets, by libcurl: it counts how often it was asked, and nobody here scripted its answers."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from callsheet import AsyncClient, Client, Sheet
from callsheet.practice import PracticeServer
from callsheet.testing import FakeTransport
from tests.loops import COLOURS, run
from tests.servers import ScriptedServer, answer, silence

KEYS = count()


@pytest.fixture(scope="module")
def practice():
    with PracticeServer() as server:
        yield server


def asked(colour, practice, story, **settings):
    """What a story of calls gives; each of its calls is awaited, or not."""
    sheet = Sheet(services={"shop": {"base_url": practice.url, "cache": "http", **settings}})

    async def in_tasks():
        async with AsyncClient(sheet) as client:
            return await story(client, asyncio.gather)

    if colour != "blocking":
        return run(in_tasks(), colour)
    with Client(sheet) as client, ThreadPoolExecutor(16) as pool:

        class Awaitable:
            def __getattr__(self, name):
                async def called(*arguments, **options):
                    return getattr(client, name)(*arguments, **options)

                return called

        async def gathered(*steps):
            def ended(step):
                try:
                    step.send(None)
                except StopIteration as end:
                    return end.value

            return list(pool.map(ended, steps))

        steps = story(Awaitable(), gathered)
        try:
            steps.send(None)
        except StopIteration as end:
            return end.value


@pytest.fixture
def key():
    return f"/cached/wire-{next(KEYS)}"


@pytest.mark.parametrize("colour", COLOURS)
def test_fresh_validated_varied_and_dropped(colour, practice, key):
    async def story(shop, _):
        served = []
        for control, headers in [("max-age=60", {}), ("max-age=60", {})]:
            served.append(await shop.get(key, params={"control": control}, headers=headers))
        validated = [await shop.get(key, params={"control": "no-cache"}) for _ in range(2)]
        varied = [await shop.get(key, params={"vary": "X-Kind"}, headers={"X-Kind": kind}) for kind in ("a", "b", "a")]
        await shop.put(f"{key}?control=no-cache")
        after = await shop.get(key, params={"control": "no-cache"})
        total = (await shop.get(f"{key}/count")).json()["served"]
        return served, validated, varied, after, total

    served, validated, varied, after, total = asked(colour, practice, story)
    assert [answer.from_cache for answer in served] == [False, True]
    assert validated[1].cache_status == "callsheet; fwd=stale; fwd-status=304; stored"
    assert validated[1].json() == validated[0].json()
    assert [answer.from_cache for answer in varied] == [False, False, True]
    assert varied[2].json()["varied"] == {"X-Kind": "a"}
    assert after.json()["version"] == 2
    assert total == 1 + 2 + 2 + 1


@pytest.mark.parametrize("colour", COLOURS)
def test_a_crowd_sends_one_request(colour, practice, key):
    async def story(shop, gather):
        answers = await gather(*(shop.get(key) for _ in range(100)))
        return answers, (await shop.get(f"{key}/count")).json()["served"]

    answers, total = asked(colour, practice, story)
    assert {answer.json()["served"] for answer in answers} == {1}
    assert total == 1


@pytest.mark.parametrize("colour", COLOURS)
def test_a_file_serves_the_next_client(colour, practice, key, tmp_path):
    sheet = f"""callsheet: 1
stores: {{cache: "sqlite:{tmp_path}/answers.db"}}
services: {{shop: {{base_url: "{practice.url}", cache: http, auth: {{bearer: one}}}}}}
"""

    def once(text):
        if colour == "blocking":
            with Client(Sheet.parse(text)) as client:
                return client.get(key).from_cache

        async def asks():
            async with AsyncClient(Sheet.parse(text)) as client:
                return (await client.get(key)).from_cache

        return run(asks(), colour)

    assert [once(sheet), once(sheet)] == [False, True]
    assert not once(sheet.replace("bearer: one", "bearer: two"))


@pytest.mark.parametrize("colour", COLOURS)
def test_closing_ends_what_goes_on_in_the_background(colour):
    fields = [("Cache-Control", "max-age=0, stale-while-revalidate=60"), ("Content-Type", "application/json")]
    before = set(threading.enumerate())
    with ScriptedServer([answer(200, fields, b"1"), silence()]) as server:
        sheet = Sheet(services={"shop": {"base_url": server.url, "cache": "http"}})

        def blocking():
            with Client(sheet) as client:
                served = [client.get("/a").from_cache for _ in range(2)]
                while len(server.requests) < 2:
                    time.sleep(0.001)
                return served, time.monotonic()

        async def tasks():
            async with AsyncClient(sheet) as client:
                served = [(await client.get("/a")).from_cache for _ in range(2)]
                while len(server.requests) < 2:  # noqa: ASYNC110 the server is in a thread
                    await asyncio.sleep(0.001)
                return served, time.monotonic()

        served, closing = blocking() if colour == "blocking" else run(tasks(), colour)
        assert served == [False, True]
        assert time.monotonic() - closing < 5
    assert set(threading.enumerate()) <= before


def test_what_a_fake_answered_is_not_served_for_the_service(practice, key, tmp_path):
    sheet = Sheet(
        stores={"cache": f"sqlite:{tmp_path}/answers.db"},
        services={"shop": {"base_url": practice.url, "cache": "http"}},
    )
    fake = FakeTransport()
    fake.clock.advance(max(0.0, time.time() - fake.clock.wall()))
    fake.on("GET", f"{practice.url}{key}").respond(json="a fake", headers={"Cache-Control": "max-age=60"})
    for is_stored in (False, True):
        with Client(sheet, transport=fake) as client:
            assert client.get(key).from_cache is is_stored
    with Client(sheet) as client:
        assert client.get(key).json()["served"] == 1
