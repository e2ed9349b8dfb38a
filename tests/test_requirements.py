"""What is installed from requirements/*.txt is exactly what was pinned, from wherever the user's pip looks."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "requirements").glob("*.txt"))
PIN = re.compile(r"^([a-z0-9.-]+)==(\S+)(?: ; (.+?))?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n", re.MULTILINE)


def pins(file):
    return {(name, marker): version for name, version, marker, _ in PIN.findall(file.read_text())}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_holds_pins_with_hashes_and_nothing_else(file):
    rest = PIN.sub("", file.read_text())
    assert [line for line in rest.splitlines() if not line.startswith("#")] == []


def test_all_sets_agree_because_they_share_one_environment():
    chosen = {}
    for file in FILES:
        for pin, version in pins(file).items():
            assert chosen.setdefault(pin, version) == version, f"{pin} in {file}"


@pytest.mark.parametrize(
    ("file", "groups"),
    [
        ("run", ["build"]),
        ("dev", ["build", "dev"]),
        ("bench", ["build", "bench"]),
        ("real", ["build", "dev", "real"]),
        ("pin", ["pin"]),
    ],
)
def test_each_set_pins_what_the_project_asks_for(file, groups):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = [entry for group in groups for entry in project["dependency-groups"][group] if isinstance(entry, str)]
    if file != "pin":
        asked += project["project"]["dependencies"]
        asked += [entry for extra in project["project"]["optional-dependencies"].values() for entry in extra]
    names = {re.match(r"[\w.-]+", entry)[0].lower() for entry in asked} - {"callsheet"}
    assert names - {name for name, _ in pins(ROOT / "requirements" / f"{file}.txt")} == set()
