"""The steps of `callsheet demo`: each is a command line, run as if it had been typed."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from callsheet.cli.screen import Screen
from callsheet.errors import UsageError

if TYPE_CHECKING:
    from callsheet.practice import PracticeServer


class DemoStep(NamedTuple):
    """A command line, what it shows, and the exit code that it must end with."""

    title: str
    command: str
    code: int = 0


STEPS = (
    DemoStep("A check: every key, every value, every type the sheet names", "check"),
    DemoStep("A declared POST: JSON from typed fields, the answer checked against its type",
         "call create_user name=Ada email=ada@example.com"),
    DemoStep("A GET with a path parameter", "call get_user id=1"),
    DemoStep("A query", "call list_users status=active size=2"),
    DemoStep("A 404 is a typed error; the exit code says whose fault it was", "call get_user id=99", 4),
    DemoStep("A flaky endpoint: retries save the call", "call flaky key=demo failures=2 -v"),
    DemoStep("A timeout ends when it says: this service would take 30 s", "call slow seconds=30 --timeout 1s", 6),
    DemoStep("A POST whose answer is lost may have been processed: it is not sent twice",
         "call order key=demo lost=1 item=tea -v", 1),
    DemoStep("... and the service counted one", "call order_count key=demo"),
    DemoStep("With an idempotency key the same POST is safe to send again: one order, though its answer was lost",
         "call order_once key=keyed lost=1 item=tea -v"),
    DemoStep("A service that takes one request a second", "call limited key=demo limit=1 window=1"),
    DemoStep("... says 429 to the next, and when to come back: it is asked again then, and no earlier",
         "call limited key=demo limit=1 window=1 -v"),
    DemoStep("A token from a provider (OAuth 2.0), fetched before the call, shown to nobody", "call me -v"),
)  # fmt: skip


PROGRAM = """\
from callsheet import Client, NotFound

with Client("callsheet.yaml") as client:
    user = client.call("get_user", id=1)
    print(user.name, user.email)
    try:
        client.call("get_user", id=99)
    except NotFound as error:
        print(error)
"""
SHOWN_OF_SHEET = 24
BOLD, DIM, CYAN = "1", "2", "36"
"""Lines of the sheet that are shown: the service and its first operations."""


def show_demo(screen: Screen) -> int:
    """Run every step against a practice API of its own; return 1 if a step ended with another exit code than it must."""
    started = time.monotonic()
    with practice_api() as server, folder_with_sheet(server.url) as folder:
        about = f"A practice API on {server.url}, and a sheet that declares it: callsheet.yaml"
        screen.print(screen.coloured(about, BOLD))
        sheet = Path("callsheet.yaml").read_text("utf-8").splitlines()
        shown_lines([*sheet[:SHOWN_OF_SHEET], f"... and {len(sheet) - SHOWN_OF_SHEET} lines more"], screen)
        ended = [show_step(number, step, screen) for number, step in enumerate(STEPS, 1)]
        is_run = show_program(screen)
    took = time.monotonic() - started
    screen.print(f"\n{sum(ended)} of {len(STEPS)} steps ended as they must, in {took:.1f} s. To go on by yourself:")
    shown_lines(closing(folder), screen)
    return 0 if all(ended) and is_run else 1


def closing(folder: Path) -> list[str]:
    """The commands to go on with, for a shell."""
    python = shlex.quote(sys.executable)
    is_on_path = shutil.which("callsheet") == str(Path(sys.executable).with_name("callsheet"))
    command = "callsheet" if is_on_path else f"{python} -m callsheet"
    return [
        f"cd {shlex.quote(str(folder))}",
        f"{command} practice   # the same API, until Ctrl-C; what follows in another terminal, in the same folder",
        f"{command} call get_user id=1",
        f"{python} call.py",
    ]


def show_program(screen: Screen) -> bool:
    """Show and run the same from Python; return whether it ended as it must."""
    screen.print(f"\n{screen.coloured('The same from Python: call.py', BOLD)}")
    shown_lines(PROGRAM.splitlines(), screen)
    done = subprocess.run([sys.executable, "call.py"], capture_output=True, text=True, check=False)
    screen.print(f"   {screen.coloured('$ python call.py', CYAN)}")
    shown_lines((done.stdout + done.stderr).splitlines(), screen)
    return done.returncode == 0


def shown_lines(lines: Iterable[str], screen: Screen) -> None:
    """Put the lines on the data stream, indented."""
    for line in lines:
        screen.print(f"   {line}".rstrip())


def show_step(number: int, step: DemoStep, screen: Screen) -> bool:
    """Run one step and show it; return whether it ended with the exit code that it must."""
    from callsheet.cli.run import run

    title, typed = f"{number}  {step.title}", f"$ callsheet {step.command}"
    screen.print(f"\n{screen.coloured(title, BOLD)}\n   {screen.coloured(typed, CYAN)}")
    tape = io.BytesIO()  # both streams write to it, so that their lines stay in order
    errors = io.TextIOWrapper(tape, "utf-8", "replace", newline="\n", write_through=True)
    inner = Screen(tape, errors, is_terminal=True, has_colour=screen.has_colour, errors_have_colour=screen.has_colour)
    started = time.monotonic()
    code = run(shlex.split(step.command), inner)
    took = time.monotonic() - started
    for line in tape.getvalue().decode("utf-8", "replace").splitlines():
        screen.print(f"   {line}")
    screen.print(screen.coloured(f"   exit {code}, {took:.2f} s", DIM))
    if code != step.code:
        screen.complain(f"step {number} must end with exit code {step.code}")
    return code == step.code


@contextmanager
def practice_api() -> Iterator[PracticeServer]:
    """The practice API on a free port. Raises UsageError without its extra."""
    try:
        from callsheet.practice import PracticeServer
    except ModuleNotFoundError as error:
        raise UsageError(str(error)) from None
    with PracticeServer() as server:
        yield server


@contextmanager
def folder_with_sheet(url: str) -> Iterator[Path]:
    """While the block runs, work in a new folder with the practice sheet and a program, and without CALLSHEET_FILE.

    The folder stays, for who wants to go on.
    """
    from callsheet.practice import SHEET

    before, environment = Path.cwd(), dict(os.environ)
    folder = Path(tempfile.mkdtemp(prefix="callsheet-demo-"))
    (folder / "callsheet.yaml").write_bytes(SHEET.read_bytes())
    (folder / "call.py").write_text(PROGRAM, "utf-8")
    try:
        os.chdir(folder)
        os.environ.pop("CALLSHEET_FILE", None)
        os.environ["PRACTICE_URL"] = url
        yield folder
    finally:
        os.chdir(before)
        os.environ.clear()
        os.environ.update(environment)
