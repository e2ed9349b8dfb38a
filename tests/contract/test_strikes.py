"""An interrupt at any moment of a call comes out as itself; nothing is held after it, and the next call goes as always."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from callsheet import Client
from callsheet.engine import dropped
from tests.servers import EchoServer
from tests.servers.token_giver import TokenGiver
from tests.strikes import strikes

EVERYTHING = {
    "rate_limit": {"rates": ["100000/s", "10000000/h"], "learn": True},
    "cookies": True,
    "concurrency": {"limit": 2, "queue": 0},
    "breaker": {"ratio": 0.5},
    "idempotency_key": "Idempotency-Key",
    "operations": {"op": {"get": "/"}},
}


def shared(client: Client, kind: str) -> Any:
    things = [thing for _, thing in client.service("api")._maker.plans.scope.shared._things]
    return next(thing for thing in things if type(thing).__name__ == kind)


def whole(client: Client, folder: Path) -> None:
    assert client.get("/").status_code == 200


def stream(client: Client, folder: Path) -> None:
    with client.stream("GET", "/") as answer:
        assert answer.read()


def lines(client: Client, folder: Path) -> None:
    assert list(client.stream("GET", "/").__enter__().iter_lines())


def dropped_unread(client: Client, folder: Path) -> None:
    assert client.stream("GET", "/").__enter__().status_code == 200


def download(client: Client, folder: Path) -> None:
    assert client.download("/", to=folder / "file").size > 0


def many(client: Client, folder: Path) -> None:
    with client.map("op", [{}] * 2, concurrency=1) as outcomes:
        assert [outcome.result().status_code for outcome in outcomes] == [200, 200]


def login(client: Client, folder: Path) -> None:
    shared(client, "OAuth2")._kept = None
    whole(client, folder)


WORK = [whole, stream, lines, dropped_unread, download, many, login]


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore:coroutine .* was never awaited")  # kept ones hold slots
@pytest.mark.parametrize("work", WORK, ids=lambda work: work.__name__)
def test_nothing_is_held_after_an_interrupt(
    work: Callable[[Client, Path], None], echo_server: EchoServer, tmp_path: Path
) -> None:
    with TokenGiver() as giver:
        auth = {"oauth2": {"token_url": giver.token_url, "client_id": "shop", "refresh_token": "r"}}
        settings = EVERYTHING | ({"auth": auth} if work is login else {})
        with Client(base_url=echo_server.url, **settings) as client:
            whole(client, tmp_path)
            slot, breaker = shared(client, "Slot"), shared(client, "ShareBreaker")
            for place in strikes(lambda: work(client, tmp_path), step=3):
                whole(client, tmp_path)
                if work is many:  # calls in flight run to their ends
                    gc.collect()
                else:
                    assert (slot.in_flight, len(slot.waiting), len(breaker.probing)) == (0, 0, 0), place
            whole(client, tmp_path)
            gc.collect()
            until = time.monotonic() + 5.0
            while slot.in_flight and time.monotonic() < until:  # a map's
                pass
            whole(client, tmp_path)
            assert (slot.in_flight, len(slot.waiting), len(dropped._ended)) == (0, 0, 0), place
            lanes = [each._lanes for each in client._wiring._transports.values()]
            assert all(len(each._open) == len(each._idle) <= 3 for each in lanes)
            (limiter,) = shared(client, "Limiters").by_key.values()
            assert [each.used for each in limiter._windows] == [
                sum(e.units for e in each.inside) for each in limiter._windows
            ]
        assert [each._open for each in lanes] == [set()] * len(lanes)
    assert {each.name for each in tmp_path.iterdir()} <= {"file"}
