"""Files of a gigabyte there and back, every client in a fresh process, in turns."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

from bench import movers
from bench.endpoint import IDLE
from bench.mover import peak_of
from bench.servers import ROOT, Server, use_core

DIRECTIONS = ("upload", "download", "read")
CLIENTS = ("curl", *movers.BLOCKING)
OURS = "callsheet"
MIB = 1024 * 1024


class Endpoint(Server):
    """The server of all transfers, and the folder of their files: sources are holes, which no disk has to give."""

    name = "endpoint"

    def __init__(self, most):
        self.most = most
        super().__init__()

    def command(self):
        return [sys.executable, "-m", "bench.endpoint", str(self.port), str(self.source(self.most))]

    def source(self, size):
        """A file of so many zeros, which the system has read once."""
        path = self.folder / f"source-{size}"
        if not path.exists():
            with path.open("wb") as file:
                file.truncate(size)
            with path.open("rb", buffering=0) as file:
                while file.read(MIB):
                    pass
        return path

    @property
    def target(self):
        """Where downloads go."""
        return self.folder / "target"


class Setup(NamedTuple):
    """One line of the table."""

    direction: str
    colour: str
    client: str


class Run(NamedTuple):
    """CPU and wall seconds of one transfer, and the most memory of its process, in bytes."""

    cpu: float
    wall: float
    peak: int


class Result(NamedTuple):
    """Medians over the runs; `peak` and `peak_at_twice` (one run with twice the bytes) are MiB above an idle process."""

    setup: Setup
    size: int
    cpu: float
    low: float
    high: float
    wall: float
    peak: float
    peak_at_twice: float | None

    @property
    def more(self):
        """What follows from the rest."""
        return {"mib_per_second": self.size / MIB / self.wall}


def setups(clients):
    for direction in DIRECTIONS:
        if "curl" in clients and shutil.which("curl"):
            yield Setup(direction, "command", "curl")
        for colour, known in (("blocking", movers.BLOCKING), ("asyncio", movers.TASKS)):
            yield from (Setup(direction, colour, client) for client in known if client in clients)


def run(setup, server, size):
    """One transfer, in a process of its own."""
    try:
        return curl(setup.direction, server, size) if setup.client == "curl" else library(setup, server, size)
    finally:
        server.target.unlink(missing_ok=True)


def library(setup, server, size):
    path = server.source(size) if setup.direction == "upload" else server.target
    arguments = [setup.colour, setup.client, setup.direction, server.url, str(size), str(path)]
    done = subprocess.run(
        [sys.executable, "-m", "bench.mover", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{setup}: the client's process failed; its message stands above")
    return Run(**json.loads(done.stdout))


def curl(direction, server, size):
    url = server.url
    arguments = {
        "upload": ["--upload-file", str(server.source(size)), f"{url}/"],
        "download": ["--output", str(server.target), f"{url}/{size}"],
        "read": ["--output", os.devnull, f"{url}/{size}"],
        "idle": [f"{url}{IDLE}"],
    }[direction]
    told = ["--write-out", "%{size_download}"] if direction == "read" else []
    command = ["curl", "--fail", "--silent", "--show-error", "--noproxy", "*", *told, *arguments]
    began = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    use_core(-1, child.pid)
    status, cpu, peak = watched(child)
    wall = time.perf_counter() - began
    with child.stdout:
        said = child.stdout.read()
    moved = server.target.stat().st_size if direction == "download" else int(said or 0)
    if status or moved != (0 if direction == "idle" else size):
        raise SystemExit(f"curl, {direction}: ended with {status}, after {moved} bytes")
    return Run(cpu, wall, peak)


def watched(child):
    """Exit status, CPU seconds and most memory of a child, which is asked for until it has gone."""
    peak, ended = 0, 0
    while not ended:
        peak = peak_of(child.pid) or peak
        time.sleep(0.01)
        ended, status, usage = os.wait4(child.pid, os.WNOHANG)
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, usage.ru_utime + usage.ru_stime, peak


def measured(clients, *, size, runs, progress):
    """The results of every direction and client."""
    server = Endpoint(2 * size)
    wanted = list(setups(clients))
    made = {setup: [] for setup in wanted}
    try:
        idle = {setup: run(setup._replace(direction="idle"), server, 0) for setup in wanted}
        for number in range(runs):
            for setup in wanted:
                progress(f"transfers: run {number + 1} of {runs}, {' '.join(setup)}")
                made[setup].append(run(setup, server, size))
        twice = {setup: run(setup, server, 2 * size) for setup in wanted if setup.client == OURS}
    finally:
        server.stop()
    return [result(setup, size, made[setup], idle[setup], twice.get(setup)) for setup in wanted]


def result(setup, size, runs, idle, twice):
    # A library's process says what the transfer cost; of the command only the whole is known, its start among it.
    start = idle.cpu if setup.client == "curl" else 0
    cpu = sorted(each.cpu - start for each in runs)
    return Result(
        setup,
        size,
        statistics.median(cpu),
        cpu[0],
        cpu[-1],
        statistics.median(each.wall for each in runs),
        (max(each.peak for each in runs) - idle.peak) / MIB,
        None if twice is None else (twice.peak - idle.peak) / MIB,
    )
