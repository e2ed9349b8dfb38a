"""One walk over all items in a process of its own, which writes what it cost as JSON: `by hand` or `items`."""

import asyncio
import json
import os
import sys
import time

from bench.mover import peak_of
from bench.servers import use_core
from callsheet import AsyncClient, Client, Sheet

SHEET = {"get": "/items", "query": {"cursor": "string"}}
PAGED = {"get": "/items", "paginate": {"cursor": "cursor", "from": "next", "items": "results"}}


def main():
    colour, how, url = sys.argv[1:]
    use_core(-1)
    sheet = Sheet(services={"it": {"base_url": url, "operations": {"plain": SHEET, "paged": PAGED}}})
    if colour == "asyncio":
        asyncio.run(in_tasks(sheet, TASKS[how]))
        return
    with Client(sheet) as client:
        client.call("plain").json()
        began = begin()
        end(began, BLOCKING[how](client))


async def in_tasks(sheet, read):
    async with AsyncClient(sheet) as client:
        (await client.call("plain")).json()
        began = begin()
        end(began, await read(client))


def begin():
    return time.process_time(), time.perf_counter()


def end(began, found):
    cpu, wall = time.process_time() - began[0], time.perf_counter() - began[1]
    count, total = found
    assert total == count * (count - 1) // 2, "an item was lost or repeated"
    print(json.dumps({"cpu": cpu, "wall": wall, "items": count, "peak": peak_of(os.getpid())}))


def by_hand(client):
    count, total, cursor = 0, 0, None
    while True:
        page = json.loads(client.call("plain", cursor=cursor).content)
        for item in page["results"]:
            count, total = count + 1, total + item["id"]
        cursor = page["next"]
        if not cursor:
            return count, total


async def by_hand_in_tasks(client):
    count, total, cursor = 0, 0, None
    while True:
        page = json.loads((await client.call("plain", cursor=cursor)).content)
        for item in page["results"]:
            count, total = count + 1, total + item["id"]
        cursor = page["next"]
        if not cursor:
            return count, total


def items(client):
    count, total = 0, 0
    for item in client.items("paged"):
        count, total = count + 1, total + item["id"]
    return count, total


async def items_in_tasks(client):
    count, total = 0, 0
    async for item in client.items("paged"):
        count, total = count + 1, total + item["id"]
    return count, total


BLOCKING = {"by hand": by_hand, "items": items}
TASKS = {"by hand": by_hand_in_tasks, "items": items_in_tasks}

if __name__ == "__main__":
    main()
