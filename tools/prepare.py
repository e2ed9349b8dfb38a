"""Prepare .venv with the pinned requirements of one set: `prepare.py run|dev|bench|pin`.

Only the standard library is at hand here. A stamp, written last, names the set, the Python and the pins; where no stamp
of today's pins is found, whatever lies in .venv is thrown away, so that an interrupted installation mends itself.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VENV = Path(".venv")
REQUIREMENTS = Path("requirements")
PYTHON = VENV / "bin" / "python"
LOG = VENV / "install.log"
UNREACHABLE = re.compile(
    r"NewConnectionError|ConnectTimeoutError|ReadTimeoutError|NameResolutionError|ProxyError|SSLError|MaxRetryError"
    r"|Connection(?:Reset|Refused)Error|Looking in indexes: *$|Ignoring indexes",
    re.MULTILINE,
)


def say(text: str) -> None:
    """Tell the person at the terminal; stdout belongs to what make was asked for."""
    print(text, file=sys.stderr, flush=True)


def today() -> str:
    """Name this Python and these pins."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    facts = [json.dumps([project["project"], project["build-system"]], sort_keys=True), str(Path.cwd())]
    facts += [path.read_text(encoding="utf-8") for path in sorted(REQUIREMENTS.glob("*.txt"))]
    digest = hashlib.sha256("\0".join(facts).encode()).hexdigest()
    return f"{sys.implementation.name}-{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}-{digest[:16]}"


@contextmanager
def alone() -> Iterator[None]:
    """Wait until no other make prepares this checkout."""
    with (REQUIREMENTS / "README.md").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def create() -> None:
    """Make an empty .venv, or say what this Python lacks."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    say(f"creating .venv with Python {sys.version.split()[0]}")
    shutil.rmtree(VENV, ignore_errors=True)
    command = [sys.executable, "-m", "venv", str(VENV)]
    made = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        reason = (made.stdout.strip().splitlines() or ["it gave no reason"])[-1]
        if not has_ensurepip():
            reason = f"it has no ensurepip; on Debian and Ubuntu the package python{version}-venv brings it"
        sys.exit(f"{sys.executable} cannot create a virtual environment: {reason}")


def has_ensurepip() -> bool:
    """Tell whether this Python can put pip into a new environment."""
    try:
        import ensurepip
    except ImportError:
        return False
    return bool(ensurepip.version())


def pip(*arguments: str) -> None:
    """Install by the user's own pip configuration, its talk kept in a log."""
    # Wheels only: building from source would fetch build tools that nothing here pins.
    environment = {"PIP_ONLY_BINARY": ":all:"} | os.environ | {"PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    command = [str(PYTHON), "-m", "pip", "install", "--no-input", *arguments]
    with LOG.open("a", encoding="utf-8") as log:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
    if done.returncode:
        sys.exit(f"{complaint(LOG.read_text(encoding='utf-8', errors='replace'))}; pip's own words are in {LOG}")


def complaint(log: str) -> str:
    """Put pip's failure into one line."""
    if UNREACHABLE.search(log):
        return "cannot install: no package index could be reached (pip's configuration says which are asked)"
    errors = re.findall(r"^ *ERROR: (.+)$", log, re.MULTILINE)
    return f"cannot install: {errors[-1] if errors else 'pip stopped without a reason'}"


def install(name: str) -> None:
    """Install one set of pins, and Callsheet itself from this checkout."""
    pins = REQUIREMENTS / f"{name}.txt"
    count = len(re.findall(r"^[\w.-]+==", pins.read_text(encoding="utf-8"), re.MULTILINE))
    say(f"installing {count} packages from {pins}")
    pip("--require-hashes", "--no-deps", "-r", str(pins))
    if name != "pin":
        pip("--no-index", "--no-deps", "--no-build-isolation", "--editable", ".")


def main(name: str) -> None:
    """Leave .venv ready for the set, doing nothing where it is."""
    started, key = time.monotonic(), today()
    if not PYTHON.exists() or not any(VENV.glob(f"ready-*-{key}")):
        create()
    elif (VENV / f"ready-{name}-{key}").exists():
        return
    ready = {name} | {path.name.split("-")[1] for path in VENV.glob(f"ready-*-{key}")}
    for stamp in VENV.glob("ready-*"):
        stamp.unlink()
    install(name)
    for each in sorted(ready):
        (VENV / f"ready-{each}-{key}").touch()
    say(f".venv is ready, after {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    os.chdir(Path(__file__).parent.parent)
    with alone():
        main(sys.argv[1])
