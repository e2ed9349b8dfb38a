"""Runs of the scenarios: for each client a fresh upstream and a fresh process, ended by their handles."""

import itertools
import json
import os
import statistics
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from bench.faults import blocking, tasks
from bench.faults.scenarios import BY_NAME
from bench.servers import ROOT

HOST = "127.0.0.1"
PATIENCE = 90
"""Seconds that one client may need for one scenario; whoever needs more ends the run."""
MIB = 1024 * 1024


class Setup(NamedTuple):
    """One line of a table."""

    client: str
    colour: str


SETUPS = tuple(
    Setup(client, colour)
    for colour, clients in (("blocking", blocking.CLIENTS), ("asyncio", tasks.CLIENTS))
    for client in clients
)


def setups_of(scenario, setups=SETUPS):
    """Those that run in a scenario: after callsheet its variants."""
    for setup in setups:
        yield setup
        if setup.client == "callsheet":
            yield from (Setup(variant, setup.colour) for variant, _ in scenario.variants)


class Result(NamedTuple):
    """What one client met under one fault, and what its upstream did.

    `errors` and `raised` count calls that raised, the latter by name; `duplicates` are orders carried out once more than
    asked for; `load` is what came in per call, None where the upstream cannot count it; waits are in seconds.
    """

    scenario: str
    client: str
    colour: str
    calls: int
    errors: int
    raised: dict[str, int]
    duplicates: int
    load: float | None
    worst: float
    median: float
    rate: float
    most_per_second: int
    most_in_flight: int
    at_once: int
    memory: float


def measured(scenario, setups):
    """The results of one scenario, in the order of the setups."""
    with upstream(BY_NAME["healthy"]) as (warm, _):
        chosen = setups_of(scenario, setups)
        return [result for batch in batches(scenario, chosen) for result in side_by_side(scenario, batch, warm)]


def batches(scenario, setups):
    """Who runs at the same time: those of one colour; nobody else where the load is the point."""
    if scenario.alone:
        return [[setup] for setup in setups]
    return [list(some) for _, some in itertools.groupby(setups, key=lambda setup: setup.colour)]


def side_by_side(scenario, setups, warm):
    with ExitStack() as running:
        pairs = [running.enter_context(pair(scenario, setup, warm)) for setup in setups]
        # Nobody begins while another still imports its library.
        for caller, _ in pairs:
            said(caller)
        for caller, _ in pairs:
            caller.stdin.write("go\n")
            caller.stdin.flush()
        return [
            result(scenario, setup, last_words(caller), counted())
            for setup, (caller, counted) in zip(setups, pairs, strict=True)
        ]


@contextmanager
def pair(scenario, setup, warm):
    """A caller that is about to begin, and the function that ends its upstream."""
    with upstream(scenario) as (url, counted):
        caller = started("bench.faults.caller", *reversed(setup), warm, url, json.dumps(scenario._asdict()))
        try:
            yield caller, counted
        finally:
            ended(caller)


@contextmanager
def upstream(scenario):
    """A running upstream: its address, and a function that ends it and gives what it counted."""
    child = started("bench.faults.upstream", scenario.name)
    try:
        yield f"http://{HOST}:{said(child)}", lambda: last_words(child)
    finally:
        ended(child)


def started(module, *arguments):
    # A proxy of the environment would take the calls away from this machine.
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def said(child):
    """The next line of a process."""
    line = child.stdout.readline().strip()
    if not line:
        raise SystemExit(f"`{' '.join(child.args[2:5])}` failed; its message stands above")
    return line


def last_words(child):
    """What a process has counted, once its input is closed and it has ended."""
    text, _ = child.communicate(timeout=PATIENCE)
    if child.returncode:
        raise SystemExit(f"`{' '.join(child.args[2:5])}` failed; its message stands above")
    return json.loads(text)


def ended(child):
    """Make sure that the process is gone."""
    if child.poll() is None:
        child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout):
        pipe.close()


def result(scenario, setup, told, seen):
    calls = len(told["waits"])
    return Result(
        scenario=scenario.name,
        client=setup.client,
        colour=setup.colour,
        calls=calls,
        errors=len(told["errors"]),
        raised=dict(Counter(told["errors"]).most_common()),
        duplicates=seen["duplicates"],
        load=seen[scenario.counted] / calls if scenario.counted else None,
        worst=max(told["waits"]),
        median=statistics.median(told["waits"]),
        rate=told["rate"],
        most_per_second=seen["most_per_second"],
        most_in_flight=seen["most_in_flight"],
        at_once=told["at_once"],
        memory=told["memory"] / MIB,
    )
