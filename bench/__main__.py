"""`python -m bench`: CPU per call and per transferred file, side by side."""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench import blocking, report, tasks, transfer_report, transfers
from bench.breaker import command as breaker
from bench.caching import command as cache_tests
from bench.caching import hits as cache_hits
from bench.faults import command as faults
from bench.machine import machine, versions
from bench.pages import command as pages
from bench.rounds import measured
from bench.servers import found_servers

MODES = ("blocking-1", "blocking-32", "asyncio-1", "asyncio-32")
CLIENTS = tuple(dict.fromkeys((*blocking.CLIENTS, *tasks.CLIENTS, *transfers.CLIENTS)))
HALVES = ("calls", "transfers")
SMALLEST = 32


def options():
    servers = {kind.name: kind for kind in found_servers()}
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        epilog="Programs of their own: `python -m bench faults --help`, the same faults before several clients, and "
        "`python -m bench breaker --help`, what callsheet's breaker costs and saves; `python -m bench cache-tests --help`, "
        "what the public tests of HTTP caches say of its cache; `python -m bench pages --help`, walks over pages.",
    )
    # The empty list stands among the choices because argparse checks a default, too.
    parser.add_argument(
        "halves",
        nargs="*",
        choices=(*HALVES, []),
        default=[],
        metavar="HALF",
        help=f"one half only: {' or '.join(HALVES)}",
    )
    parser.add_argument("--rounds", type=int, default=15, help="rounds that count (default: 15)")
    parser.add_argument("--calls", type=int, default=300, help="calls in each round (default: 300)")
    parser.add_argument("--only", nargs="+", choices=CLIENTS, default=CLIENTS, help="these clients only")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=MODES, help="these modes only")
    parser.add_argument("--servers", nargs="+", choices=servers, default=list(servers), help="these servers only")
    parser.add_argument("--size", type=int, default=1024, help="MiB of each transfer (default: 1024)")
    parser.add_argument("--runs", type=int, default=5, help="transfers by each client (default: 5)")
    parser.add_argument("--json", type=Path, default=Path("bench/results.json"), help="where the results are written")
    parser.add_argument("--page", type=Path, help="a page whose marked part is replaced by the tables")
    chosen = parser.parse_args()
    if chosen.rounds < 2 or chosen.calls < 1:
        parser.error("expected at least 2 rounds of at least 1 call")
    # Below that, what is measured is how a program starts.
    if chosen.size < SMALLEST or chosen.runs < 1:
        parser.error(f"expected at least 1 run of at least {SMALLEST} MiB")
    chosen.halves = chosen.halves or HALVES
    chosen.servers = [servers[name] for name in chosen.servers]
    return chosen


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def as_json(result):
    numbers = {**result._asdict(), **result.more}
    del numbers["setup"]
    rounded = {name: None if value is None else round(value, 3) for name, value in numbers.items()}
    return {**rounded, **result.setup._asdict()}


def conditions():
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return {"at": at, "machine": machine(), "versions": versions()}


def calls(chosen):
    found = {**conditions(), "rounds": chosen.rounds, "calls": chosen.calls}
    results = []
    for kind in chosen.servers:
        results += measured(
            kind, chosen.modes, chosen.only, rounds=chosen.rounds, calls=chosen.calls, progress=progress
        )
    return {**found, "results": [as_json(result) for result in results]}, report.whole(results, found)


def moved(chosen):
    found = {**conditions(), "runs": chosen.runs, "MiB": chosen.size}
    size = chosen.size * transfers.MIB
    results = transfers.measured(chosen.only, size=size, runs=chosen.runs, progress=progress)
    return {**found, "results": [as_json(result) for result in results]}, transfer_report.whole(results, found)


def main():
    chosen = options()
    # A half that is not run keeps the numbers that it has.
    known = json.loads(chosen.json.read_text()) if chosen.json.exists() else {}
    for half, run in zip(HALVES, (calls, moved), strict=True):
        if half not in chosen.halves:
            continue
        found, text = run(chosen)
        progress("")
        print(text, end="\n\n")
        known = {**known, "transfers": found} if half == "transfers" else {**found, **kept(known)}
        chosen.json.write_text(json.dumps(known, indent=2) + "\n")
        if chosen.page is not None:
            chosen.page.write_text(report.with_numbers(chosen.page.read_text(), text, half))


def kept(known):
    names = ("transfers", "faults", "breaker", "cache-tests", "cache", "pages")
    return {name: known[name] for name in names if name in known}


if __name__ == "__main__":
    programs = {
        "faults": faults.main,
        "breaker": breaker.main,
        "cache-tests": cache_tests.main,
        "cache": cache_hits.main,
        "pages": pages.main,
    }
    if sys.argv[1:2] and sys.argv[1] in programs:
        programs[sys.argv[1]](sys.argv[2:])
    else:
        main()
