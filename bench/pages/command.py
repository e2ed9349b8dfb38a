"""`python -m bench pages`: CPU and memory of a walk over many pages, beside the same calls written by hand with json."""

import argparse
import json
import statistics
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pycurl

from bench import report
from bench.machine import machine
from bench.servers import ROOT, Server

COLOURS = ("blocking", "asyncio")
WAYS = ("by hand", "items")
MOST_CPU = 1.1
"""Of the CPU of the same calls by hand."""
MOST_MEMORY = 8
"""MiB more for all items than for a tenth of them."""
MIB = 1024 * 1024
BEGIN, END = "<!-- pages: written by `python -m bench pages` with --page -->", "<!-- end of pages -->"


class Upstream(Server):
    """A collection of so many items, in pages."""

    name = "upstream"

    def __init__(self, items, size):
        self.items, self.size = items, size
        super().__init__()

    def command(self):
        return [sys.executable, "-m", "bench.pages.upstream", str(self.port), str(self.items), str(self.size)]


def options(arguments):
    parser = argparse.ArgumentParser(prog="python -m bench pages", description=__doc__)
    parser.add_argument("--items", type=int, default=1_000_000, help="items in all (default: 1,000,000)")
    parser.add_argument("--size", type=int, default=1000, help="items on a page (default: 1,000)")
    parser.add_argument("--runs", type=int, default=5, help="walks in each way (default: 5)")
    parser.add_argument("--json", type=Path, default=Path("bench/results.json"), help="where the results are written")
    parser.add_argument("--page", type=Path, help="a page whose marked part is replaced by the table")
    return parser.parse_args(arguments)


def main(arguments):
    chosen = options(arguments)
    versions = {"callsheet": version("callsheet"), "libcurl": pycurl.version_info()[1]}
    found = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), "versions": versions}
    rows = measured(chosen.items, chosen.size, chosen.runs)
    amount = f"medians of {chosen.runs} walks over {chosen.items:,} items, {chosen.size:,} on a page"
    text = f"{report.conditions(found, amount)}\n\n{table(rows)}"
    print(text)
    known = json.loads(chosen.json.read_text()) if chosen.json.exists() else {}
    chosen.json.write_text(json.dumps({**known, "pages": {**found, "results": rows}}, indent=2) + "\n")
    if chosen.page is not None:
        chosen.page.write_text(report.between(chosen.page.read_text(), text, BEGIN, END))


def measured(items, size, runs):
    """For each colour and way the CPU per item, and the most memory for a tenth of the items and for all of them."""
    walks = {(colour, way): [] for colour in COLOURS for way in WAYS}
    short = {}
    server = Upstream(items // 10, size)
    try:
        short = {key: walk(*key, server.url) for key in walks}
    finally:
        server.stop()
    server = Upstream(items, size)
    try:
        for _ in range(runs):  # in turns, so that what else the machine does meets all of them
            for key, found in walks.items():
                found.append(walk(*key, server.url))
    finally:
        server.stop()
    return [row_of(key, found, short[key]) for key, found in walks.items()]


def walk(colour, way, url):
    """One walk, in a process of its own."""
    command = [sys.executable, "-m", "bench.pages.reader", colour, way, url]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{colour}, {way}: the process failed; its message stands above")
    return json.loads(done.stdout)


def row_of(key, walks, short):
    each = [1e6 * found["cpu"] / found["items"] for found in walks]
    return {
        "colour": key[0],
        "way": key[1],
        "cpu": statistics.median(each),
        "low": min(each),
        "high": max(each),
        "peak_of_a_tenth": short["peak"] / MIB,
        "peak": statistics.median(found["peak"] for found in walks) / MIB,
    }


def table(rows):
    """One line for each colour and way, and what was aimed at."""
    by_hand = {row["colour"]: row["cpu"] for row in rows if row["way"] == "by hand"}
    lines = [
        ("mode", "", "CPU us per item", "least-most", "of that by hand", "MiB for a tenth", "MiB for all", ""),
        ("---",) * 8,
    ]
    for row in rows:
        share, more = row["cpu"] / by_hand[row["colour"]], row["peak"] - row["peak_of_a_tenth"]
        is_met = share <= MOST_CPU and more <= MOST_MEMORY
        verdict = "" if row["way"] == "by hand" else "met" if is_met else "missed"
        numbers = (f"{row['cpu']:.2f}", f"{row['low']:.2f}-{row['high']:.2f}", f"{share:.2f}")
        lines.append(
            (row["colour"], row["way"], *numbers, f"{row['peak_of_a_tenth']:.1f}", f"{row['peak']:.1f}", verdict)
        )
    return report.aligned(lines)
