"""One limit for several processes and both colours, with a real Valkey, and what holds while it is away."""

import asyncio
import subprocess
import sys
import threading
import time

import pytest

from callsheet import AsyncClient, Client, LimitReached, RateLimited, Sheet, StoreFailed
from tests.servers import RefusedPort, ScriptedServer, answer

ONE_OF_FOUR = """
import sys, time
from callsheet import Client, LimitReached, Sheet
url, store = sys.argv[1:]
sheet = Sheet(services={"shop": {"base_url": url, "rate_limit": "100/s"}}, stores={"limits": store})
with Client(sheet, concurrency=8) as client:
    import threading
    ends = time.monotonic() + 11.0
    def work():
        while time.monotonic() < ends:
            client.get("/", timeout=5)
    threads = [threading.Thread(target=work) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
"""


def test_four_processes_obey_one_limit(own_valkey):
    """Under 100/s the server counts 95 to 102 % of it over 10 s."""
    arrived, lock = [], threading.Lock()

    def note(_):
        with lock:
            arrived.append(time.monotonic())
        return answer()

    with ScriptedServer(note) as server:
        command = [sys.executable, "-c", ONE_OF_FOUR, server.url, own_valkey.url]
        children = [subprocess.Popen(command) for _ in range(4)]
        assert [child.wait(60) for child in children] == [0] * 4
    counted = sum(at < arrived[0] + 10.0 for at in arrived)
    assert 950 <= counted <= 1020, counted


def sheet_for(url, store, **stores):
    services = {"shop": {"base_url": url, "rate_limit": {"rates": "20/min", "when_full": "fail"}}}
    return Sheet(services=services, stores={"limits": store, **stores})


def outcomes_of(client_type, sheet, calls, listeners=()):
    """How each of these calls ended, one after another."""
    found = []

    def blocking():
        with Client(sheet, listeners=listeners) as client:
            for _ in range(calls):
                try:
                    found.append(client.get("/").status_code)
                except LimitReached as error:
                    found.append(str(error))

    async def tasks():
        async with AsyncClient(sheet, listeners=listeners) as client:
            for _ in range(calls):
                try:
                    found.append((await client.get("/")).status_code)
                except LimitReached as error:
                    found.append(str(error))

    blocking() if client_type is Client else asyncio.run(tasks())
    return found


def test_clients_of_both_colours_share_what_is_left(own_valkey):
    with ScriptedServer(answer()) as server:
        sheet = sheet_for(server.url, own_valkey.url)
        found = outcomes_of(Client, sheet, 12) + outcomes_of(AsyncClient, sheet, 12)
    assert found[:20] == [200] * 20
    assert all("the limit is reached (rate_limit 20/60 s, when_full: fail)" in text for text in found[20:])
    assert len(found) == 24


@pytest.mark.parametrize("client_type", [Client, AsyncClient])
def test_without_the_store_each_keeps_the_limit_by_itself(client_type):
    events = []
    with ScriptedServer(answer()) as server, RefusedPort() as gone:
        sheet = sheet_for(server.url, f"valkey://127.0.0.1:{gone.port}")
        found = outcomes_of(client_type, sheet, 22, (events.append,))
    assert found[:20] == [200] * 20
    assert all("the limit is reached" in text for text in found[20:])
    failures = [event for event in events if isinstance(event, StoreFailed)]
    assert len(failures) == 22
    assert all(failure.store.endswith("ValkeyStore") for failure in failures)


@pytest.mark.parametrize("client_type", [Client, AsyncClient])
def test_without_the_store_nothing_is_sent_where_the_sheet_says_so(client_type):
    with ScriptedServer(answer()) as server, RefusedPort() as gone:
        sheet = sheet_for(server.url, f"valkey://127.0.0.1:{gone.port}", on_failure="refuse")
        found = outcomes_of(client_type, sheet, 3)
        assert server.requests == []
    assert all("the store of the limits could not be asked" in text for text in found)
    assert all("nothing was sent (on_failure: refuse)" in text for text in found)


