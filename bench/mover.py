"""One transfer by one client in a process of its own, which writes what that cost as JSON.

The direction `idle` transfers nothing: what is left is the memory of a process that has imported the library.
"""

import asyncio
import json
import os
import resource
import sys
import time
from pathlib import Path

from bench import movers
from bench.servers import use_core


def main():
    colour, client, direction, url, size, path = sys.argv[1:]
    use_core(-1)
    job = Job(direction, int(size), Path(path))
    if colour == "asyncio":
        asyncio.run(in_task(movers.TASKS[client], url, job))
    else:
        with movers.BLOCKING[client](url, job.size) as moves:
            job.begin()
            job.end(job.call(moves))


async def in_task(opened, url, job):
    async with opened(url, job.size) as moves:
        job.begin()
        call = job.call(moves)
        job.end(call if call is None else await call)


class Job:
    """What is to be done, and what it cost."""

    def __init__(self, direction, size, path):
        self.direction, self.size, self.path = direction, size, path

    def call(self, moves):
        if self.direction == "idle":
            return None
        arguments = () if self.direction == "read" else (self.path,)
        return getattr(moves, self.direction)(*arguments)

    def begin(self):
        self.began, self.cpu_began = time.perf_counter(), time.process_time()

    def end(self, moved):
        cpu, wall = time.process_time() - self.cpu_began, time.perf_counter() - self.began
        if moved not in (None, self.size):
            raise SystemExit(f"expected {self.size} bytes, got {moved}")
        print(json.dumps({"cpu": cpu, "wall": wall, "peak": peak_of(os.getpid())}))


def peak_of(pid):
    """The most bytes of memory that a process has had; None if it has gone.

    Not `ru_maxrss` on Linux: that starts with what the process had which made this one.
    """
    if sys.platform != "linux":
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), None)


if __name__ == "__main__":
    main()
