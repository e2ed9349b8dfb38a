"""One upstream with one fault, in a process of its own: `python -m bench.faults.upstream FAULT`.

It writes its port, serves until its input is closed, and then writes what it counted as JSON.
"""

import asyncio
import json
import os
import sys

from bench.faults.behaviours import BEHAVIOURS, Down
from bench.faults.connection import Connection
from bench.faults.ledger import Ledger
from bench.faults.ports import blackhole, refused

HOST = "127.0.0.1"
BACKLOG = 1024
LIFETIME = 150
"""Seconds after which an upstream ends by itself, whoever forgot it."""
PATIENCE = 3
"""Seconds that requests have to end when the input is closed."""
PORTS = {"dead-host": refused, "blackhole": blackhole}
PHASE = 1.0
"""Seconds that a flapping host is up, and then down."""


class Upstream:
    """Listens, and gives each request to a behaviour."""

    def __init__(self, behave):
        self.behave = behave
        self.ledger = Ledger()
        self.open = set()
        self.port = 0
        self.server = None
        self.begun = asyncio.Event()

    async def start(self):
        """Listen on a free port, or again on the one it had."""
        self.server = await asyncio.start_server(self.serve, HOST, self.port, backlog=BACKLOG)
        self.port = self.server.sockets[0].getsockname()[1]

    def stop(self):
        """Refuse from now on, and reset what is open."""
        self.server.close()
        for connection in self.open:
            connection.reset()

    async def serve(self, reader, writer):
        self.ledger.connected()
        connection = Connection(reader, writer)
        self.open.add(connection)
        try:
            if await self.behave.accepts(connection):
                await self.answer_on(connection)
        except (OSError, asyncio.IncompleteReadError, Down):
            pass
        finally:
            self.open.discard(connection)
            writer.close()

    async def answer_on(self, connection):
        while not connection.ended and (request := await connection.request()):
            at = self.ledger.arrived()
            self.begun.set()
            try:
                await self.behave(connection, request._replace(at=at), self.ledger)
            finally:
                self.ledger.over()


async def flap(upstream):
    """Up and down in turn, from the first request on."""
    await upstream.begun.wait()
    while True:
        await asyncio.sleep(PHASE)
        upstream.stop()
        await asyncio.sleep(PHASE)
        await upstream.start()


async def until_input_ends():
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
    await asyncio.wait_for(ended.wait(), LIFETIME)


async def serve(name):
    upstream = Upstream(BEHAVIOURS[name]())
    await upstream.start()
    print(upstream.port, flush=True)
    flapping = asyncio.create_task(flap(upstream)) if name == "flapping" else None
    await until_input_ends()
    if flapping and not flapping.cancel():
        # It ends by itself only if it failed.
        flapping.result()
    for _ in range(int(PATIENCE / 0.01)):
        if not upstream.ledger.in_flight:
            break
        await asyncio.sleep(0.01)
    print(json.dumps(upstream.ledger.told()), flush=True)
    # Nobody is served any more: tasks that wait on sockets need not be told one by one.
    os._exit(0)


async def hold(name):
    with PORTS[name](HOST) as port:
        print(port, flush=True)
        await until_input_ends()
    print(json.dumps(Ledger().told()), flush=True)


def main():
    name = sys.argv[1]
    asyncio.run(hold(name) if name in PORTS else serve(name))


if __name__ == "__main__":
    main()
