"""Tests that need a program or a module: `@pytest.mark.needs("nginx")` skips without it, and the end of the run says so.

With CALLSHEET_NEED_ALL=1 in the environment such a test fails instead of skipping.
"""

import os
import shutil
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest

# Debian keeps servers where only root's PATH looks.
NPM = str(Path(__file__).parents[1] / ".venv/npm/node_modules/.bin")
PLACES = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin", NPM])
NOT_RUN = "not run, needs"


def program(name):
    """Say where a system program is, or None."""
    return shutil.which(name, path=PLACES)


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "needs(*names): skipped where one of these system programs or modules is missing"
    )


def needs_of(item):
    return [name for mark in item.iter_markers("needs") for name in mark.args]


def pytest_runtest_setup(item):
    missing = missing_of(needs_of(item))
    if missing:
        pytest.skip(f"needs {' and '.join(missing)}")


def missing_of(names):
    return [name for name in names if program(name) is None and find_spec(name) is None]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    needed = needs_of(item)
    if not (report.skipped and needed) or hasattr(report, "wasxfail"):
        return report
    missing = missing_of(needed)
    # The properties travel with the report from the workers to the terminal.
    report.user_properties.append((NOT_RUN, " and ".join(missing or needed)))
    if os.environ.get("CALLSHEET_NEED_ALL"):
        report.outcome = "failed"
        report.longrepr = (
            f"{item.nodeid} was skipped, and CALLSHEET_NEED_ALL says that nothing may be: {call.excinfo.value}"
        )
    return report


def pytest_terminal_summary(terminalreporter):
    counts = Counter(
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == NOT_RUN and report.when != "teardown"
    )
    for needed, count in sorted(counts.items()):
        tests = "1 test needs" if count == 1 else f"{count} tests need"
        terminalreporter.write_line(f"not run: {tests} {needed}")
