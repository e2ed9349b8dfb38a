"""The command line in this process, and as a process of its own."""

import io
import os
import subprocess
import sys
from typing import NamedTuple

import pytest

from callsheet.cli.run import run
from callsheet.cli.screen import Screen
from callsheet.practice import SHEET, PracticeServer
from tests.servers.fixtures import *  # noqa: F403


class Ended(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def practice():
    with PracticeServer() as server:
        yield server


@pytest.fixture(autouse=True)
def _quiet_environment(monkeypatch, tmp_path):
    """No test sees the machine's own sheet, variables or working directory, nor another's modules."""
    for name in ("CALLSHEET_FILE", "CALLSHEET_ENV", "CALLSHEET_DEBUG", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    yield
    sys.modules.pop("models", None)


@pytest.fixture
def callsheet():
    """Run a command line in this process; `terminal=True` as if a person read it."""

    def running(*arguments, terminal=False, colour=False):
        out, err = io.BytesIO(), io.StringIO()
        code = run(list(map(str, arguments)), Screen(out, err, terminal, colour, width=100))
        return Ended(code, out.getvalue().decode(), err.getvalue())

    return running


@pytest.fixture
def practiced(callsheet, practice, monkeypatch):
    """The same with the practice API's own sheet."""
    monkeypatch.setenv("PRACTICE_URL", practice.url)
    monkeypatch.setenv("CALLSHEET_FILE", str(SHEET))
    return callsheet


@pytest.fixture
def sheet(tmp_path):
    """Write the sheet of the working directory."""

    def writing(text, name="callsheet.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return writing


COMMAND = [sys.executable, "-m", "callsheet"]


def spawn(*arguments, stdin=None, env=None, cwd=None):
    """Run a command line as a process; stdout is bytes."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        env={**os.environ, **(env or {})},
        cwd=cwd,
        timeout=60,
        check=False,
    )
