"""One client in a process of its own, so that the CPU time of that process is the client's and nothing else's.

It makes a round of calls for each number that stands on its input, and writes `CPU seconds, wall seconds` of each.
"""

import asyncio
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from bench import blocking, tasks
from bench.servers import use_core


def main():
    colour, at_once, client, url = sys.argv[1:]
    use_core(-1)
    if colour == "asyncio":
        asyncio.run(in_tasks(tasks.CLIENTS[client], url, int(at_once)))
    else:
        in_threads(blocking.CLIENTS[client], url, int(at_once))


def shares(calls, at_once):
    """How many calls each of `at_once` makes, so that together they make that many."""
    return [calls // at_once + (place < calls % at_once) for place in range(at_once)]


def report(began, cpu_began):
    print(time.process_time() - cpu_began, time.perf_counter() - began, flush=True)


def in_threads(opened, url, at_once):
    with opened(url) as call, ThreadPoolExecutor(at_once) as threads:
        check(call())

        def several(calls):
            for _ in range(calls):
                call()

        for line in sys.stdin:
            began, cpu_began = time.perf_counter(), time.process_time()
            if at_once == 1:
                several(int(line))
            else:
                list(threads.map(several, shares(int(line), at_once)))
            report(began, cpu_began)


async def in_tasks(opened, url, at_once):
    async with opened(url) as call:
        check(await call())

        async def several(calls):
            for _ in range(calls):
                await call()

        # Nothing else runs in this loop, so it may as well wait for its input by blocking.
        for line in sys.stdin:
            began, cpu_began = time.perf_counter(), time.process_time()
            await asyncio.gather(*(several(calls) for calls in shares(int(line), at_once)))
            report(began, cpu_began)


def check(answer):
    """A client that fails quickly must not look fast."""
    number = answer["id"] if isinstance(answer, dict) else answer.id
    if number != 7:
        raise RuntimeError(f"expected the user 7, got {answer!r}")


if __name__ == "__main__":
    main()
