"""More processes than processors share one limit, and the service counts."""

import subprocess
import sys

import pytest

from tests.loops import ON_UVLOOP
from tests.servers.counting import CountingServer

RATE = 50
MANY = """
import asyncio, os, sys, threading, time
import redis.asyncio
from callsheet import AsyncClient, Client, LimitReached, Sheet
url, store, processes, colour = sys.argv[1:]
seconds = 4.3
sheet = Sheet(
    services={"shop": {"base_url": url, "rate_limit": "50/s", "breaker": "off"}},
    stores={"limits": store, "on_failure": "refuse"},
)
def blocking():
    with Client(sheet) as client:
        def work():
            ends = time.monotonic() + seconds
            while time.monotonic() < ends:
                try:
                    client.get("/")
                except LimitReached:  # a store that was not given a processor in time is not asked for a second
                    time.sleep(0.1)
        threads = [threading.Thread(target=work) for _ in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
async def tasks():
    async with AsyncClient(sheet) as client:
        async def work():
            ends = time.monotonic() + seconds
            while time.monotonic() < ends:
                try:
                    await client.get("/")
                except LimitReached:
                    await asyncio.sleep(0.1)
        await asyncio.gather(*(work() for _ in range(4)))
children = []
for _ in range(int(processes)):
    child = os.fork()
    if not child:
        if colour == "blocking":
            blocking()
        elif colour == "asyncio":
            asyncio.run(tasks())
        else:
            import uvloop
            uvloop.run(tasks())
        os._exit(0)
    children.append(child)
sys.exit(any(os.waitpid(child, 0)[1] for child in children))
"""


@pytest.mark.parametrize(
    ("processes", "colour"), [(16, "blocking"), (16, "asyncio"), pytest.param(4, "uvloop", **ON_UVLOOP)]
)
def test_the_service_counts_no_more_than_the_rate_and_little_less(own_valkey, processes, colour):
    """Of any 51 requests in a row the last comes a second after the first, or later.

    The bounds leave room for a machine that does much else: one in a hundred, while a process has not yet learnt the store's time.
    """
    with CountingServer() as server:
        command = [sys.executable, "-c", MANY, server.url, own_valkey.url, str(processes), colour]
        assert subprocess.run(command, check=False, timeout=60).returncode == 0
        arrived = server.arrived
    windows = [later - earlier for earlier, later in zip(arrived, arrived[RATE:], strict=False)]
    assert len(windows) >= 2 * RATE
    assert sum(window < 1.0 for window in windows) <= len(windows) / 100
    steady = windows[RATE:]  # the first window is that of processes that start
    assert sum(steady) / len(steady) <= 1 / 0.9