@pytest.mark.parametrize("on_failure", ["local", "refuse"])
def test_the_store_may_die_and_come_back_in_the_middle(own_valkey, on_failure):
    """No call hangs and none is lost: each ends with an answer, or with what the policy on failure says."""

    async def steady(url):
        sheet = Sheet(
            services={"shop": {"base_url": url, "rate_limit": "1000/s"}},
            stores={"limits": own_valkey.url, "on_failure": on_failure},
        )
        async with AsyncClient(sheet) as client:
            calls = []
            for tick in range(120):
                if tick == 30:
                    own_valkey.kill()
                if tick == 60:
                    await asyncio.to_thread(own_valkey.start)
                calls.append(asyncio.create_task(client.get("/", timeout=3)))
                await asyncio.sleep(0.02)
            return await asyncio.gather(*calls, return_exceptions=True)

    with ScriptedServer(lambda _: answer()) as server:
        began = time.monotonic()
        outcomes = asyncio.run(steady(server.url))
        assert time.monotonic() - began < 10.0
        answered = [outcome for outcome in outcomes if not isinstance(outcome, Exception)]
        refused = [outcome for outcome in outcomes if isinstance(outcome, LimitReached)]
        assert len(answered) + len(refused) == 120
        assert len(server.requests) == len(answered)
    assert len(refused) == 0 if on_failure == "local" else 20 <= len(refused) < 110
    assert not isinstance(outcomes[0], Exception)
    assert not isinstance(outcomes[-1], Exception)


def test_two_limits_with_a_queue_each_do_not_lose_each_others_turns(own_valkey):
    """Seventy callers of 20/s and 22/s, whose turns come up to three seconds later."""

    async def many(url):
        sheet = Sheet(
            services={
                "shop": {
                    "base_url": url,
                    "rate_limit": "20/s",
                    "operations": {"one": {"get": "/", "rate_limit": {"rates": "22/s"}}},
                }
            },
            stores={"limits": own_valkey.url},
        )
        async with AsyncClient(sheet) as client:
            await asyncio.gather(*(client.call("one", timeout=20) for _ in range(70)))

    with ScriptedServer(lambda _: answer()) as server:
        began = time.monotonic()
        asyncio.run(many(server.url))
        assert 3.0 < time.monotonic() - began < 5.0
        assert len(server.requests) == 70


def test_a_429_to_one_process_holds_up_the_others(own_valkey):
    with ScriptedServer([answer(429, {"Retry-After": "60"})]) as server:
        sheet = Sheet(
            services={"shop": {"base_url": server.url, "rate_limit": "100/s", "retry": "off"}},
            stores={"limits": own_valkey.url},
        )
        with Client(sheet) as one, Client(sheet) as other:
            with pytest.raises(RateLimited):
                one.get("/")
            with pytest.raises(LimitReached, match=r"your turn is in \d+"):
                other.get("/")
        assert len(server.requests) == 1


def test_the_command_line_obeys_it_as_well(tmp_path):
    with ScriptedServer(answer()) as server, RefusedPort() as gone:
        sheet = tmp_path / "callsheet.yaml"
        sheet.write_text(
            f"callsheet: 1\nstores: {{limits: 'valkey://127.0.0.1:{gone.port}', on_failure: refuse}}\n"
            f"services: {{shop: {{base_url: '{server.url}', rate_limit: 9/s}}}}\n"
        )
        command = [sys.executable, "-m", "callsheet", "--file", str(sheet), "request", "shop", "GET", "/x"]
        done = subprocess.run(command, capture_output=True, check=False, timeout=60)
        assert server.requests == []
    assert done.returncode == 6
    assert b"the store of the limits could not be asked" in done.stderr


def test_a_store_that_is_away_is_logged_once_a_second_and_not_for_every_call(caplog):
    with ScriptedServer(answer()) as server, RefusedPort() as gone:
        outcomes_of(Client, sheet_for(server.url, f"valkey://127.0.0.1:{gone.port}"), 10)
    told = [record.getMessage() for record in caplog.records if "could not be asked" in record.getMessage()]
    assert len(told) == 1
    assert told[0].startswith("shop: ValkeyStore could not be asked: StoreUnavailableError: ConnectionError")
