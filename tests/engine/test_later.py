"""Work that belongs to nobody's call."""

import logging
import threading
import time

import pytest

from callsheet.call import Limits
from callsheet.errors import NoAnswer
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.verdicts import Later
from tests.engine.world import Answer, BlockingWorld, Gate, Policy

REFRESH = Request("POST", "https://auth.test/token", Headers())


def refresh(answers):
    answers.append((yield REFRESH))


def test_it_is_done_beside_the_call(world):
    answers = []
    world.transport.script = [Answer(200, b"fresh"), Answer(200, b"fresh")]
    world.call(world.plan(Policy("credential", [], before=[Later(refresh(answers))])))
    world.until(lambda: answers)
    assert answers[0].content == b"fresh"


def test_its_failure_is_logged_and_reaches_no_call(world, caplog):
    def fails():
        yield REFRESH
        raise NoAnswer("no token")

    with caplog.at_level(logging.WARNING, "callsheet"):
        assert world.call(world.plan(Policy("credential", [], before=[Later(fails())]))).ok
        world.until(lambda: caplog.records)
    assert "work in the background failed" in caplog.text


def test_no_thread_is_started_before_there_is_work():
    with BlockingWorld() as world:
        threads = threading.active_count()
        world.call(world.plan())
        assert threading.active_count() == threads


def test_a_few_threads_do_all_of_it(world):
    answers = []
    plan = world.plan(Policy("credential", [], before=lambda attempt: Later(refresh(answers))))
    threads = threading.active_count()
    for _ in range(40):
        world.call(plan)
    world.until(lambda: len(answers) == 40)
    assert threading.active_count() - threads <= 8


def test_what_runs_at_the_end_is_ended(world):
    """The fixture shows it: neither thread nor task is left."""
    gate = Gate()
    world.transport.script = [Answer(), gate]
    world.call(world.plan(Policy("credential", [], after=[Later(refresh([]))])))
    world.until(lambda: gate.is_entered)
    if isinstance(world, BlockingWorld):
        gate.open()  # a transport that is closed ends what it has in flight


def test_after_the_end_no_work_is_taken(world):
    answers = []
    if isinstance(world, BlockingWorld):
        world.later.close()
    else:
        world.run(world.later.aclose())
    assert world.call(world.plan(Policy("credential", [], before=[Later(refresh(answers))]))).ok
    assert answers == []


def test_a_client_that_closes_does_not_wait_for_what_is_under_way(caplog):
    """The transport is closed first; that aborts the request, which nobody need be told."""
    from callsheet import Client
    from tests.servers import ScriptedServer, silence

    with ScriptedServer(silence()) as server, Client(base_url=server.url) as client:
        io = client._maker("api").io
        aborted = threading.Event()

        async def work():
            try:
                await io.send(Request("GET", server.url, Headers()), Limits(connect=5.0, read=None, attempt=30.0))
            finally:
                aborted.set()

        io.later(work)
        assert server.wait_requests(1)
        began = time.monotonic()
        client.close()
        assert time.monotonic() - began < 0.4
        assert aborted.wait(1.0)
        assert not [thread for thread in threading.enumerate() if thread.name == "callsheet-later"]
    assert "background" not in caplog.text


def test_aclose_passes_its_own_cancellation_on():
    import asyncio

    from callsheet.engine.later import TaskSet

    async def main():
        work = TaskSet()
        never = asyncio.Event()

        async def stubborn():
            try:
                await never.wait()
            except asyncio.CancelledError:
                await never.wait()

        work(stubborn)
        await asyncio.sleep(0)
        closing = asyncio.create_task(work.aclose())
        for _ in range(3):
            await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        never.set()

    asyncio.run(main())
