"""`python -m bench faults`: the same faults, through real sockets, before several clients."""

import argparse
import json
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pycurl

from bench.faults import report
from bench.faults.run import SETUPS, Result, measured, setups_of
from bench.faults.scenarios import BY_NAME, SCENARIOS
from bench.machine import machine

PACKAGES = ("callsheet", "pycurl", "requests", "urllib3", "httpx2", "stamina", "aiohttp", "aiohttp-retry")


def options(arguments):
    parser = argparse.ArgumentParser(prog="python -m bench faults", description=__doc__)
    parser.add_argument(
        "--only", nargs="+", choices=report.NAMES, default=list(report.NAMES), help="these clients only"
    )
    parser.add_argument("--faults", nargs="+", choices=BY_NAME, default=list(BY_NAME), help="these faults only")
    parser.add_argument("--json", type=Path, default=Path("bench/results.json"), help="where the results are written")
    parser.add_argument("--page", type=Path, help="a page whose marked parts are replaced by the tables")
    return parser.parse_args(arguments)


def main(arguments):
    chosen = options(arguments)
    setups = [setup for setup in SETUPS if setup.client in chosen.only]
    found = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), "versions": versions()}
    made = []
    for scenario in SCENARIOS:
        if scenario.name in chosen.faults:
            made += run(scenario, setups)
    results = kept(chosen.json, made, found)
    if chosen.page is not None:
        chosen.page.write_text(report.written(chosen.page.read_text(), report.parts(results, found)))


def run(scenario, setups):
    if sys.stderr.isatty():
        print(f"\r\033[K{scenario.title} ...", end="\r", file=sys.stderr, flush=True)
    results = measured(scenario, setups)
    print(f"{scenario.title}\n\n{report.table(scenario, results)}\n", flush=True)
    return results


def versions():
    """The versions of everything that takes part."""
    return {**{name: version(name) for name in PACKAGES}, "libcurl": pycurl.version_info()[1]}


def kept(path, made, found):
    """All results that are known, those of this run in the place of older ones, in the order of the tables."""
    known = json.loads(path.read_text()) if path.exists() else {}
    older = [Result(**result) for result in known.get("faults", {}).get("results", ())]
    by_place = {(result.scenario, result.client, result.colour): result for result in (*older, *made)}
    places = [(scenario.name, *setup) for scenario in SCENARIOS for setup in setups_of(scenario)]
    results = [by_place[place] for place in places if place in by_place]
    faults = {**found, "results": [result._asdict() for result in results]}
    path.write_text(json.dumps({**known, "faults": faults}, indent=2) + "\n")
    return results
