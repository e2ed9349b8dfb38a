"""`python -m bench`: CPU per call, side by side."""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from bench import blocking, report, tasks
from bench.machine import machine, versions
from bench.rounds import measured
from bench.servers import found_servers

MODES = ("blocking-1", "blocking-32", "asyncio-1", "asyncio-32")
CLIENTS = tuple(dict.fromkeys((*blocking.CLIENTS, *tasks.CLIENTS)))


def options():
    servers = {kind.name: kind for kind in found_servers()}
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="rounds that count (default: 15)")
    parser.add_argument("--calls", type=int, default=300, help="calls in each round (default: 300)")
    parser.add_argument("--only", nargs="+", choices=CLIENTS, default=CLIENTS, help="these clients only")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=MODES, help="these modes only")
    parser.add_argument("--servers", nargs="+", choices=servers, default=list(servers), help="these servers only")
    parser.add_argument("--json", type=Path, default=Path("bench/results.json"), help="where the results are written")
    parser.add_argument("--page", type=Path, help="a page whose marked part is replaced by the tables")
    chosen = parser.parse_args()
    if chosen.rounds < 2 or chosen.calls < 1:
        parser.error("expected at least 2 rounds of at least 1 call")
    chosen.servers = [servers[name] for name in chosen.servers]
    return chosen


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def as_json(result):
    rest = {"per_second": result.per_second, "server_busy": result.server_busy}
    numbers = {**result._asdict(), **rest}
    del numbers["setup"]
    rounded = {name: None if value is None else round(value, 3) for name, value in numbers.items()}
    return {**result.setup._asdict(), **rounded}


def main():
    chosen = options()
    found = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
        "rounds": chosen.rounds,
        "calls": chosen.calls,
    }
    results = []
    for kind in chosen.servers:
        results += measured(
            kind, chosen.modes, chosen.only, rounds=chosen.rounds, calls=chosen.calls, progress=progress
        )
    progress("")
    print(report.whole(results, found))
    chosen.json.write_text(json.dumps({**found, "results": [as_json(result) for result in results]}, indent=2) + "\n")
    if chosen.page is not None:
        chosen.page.write_text(report.with_numbers(chosen.page.read_text(), report.whole(results, found)))


if __name__ == "__main__":
    main()
