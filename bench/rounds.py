"""Rounds, interleaved: every client makes a short one in turn, so that what disturbs the machine disturbs them alike."""

import statistics
import subprocess
import sys
from typing import NamedTuple

from bench import blocking, tasks
from bench.servers import ROOT


class Setup(NamedTuple):
    """One line of the table."""

    server: str
    colour: str
    at_once: int
    client: str


class Round(NamedTuple):
    """Microseconds per call: of the client's CPU, of time, and of the server's CPU."""

    cpu: float
    wall: float
    server: float | None


class Result(NamedTuple):
    """The medians over the rounds; `low` and `high` are the quartiles of `cpu`."""

    setup: Setup
    cpu: float
    low: float
    high: float
    wall: float
    server: float | None

    @property
    def per_second(self):
        """Calls per second."""
        return 1e6 / self.wall

    @property
    def server_busy(self):
        """The share of the time in which one core of the server was busy."""
        return None if self.server is None else self.server / self.wall

    @property
    def more(self):
        """What follows from the rest; the server's CPU gives way to its name."""
        return {"server_us": self.server, "per_second": self.per_second, "server_busy": self.server_busy}


def setups(server, modes, clients):
    """Every line that is wanted of one server."""
    for mode in modes:
        colour, _, at_once = mode.partition("-")
        known = tasks.CLIENTS if colour == "asyncio" else blocking.CLIENTS
        yield from (Setup(server, colour, int(at_once), client) for client in known if client in clients)


class Worker:
    """A client in a process of its own."""

    def __init__(self, setup, url):
        self.setup = setup
        self.rounds = []
        arguments = [sys.executable, "-m", "bench.worker", setup.colour, str(setup.at_once), setup.client, url]
        self.child = subprocess.Popen(arguments, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def round(self, calls, server):
        """Make so many calls, and say what they cost."""
        before = server.cpu()
        self.child.stdin.write(f"{calls}\n")
        self.child.stdin.flush()
        line = self.child.stdout.readline()
        if not line:
            raise SystemExit(f"{self.setup}: the client's process ended; its message stands above")
        after = server.cpu()
        cpu, wall = (float(number) * 1e6 / calls for number in line.split())
        return Round(cpu, wall, None if None in (before, after) else (after - before) * 1e6 / calls)

    def result(self):
        """The medians."""
        low, middle, high = statistics.quantiles([each.cpu for each in self.rounds], n=4, method="inclusive")
        servers = [each.server for each in self.rounds if each.server is not None]
        return Result(
            self.setup,
            middle,
            low,
            high,
            statistics.median(each.wall for each in self.rounds),
            statistics.median(servers) if servers else None,
        )

    def stop(self):
        """End the process."""
        self.child.stdin.close()
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        self.child.stdout.close()


def measured(kind, modes, clients, *, rounds, calls, progress):
    """The results with one kind of server, which runs only as long as this does."""
    server = kind()
    workers = []
    try:
        workers.extend(Worker(setup, server.url) for setup in setups(kind.name, modes, clients))
        for number in range(rounds + 1):
            progress(f"{kind.name}: round {number} of {rounds}")
            for worker in workers:
                made = worker.round(calls, server)
                # The first round opens connections and compiles plans; it is not counted.
                if number:
                    worker.rounds.append(made)
        return [worker.result() for worker in workers]
    finally:
        for worker in workers:
            worker.stop()
        server.stop()
