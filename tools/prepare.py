"""Prepare .venv with the pinned requirements of one set: `prepare.py run|dev|bench|real|pin`.

Only the standard library is at hand here. A stamp, written last, names the set, the Python, the place and the pins. Where
no stamp of this Python and place is found, whatever lies in .venv is thrown away, so that an interrupted installation
mends itself; a whole .venv with older pins is brought up to date.
"""

import fcntl
import hashlib
import importlib.util
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
# Not `sys.executable`: that may lie in the very .venv that is about to be made anew.
BASE = getattr(sys, "_base_executable", None) or sys.executable
UNREACHABLE = re.compile(
    r"NewConnectionError|ConnectTimeoutError|ReadTimeoutError|NameResolutionError|ProxyError|SSLError|MaxRetryError"
    r"|ProtocolError|Connection(?:Reset|Refused)Error|Ignoring indexes"
)


def say(text: str) -> None:
    """Tell the person at the terminal; stdout belongs to what make was asked for."""
    print(text, file=sys.stderr, flush=True)


def digest(*facts: str) -> str:
    """Name these facts in twelve letters."""
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()[:12]


def here() -> str:
    """Name this Python in this place; the programs in .venv hold absolute paths."""
    return f"{sys.version.split()[0]}-{digest(sys.version, BASE, str(Path.cwd()))}"


def pins() -> str:
    """Name what is to be installed."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    files = [path.read_text(encoding="utf-8") for path in sorted(REQUIREMENTS.glob("*.txt"))]
    return digest(repr(project["project"]), repr(project["build-system"]), *files)


@contextmanager
def alone() -> Iterator[int]:
    """Wait until no other make prepares this checkout; give the lock, which a pip that outlives us still holds."""
    with (REQUIREMENTS / "README.md").open() as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another make that prepares .venv")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield held.fileno()


def create() -> None:
    """Make an empty .venv, or say what this Python lacks."""
    if importlib.util.find_spec("ensurepip") is None:
        sys.exit(without_ensurepip())
    say(f"creating .venv with Python {sys.version.split()[0]}")
    shutil.rmtree(VENV, ignore_errors=True)
    command = [BASE, "-m", "venv", str(VENV)]
    made = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        told = (made.stdout + made.stderr).strip()
        sys.exit(without_ensurepip() if "ensurepip" in told else f"{BASE} cannot create .venv: {told}")


def without_ensurepip() -> str:
    """Name the package that lets this Python create virtual environments."""
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    return (
        f"{BASE} cannot create .venv: it has no ensurepip. On Debian and Ubuntu install {package}, then run make again."
    )


def pip(lock: int, *arguments: str) -> None:
    """Install by the user's own pip configuration, its talk kept in a log."""
    # Wheels only: building from source would fetch build tools that nothing here pins.
    environment = {"PIP_ONLY_BINARY": ":all:"} | os.environ | {"PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    command = [str(PYTHON), "-m", "pip", "install", "--no-input", *arguments]
    with LOG.open("a", encoding="utf-8") as log:
        done = subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            pass_fds=[lock],
        )
    if done.returncode:
        sys.exit(f"cannot install: {complaint(LOG.read_text(encoding='utf-8', errors='replace'))}. pip's log: {LOG}")


def complaint(log: str) -> str:
    """Put pip's failure into one line."""
    last = (re.findall(r"^ *ERROR: (.+)$", log, re.MULTILINE) or ["pip stopped without saying why"])[-1].rstrip(".")
    if "DO NOT MATCH THE HASHES" in last:
        return "a package is not the file that was pinned"
    if UNREACHABLE.search(log):
        return "no package index could be reached; `pip config list` shows which are asked"
    if missing := re.match(r"No matching distribution found for (\S+)", last):
        return f"no package index offers {missing[1]} for this Python; `pip config list` shows which are asked"
    return last


def install(name: str, lock: int) -> None:
    """Install one set of pins, and Callsheet itself from this checkout."""
    file = REQUIREMENTS / f"{name}.txt"
    count = len(re.findall(r"^[\w.-]+==", file.read_text(encoding="utf-8"), re.MULTILINE))
    say(f"installing {count} package{'s' * (count != 1)} from {file}")
    LOG.unlink(missing_ok=True)
    pip(lock, "--require-hashes", "--no-deps", "-r", str(file))
    if name != "pin":
        pip(lock, "--no-index", "--no-deps", "--no-build-isolation", "--editable", ".")


def stamps(pins: str = "*", name: str = "*") -> list[Path]:
    """Find what an earlier run left ready for this Python in this place."""
    return list(VENV.glob(f"ready-{name}-{here()}-{pins}"))


def main(name: str, lock: int) -> None:
    """Leave .venv ready for the set, doing nothing where it is."""
    started, today = time.monotonic(), pins()
    if not stamps() or not PYTHON.exists():
        create()
    elif stamps(today, name):
        return
    ready = {name} | {stamp.name.split("-")[1] for stamp in stamps(today)}
    for stamp in VENV.glob("ready-*"):
        stamp.unlink()
    install(name, lock)
    for each in sorted(ready):
        (VENV / f"ready-{each}-{here()}-{today}").touch()
    say(f".venv is ready after {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parent.parent)
    try:
        with alone() as lock:
            main(sys.argv[1], lock)
    except KeyboardInterrupt:
        sys.exit(130)
