"""Clients that call at random times: `python -m bench.breaker.caller COLOUR GROUPS`, GROUPS as JSON.

Each client is one of its own, as in a process of its own. When a line comes on the input, all of them begin; at the end every
call is written as JSON: its group, its client, when it began, how many attempts it made, and whether it was lost.
"""

import asyncio
import json
import logging
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from callsheet import APIError, AsyncClient, Client


class Group(NamedTuple):
    """So many clients, each of which makes so many calls per second for so many seconds."""

    url: str
    rate: float
    clients: int
    seconds: float
    has_breaker: bool

    def settings(self):
        return {"base_url": self.url, **({} if self.has_breaker else {"breaker": "off"})}

    def times(self, client):
        """When the calls of one client are due, in seconds from the beginning: the same with a breaker and without."""
        draw, at = random.Random(f"{self.rate} {client}"), 0.0
        while (at := at + draw.expovariate(self.rate)) < self.seconds:
            yield at


class Made(NamedTuple):
    group: int
    client: int
    began: float
    attempts: int
    is_lost: bool


def in_threads(groups):
    def call(client, place):
        began = time.monotonic()
        try:
            return Made(*place, began, client.get("/orders/0").attempts, is_lost=False)
        except APIError as error:
            return Made(*place, began, error.attempts, is_lost=True)

    def calls(group, place, start):
        most = int(3 * group.rate) + 8
        with Client(**group.settings()) as client, ThreadPoolExecutor(most) as threads:
            waiting = []
            for at in group.times(place[1]):
                time.sleep(max(0.0, start + at - time.monotonic()))
                waiting.append(threads.submit(call, client, place))
            return [each.result() for each in waiting]

    places = all_places(groups)
    with ThreadPoolExecutor(len(places)) as threads:
        start = begun()
        clients = [threads.submit(calls, groups[place[0]], place, start) for place in places]
        return [made for client in clients for made in client.result()]


async def in_tasks(groups):
    async def call(client, place):
        began = time.monotonic()
        try:
            return Made(*place, began, (await client.get("/orders/0")).attempts, is_lost=False)
        except APIError as error:
            return Made(*place, began, error.attempts, is_lost=True)

    async def calls(group, place, start):
        async with AsyncClient(**group.settings()) as client:
            waiting = []
            for at in group.times(place[1]):
                await asyncio.sleep(max(0.0, start + at - time.monotonic()))
                waiting.append(asyncio.create_task(call(client, place)))
            return await asyncio.gather(*waiting)

    start = begun()
    clients = [calls(groups[place[0]], place, start) for place in all_places(groups)]
    return [made for client in await asyncio.gather(*clients) for made in client]


def all_places(groups):
    return [(number, client) for number, group in enumerate(groups) for client in range(group.clients)]


def begun():
    """The time when the word comes that all others are ready, too."""
    print("ready", flush=True)
    sys.stdin.readline()
    return time.monotonic()


def main():
    colour, text = sys.argv[1:]
    logging.getLogger().addHandler(logging.NullHandler())
    groups = [Group(*group) for group in json.loads(text)]
    print(json.dumps(in_threads(groups) if colour == "blocking" else asyncio.run(in_tasks(groups))))


if __name__ == "__main__":
    main()
