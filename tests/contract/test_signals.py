"""What a signal handler raises comes out of the call as itself, wherever it struck, and what the call held is given back."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from callsheet.transports.connection_settings import ConnectionSettings
from callsheet.transports.curl.asynchronous import AsyncCurlTransport
from callsheet.transports.curl.blocking import CurlTransport
from tests.contract.test_processes import ended, start
from tests.contract.worlds import AsyncioWorld, BlockingWorld, World, request
from tests.loops import COLOURS
from tests.servers import EchoServer


class Overtime(Exception):
    """What the handler raises."""


GUARDED = ConnectionSettings(addresses="public")


@pytest.fixture(params=[Overtime, KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])
def strikes(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Raises by a signal handler, the first time it is asked about an address: in the callback that opens the socket."""
    left = [1]

    def handler(*_: object) -> None:
        raise request.param("struck")

    def strike(_address: str) -> bool:
        if left:
            left.clear()
            signal.raise_signal(signal.SIGUSR1)
        return True

    before = signal.signal(signal.SIGUSR1, handler)
    strike.kind = request.param  # type: ignore[attr-defined]
    yield strike
    signal.signal(signal.SIGUSR1, before)


def world_with(colour: str, classify: Any) -> World:
    if colour == "blocking":
        return BlockingWorld(transport=CurlTransport(GUARDED, classify=classify))
    return AsyncioWorld(transport=AsyncCurlTransport(GUARDED, classify=classify), loop=colour)


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("colour", COLOURS)
def test_what_is_raised_in_a_callback_of_libcurl_is_raised_by_the_call(
    colour: str, is_stream: bool, strikes: Any, echo_server: EchoServer
) -> None:
    # A name, so that the address is not looked at before libcurl is.
    url = f"http://localhost:{echo_server.port}"
    looks = [0]

    def classify(address: str) -> bool:
        looks[0] += 1
        return True if looks[0] == 1 else bool(strikes(address))

    world = world_with(colour, classify)
    with pytest.raises(strikes.kind):
        world.send(request(url, is_stream=is_stream))
    assert world.get(url).status_code == 200
    world.end()


STRUCK = """
import collections, signal
from callsheet import APIError
class Overtime(Exception): pass
raised = 0
def handler(*_):
    global raised
    raised += 1
    raise Overtime
signal.signal(signal.SIGALRM, handler)
told = collections.Counter()
with Client(base_url=url, retry="off", breaker="off", concurrency={"limit": 3, "queue": 0}) as client:
    client.get("/")
    for turn in range(600):
        before = raised
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.0001 + turn % 60 * 0.00001)
            try:
                client.get("/")
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            told["whole" if raised == before else "lost"] += 1
        except Overtime:
            told["itself"] += 1
        except Exception as error:
            told[f"{type(error).__name__}: {error}"] += 1
    client.get("/")
print(sorted(set(told) - {"whole"}), told["itself"] > 100)
"""


def test_interrupts_at_any_moment_come_out_as_themselves_and_lose_no_slot(echo_server: EchoServer) -> None:
    status, out, err = ended(start(STRUCK, echo_server.url), 20.0)
    assert (status, out, "Overtime" in err) == (0, "['itself'] True\n", False)


LEAKS = """
import signal
from callsheet.engine import dropped
from callsheet.http.response import Response
from callsheet.policies.slot import Slot
class Instant:
    def send(self, request, limits): return Response(200, request=request, lines=[], content=b"{}"), None
    def close(self): pass
def handler(*_): raise KeyboardInterrupt
signal.signal(signal.SIGALRM, handler)
with Client(base_url=url, transport=Instant(), concurrency={"limit": 10, "queue": 0}, rate_limit="1000000/s") as client:
    client.get("/")
    for turn in range(3000):
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.00001 + turn % 97 * 0.000002)
            try:
                for _ in range(4):
                    client.get("/")
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            pass
    client.get("/")
    slot = next(each for _, each in client.service("api")._maker.plans.scope.shared._things if isinstance(each, Slot))
    print(slot.in_flight, len(slot.holders), len(slot.waiting), len(dropped._ended))
"""


def test_three_thousand_interrupts_leave_no_slot_taken() -> None:
    assert ended(start(LEAKS, "http://shop.test"), 20.0)[:2] == (0, "0 0 0 0\n")
