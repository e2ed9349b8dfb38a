"""`python -m bench breaker`: calls lost at steady failures and in an outage, with the breaker and without it."""

import argparse
import json
import statistics
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pycurl

from bench import report
from bench.breaker.caller import Group, Made
from bench.faults.run import HOST, PATIENCE, ended, said, started
from bench.machine import machine

COLOURS = ("blocking", "asyncio")
SHARES = (0.2, 0.33, 0.4, 0.5, 0.6, 0.8)
AT_ONCE = 3
"""Shares of failures that are measured at the same time."""
CLIENTS = {2: 40, 20: 4, 200: 1}
"""Calls per second, and clients that make so many each: few calls say little."""
CLIENTS_IN_OUTAGE = {2: 20, 20: 8, 200: 3}
BEFORE, OUTAGE, AFTER = 12.0, 60.0, 12.0
"""Seconds: longer than the window of the retry budget, than a breaker needs to open, and than its longest pause."""
BEGIN, END = "<!-- breaker: written by `python -m bench breaker` with --page -->", "<!-- end of breaker -->"


def options(arguments):
    parser = argparse.ArgumentParser(prog="python -m bench breaker", description=__doc__)
    parser.add_argument("--colours", nargs="+", choices=COLOURS, default=COLOURS, help="these only")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each share of failures (default: 60)")
    parser.add_argument("--json", type=Path, default=Path("bench/results.json"), help="where the results are written")
    parser.add_argument("--page", type=Path, help="a page whose marked part is replaced by the table")
    return parser.parse_args(arguments)


def main(arguments):
    chosen = options(arguments)
    versions = {"callsheet": version("callsheet"), "libcurl": pycurl.version_info()[1]}
    found = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), "versions": versions}
    rows = []
    for colour in chosen.colours:
        for has_breaker in (False, True):
            lost = at_steady_failures(colour, chosen.seconds, has_breaker=has_breaker)
            load, last = in_outage(colour, has_breaker=has_breaker)
            rows.append({"colour": colour, "breaker": has_breaker, "lost": lost, "load": load, "last": last})
    text = f"{report.conditions(found, f'{chosen.seconds:g} s for each share of failures')}\n\n{table(rows)}"
    print(text)
    known = json.loads(chosen.json.read_text()) if chosen.json.exists() else {}
    chosen.json.write_text(json.dumps({**known, "breaker": {**found, "results": rows}}, indent=2) + "\n")
    if chosen.page is not None:
        chosen.page.write_text(report.between(chosen.page.read_text(), text, BEGIN, END))


def at_steady_failures(colour, seconds, *, has_breaker):
    """The share of calls that were lost, for each share of failures at each number of calls per second."""
    lost = []
    for first in range(0, len(SHARES), AT_ONCE):
        with running("bench.breaker.upstream", *SHARES[first : first + AT_ONCE]) as upstreams:
            urls = urls_of(upstreams)
            groups = [Group(url, rate, n, seconds, has_breaker) for url in urls for rate, n in CLIENTS.items()]
            with calling(colour, groups) as caller:
                made = all_made(caller, seconds)
        lost += [share_of_lost(made, number) for number in range(len(groups))]
    # In rows of one for each number of calls per second.
    return [lost[place : place + len(CLIENTS)] for place in range(0, len(lost), len(CLIENTS))]


def in_outage(colour, *, has_breaker):
    """The load on a service that is down, and how long after it is back the last call is lost, at each number of calls per second."""
    seconds = BEFORE + OUTAGE + AFTER
    with running("bench.breaker.upstream", 0.0) as upstreams:
        (url,) = urls_of(upstreams)
        groups = [Group(url, rate, n, seconds, has_breaker) for rate, n in CLIENTS_IN_OUTAGE.items()]
        with calling(colour, groups) as caller:
            time.sleep(BEFORE)
            down = float(told(upstreams, "down"))
            time.sleep(OUTAGE)
            up = float(told(upstreams, "up"))
            made = all_made(caller, AFTER)
    numbers = range(len(groups))
    return [load_of(made, number, down, up) for number in numbers], [last_lost(made, number, up) for number in numbers]


@contextmanager
def running(module, *arguments):
    child = started(module, *map(str, arguments))
    try:
        yield child
    finally:
        ended(child)


@contextmanager
def calling(colour, groups):
    """A process whose clients have begun."""
    with running("bench.breaker.caller", colour, json.dumps(groups)) as child:
        said(child)
        if sys.stderr.isatty():
            print(f"{colour}, {sum(group.clients for group in groups)} clients ...", file=sys.stderr)
        child.stdin.write("go\n")
        child.stdin.flush()
        yield child


def urls_of(child):
    return [f"http://{HOST}:{port}" for port in said(child).split()]


def told(child, word):
    """Tell a process to do something; what it says."""
    child.stdin.write(f"{word}\n")
    child.stdin.flush()
    return said(child)


def all_made(child, seconds):
    text, _ = child.communicate(timeout=seconds + PATIENCE)
    if child.returncode:
        raise SystemExit("the callers failed; their message stands above")
    return [Made(*each) for each in json.loads(text)]


def share_of_lost(made, group):
    lost = [each.is_lost for each in made if each.group == group]
    return sum(lost) / len(lost)


def load_of(made, group, down, up):
    """Attempts for each call that was made while the service was down."""
    attempts = [each.attempts for each in made if each.group == group and down <= each.began < up]
    return sum(attempts) / len(attempts)


def last_lost(made, group, up):
    """Seconds from when the service was back until the last lost call began, on average over the clients."""
    last = {each.client: 0.0 for each in made if each.group == group}
    for each in made:
        if each.group == group and each.is_lost and each.began >= up:
            last[each.client] = max(last[each.client], each.began - up)
    return statistics.mean(last.values())


def table(rows):
    """One line for each colour, with the breaker and without it."""
    head = (
        "calls lost, in %",
        "",
        *(f"{share:.0%} fail" for share in SHARES),
        f"load while down for {OUTAGE:g} s",
        "last lost call after",
    )
    lines = [head, ("---",) * len(head)]
    for row in rows:
        lost = ("/".join(f"{100 * share:.0f}" for share in shares) for shares in row["lost"])
        loads = "/".join(f"{load:.2f}" for load in row["load"])
        lasts = "/".join(f"{last:.1f}" for last in row["last"])
        lines.append((row["colour"], "breaker" if row["breaker"] else "no breaker", *lost, loads, f"{lasts} s"))
    return report.aligned(lines)
