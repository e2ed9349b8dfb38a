"""`python -m bench cache-tests`: what the public tests of HTTP caches say of callsheet's cache, and of others."""

import argparse
import asyncio
import json
import shutil
import tempfile
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from bench import report
from bench.caching import judge, suite
from bench.caching.clients import CLIENTS
from bench.machine import machine

AT_ONCE = 60
"""Tests that are played at the same time: most of their time is pauses."""
OTHERS = {"hishel": "hishel", "requests-cache": "requests_cache"}
"""Clients that are asked if their module is there."""
KINDS = ("required", "optimal", "check")
BEGIN, END = "<!-- cache-tests: written by `python -m bench cache-tests` with --page -->", "<!-- end of cache-tests -->"


def options(arguments):
    parser = argparse.ArgumentParser(prog="python -m bench cache-tests", description=__doc__)
    present = [name for name in CLIENTS if name not in OTHERS or find_spec(OTHERS[name]) is not None]
    parser.add_argument(
        "--clients", nargs="+", choices=list(CLIENTS), default=present, help="these (default: installed)"
    )
    parser.add_argument(
        "--suite", type=Path, help="where the npm package http-cache-tests is (default: installed for once)"
    )
    parser.add_argument("--only", nargs="+", default=(), help="ids of tests to play, with those they depend on")
    parser.add_argument("--failures", action="store_true", help="tell each test that is not passed, and why")
    parser.add_argument("--json", type=Path, default=Path("bench/results.json"), help="where the results are written")
    parser.add_argument("--page", type=Path, help="a page whose marked part is replaced by the table")
    return parser.parse_args(arguments)


def main(arguments):
    chosen = options(arguments)
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise SystemExit("the tests are played by their own server: install node and npm")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cache-tests-")))
        place = (chosen.suite or suite.installed(folder)).absolute()
        tests = _with_dependencies(suite.applicable(place), chosen.only)
        url = stack.enter_context(suite.served(place, folder))
        results = {name: asyncio.run(all_played(tests, CLIENTS[name], url, folder)) for name in chosen.clients}
    found = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": {name: told for name in ("callsheet", "hishel", "requests-cache") if (told := _version(name))},
    }
    text = f"{report.conditions(found, suite.PACKAGE)}\n\n{table(tests, results)}"
    print(text)
    if chosen.failures:
        print("\n".join(failures(tests, results)))
    known = json.loads(chosen.json.read_text()) if chosen.json.exists() else {}
    chosen.json.write_text(json.dumps({**known, "cache-tests": {**found, "results": results}}, indent=2) + "\n")
    if chosen.page is not None:
        chosen.page.write_text(report.between(chosen.page.read_text(), text, BEGIN, END))


def _version(name):
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _with_dependencies(tests, only):
    if not only:
        return tests
    by_id, wanted = {test.id: test for test in tests}, {}
    left = list(only)
    while left:
        test = by_id[left.pop()]
        wanted[test.id] = test
        left += [each for each in test.depends_on if each in by_id]
    return list(wanted.values())


async def all_played(tests, client, url, folder):
    """What became of each test: True, or why it is not passed."""
    places = asyncio.Semaphore(AT_ONCE)
    async with client(url, folder) as fetch:

        async def result(test):
            async with places:
                try:
                    await judge.played(test, fetch)
                except judge.Failed as failed:
                    return f"setup: {failed}" if failed.in_setup else str(failed)
                except Exception as error:  # noqa: BLE001 whatever a client raises, the test is not passed
                    return f"{type(error).__name__}: {error}"
                return True

        results = await asyncio.gather(*map(result, tests))
    return dict(zip((test.id for test in tests), results, strict=True))


def passed(test, results):
    """Whether a test and all that it depends on are passed: else it may be passed for another reason than it tests."""
    return results[test.id] is True and all(results.get(each, True) is True for each in test.depends_on)


def table(tests, results):
    """How many tests of each kind each client passes."""
    totals = Counter(test.kind for test in tests)
    head = [f"{kind} ({totals[kind]})" for kind in KINDS]
    rows = [
        [name, *(str(sum(passed(test, found) for test in tests if test.kind == kind)) for kind in KINDS)]
        for name, found in results.items()
    ]
    lines = [["client", *head], ["---"] * (len(KINDS) + 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def failures(tests, results):
    """A line for each test that is not passed."""
    for name, found in results.items():
        for test in tests:
            if not passed(test, found):
                why = found[test.id] if found[test.id] is not True else f"it depends on {', '.join(test.depends_on)}"
                yield f"{name}: {test.kind} {test.id}: {why}"
