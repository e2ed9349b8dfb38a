"""Fixtures for pytest. Loading this costs nothing: what a fixture needs is imported when a test asks for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from callsheet.testing import Cassette, FakeTransport, FrozenClock

__all__ = ["callsheet_cassette", "callsheet_clock", "callsheet_transport"]

MODES = ("none", "once", "all")
HAS_FAILED = "callsheet_has_failed"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--callsheet-record` and the ini value `callsheet_record`."""
    words = "of cassettes: none replays only, once records what has no file yet, all records anew"
    parser.getgroup("callsheet").addoption("--callsheet-record", choices=MODES, default=None, help=words)
    parser.addini("callsheet_record", f"{words} (none: a test run never asks a service unasked)", default="none")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Remember that a test failed: its fixtures then do not also complain of answers that it did not ask for."""
    report = yield
    if report.when == "call" and report.failed:
        setattr(item, HAS_FAILED, True)
    return report


@pytest.fixture
def callsheet_clock() -> FrozenClock:
    """A FrozenClock, made anew for each test."""
    from callsheet.testing import FrozenClock  # noqa: PLC0415 - only tests with this fixture pay for it

    return FrozenClock()


@pytest.fixture
def callsheet_transport(request: pytest.FixtureRequest, callsheet_clock: FrozenClock) -> Iterator[FakeTransport]:
    """A FakeTransport on `callsheet_clock`. A test that passes fails at its end if a scripted answer was not asked for."""
    from callsheet.testing import FakeTransport  # noqa: PLC0415

    fake = FakeTransport(callsheet_clock)
    yield fake
    _unless_failed(request, fake.assert_all_called)


@pytest.fixture
def callsheet_cassette(request: pytest.FixtureRequest) -> Iterator[Cassette]:
    """A Cassette, `cassettes/FILE.TEST.json` beside the test's file.

    A test that passes fails at its end if a recorded interaction was not replayed.
    """
    from callsheet.testing.cassette import FixtureCassette  # noqa: PLC0415

    chosen = request.config.getoption("--callsheet-record") or request.config.getini("callsheet_record")
    # With the names of file and class, as two tests may have the same name.
    named = ".".join((Path(request.path).stem, *request.node.nodeid.split("::")[1:]))
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", named).strip("-")
    cassette = FixtureCassette(Path(request.path).parent / "cassettes" / f"{name}.json", record=chosen)
    yield cassette
    _unless_failed(request, cassette.assert_all_used)


def _unless_failed(request: pytest.FixtureRequest, check: Any) -> None:
    if not getattr(request.node, HAS_FAILED, False):
        check()
