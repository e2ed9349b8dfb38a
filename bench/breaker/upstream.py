"""Upstreams that fail a share of their requests: `python -m bench.breaker.upstream SHARE...`, in one process.

It writes their ports, and then does what each line of its input says: `down` has all of them refuse connections, `up` has
them listen again; the time of each is written. It ends when the input does.
"""

import asyncio
import os
import random
import sys
import time

from bench.faults.behaviours import SEED
from bench.faults.upstream import Upstream

LATENCY = 0.02


class Failing:
    """Answers a share of the requests with a 503, drawn for each."""

    def __init__(self, share):
        self.share = share
        self.draw = random.Random(SEED).random

    async def accepts(self, connection):
        return True

    async def __call__(self, connection, request, ledger):
        status = 503 if self.draw() < self.share else 200
        await asyncio.sleep(LATENCY)
        await connection.answer(status)


async def serve(shares):
    upstreams = [Upstream(Failing(share)) for share in shares]
    for upstream in upstreams:
        await upstream.start()
    print(*(upstream.port for upstream in upstreams), flush=True)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := (await lines.readline()).strip():
        for upstream in upstreams:
            upstream.stop() if line == b"down" else await upstream.start()
        print(time.monotonic(), flush=True)
    # Nobody is served any more: tasks that wait on sockets need not be told one by one.
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(serve([float(share) for share in sys.argv[1:]]))
