"""Which Python `make` takes, shown with made-up interpreters on an otherwise empty PATH."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "tools" / "find-python"
NOT_THERE = 127


@pytest.fixture
def find(tmp_path):
    """Run the script where these interpreters exist: name -> the version it prints, or None if it does not run."""

    def run(interpreters, **environment):
        for name, version in interpreters.items():
            program = tmp_path / name
            program.write_text(f"#!/bin/sh\necho {version}\n" if version else f"#!/bin/sh\nexit {NOT_THERE}\n")
            program.chmod(0o755)
        environment = {"PATH": str(tmp_path)} | environment
        return subprocess.run(["/bin/sh", SCRIPT], capture_output=True, text=True, env=environment, check=False)

    return run


@pytest.mark.parametrize(
    ("interpreters", "taken"),
    [
        ({"python3.11": "3.11.2", "python3.12": "3.12.1", "python3": "3.11.2"}, "python3.12"),
        ({"python3.13": None, "python3.12": None, "python3.11": "3.11.7"}, "python3.11"),
        ({"python3": "3.14.0"}, "python3"),
        ({"python3.12": None, "python3": "3.20.0"}, "python3"),
    ],
    ids=["newest", "shims that do not run", "python3 alone", "a version with two digits"],
)
def test_the_newest_that_runs_is_taken(find, interpreters, taken):
    done = find(interpreters)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{taken}\n", "")


def test_the_one_that_was_named_is_taken_before_newer_ones(find):
    assert find({"python3.13": "3.13.0", "my python": "3.11.0"}, PYTHON="my python").stdout == "my python\n"


@pytest.mark.parametrize(
    ("interpreters", "environment", "found"),
    [
        (
            {"python3.13": None, "python3": "3.9.18"},
            {},
            "python3.13 does not run; no python3.12; no python3.11; python3 is 3.9.18",
        ),
        ({"python3": "3.12.0", "old": "3.8.18"}, {"PYTHON": "old"}, "old is 3.8.18"),
        ({"python3": "3.12.0"}, {"PYTHON": "/no/python"}, "no /no/python"),
        ({"python3": "2.7.18"}, {"PYTHON": "python3"}, "python3 is 2.7.18"),
    ],
)
def test_where_none_will_do_it_says_what_it_found(find, interpreters, environment, found):
    done = find(interpreters, **environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"Callsheet needs Python 3.11 or newer. Found: {found}. Install one" in done.stderr
