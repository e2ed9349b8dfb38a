"""A caller of either colour."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from callsheet import AsyncClient, Client
from tests.loops import COLOURS, run
from tests.servers.fixtures import *  # noqa: F403

QUICK = {"retry": {"backoff": {"first": 0.001}}}


class Caller:
    """Calls a service by a client of either colour."""

    def __init__(self, colour: str) -> None:
        self.colour = colour
        self.is_blocking = colour == "blocking"

    def request(self, url: str, method: str, path: str = "/", **options: Any) -> Any:
        """The answer or the error of one request."""
        return self.requests(url, [(method, path, options)])[-1]

    def requests(self, url: str, wanted: list[tuple[str, str, dict[str, Any]]], **settings: Any) -> list[Any]:
        """The answers or errors of some requests that one client makes, one after the other."""
        settings = QUICK | settings
        if self.is_blocking:
            with Client(base_url=url, **settings) as client:
                return [outcome(lambda: client.request(*_call(each), **each[2])) for each in wanted]  # noqa: B023

        async def ask() -> list[Any]:
            async with AsyncClient(base_url=url, **settings) as client:
                return [await outcome_of(client.request(*_call(each), **each[2])) for each in wanted]

        return run(ask(), self.colour)


def _call(wanted: tuple[str, str, dict[str, Any]]) -> tuple[str, str]:
    return wanted[0], wanted[1]


def outcome(work: Callable[[], Any]) -> Any:
    """What comes of it, raised or not."""
    try:
        return work()
    except Exception as error:
        return error


async def outcome_of(work: Any) -> Any:
    """The same, awaited."""
    try:
        return await work
    except Exception as error:
        return error


@pytest.fixture(params=COLOURS)
def caller(request: pytest.FixtureRequest) -> Caller:
    return Caller(request.param)
