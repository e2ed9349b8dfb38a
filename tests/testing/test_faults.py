"""Faults at a rate, over the real transport."""

import asyncio

import pytest

from callsheet import AsyncClient, Client
from callsheet.errors import NoAnswer, NotSent, UsageError
from callsheet.testing import Faults
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

    return (blocking() if colour == "blocking" else asyncio.run(tasks())), kept[0].injected


@pytest.mark.parametrize("colour", ["blocking", "asyncio"])
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


def test_no_faults_at_a_rate_of_zero():
    with ScriptedServer(answer()) as server:
        assert set(outcomes(server.url, "blocking", rate=0.0)[0]) == {200}


@pytest.mark.parametrize("options", [{"rate": 2}, {"rate": -0.1}, {"rate": True}, {"kinds": ()}, {"kinds": ("flood",)}])
def test_what_cannot_be_is_refused(options):
    with pytest.raises(UsageError, match="Faults: "):
        Faults(None, **options)
