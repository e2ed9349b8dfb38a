"""Every snippet of the docs runs: files are written, Python is executed, commands are run, page by page."""

import os
import shlex
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from callsheet.practice import PracticeServer
from tests.docs.fences import Fence, fences
from tests.servers.fixtures import *  # noqa: F403
from tests.servers.wsgi import WsgiServer

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page.relative_to(ROOT).as_posix()
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
    if any(fence.language in ("python", "console") or fence.file for fence in fences(page))
)


@pytest.fixture(scope="module")
def practice_url():
    with PracticeServer() as server:
        yield server.url


@pytest.fixture(scope="module")
def bank_url(certificates):
    """A service that insists on a client certificate."""

    def ledger(environ, start_response):
        start_response("200 OK", [("Content-Type", "application/json")])
        return [b'{"balance": 7}']

    with WsgiServer(ledger, certificates.client_required(ssl.TLSVersion.TLSv1_3)) as server:
        yield server.url


@pytest.mark.parametrize("page", PAGES)
def test_the_snippets_run(page, practice_url, bank_url, certificates, tmp_path, monkeypatch):
    variables = {
        "SHOP_URL": practice_url,
        "PRACTICE_URL": practice_url,
        "BANK_URL": bank_url,
        "API_TOKEN": "a-token-for-the-docs",
    }
    for file in (certificates.ca_file, certificates.client_cert_file, certificates.client_key_file):
        shutil.copy(file, tmp_path / file.name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    names = {"PRACTICE_URL": practice_url, "__name__": "snippet"}
    for fence in fences(ROOT / page):
        run(fence, page, names)


def run(fence: Fence, page: str, names: dict) -> None:
    if fence.file:
        target = Path(fence.file)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(fence.text, "utf-8")
    elif fence.language == "python":
        padding = "\n" * (fence.line - 1)
        exec(compile(padding + fence.text, page, "exec"), names)
    elif fence.language == "console":
        for command, expected in commands(fence.text):
            printed = output_of(command)
            missing = [line for line in expected if line.strip() and line.strip() not in printed]
            assert not missing, f"{page}: `{command}` printed\n{printed}"


def commands(text: str) -> list[tuple[str, list[str]]]:
    """Each `$ command` with the lines shown below it."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found:
            found[-1][1].append(line)
    return found


def output_of(command: str) -> str:
    words = shlex.split(command, comments=True)
    assert words[0] == "callsheet", f"only callsheet's own commands are run: {command}"
    done = subprocess.run(
        [sys.executable, "-c", "from callsheet.cli import main; main()", *words[1:]],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        env={**os.environ, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode in (0, 4, 5, 6), f"{command}: {done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_the_readme_runs_twice(practice_url, tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_URL", practice_url)
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        for fence in fences(ROOT / "README.md"):
            run(fence, "README.md", {"__name__": "snippet"})
