"""The command line as a process: streams, signals, terminals."""

import json
import os
import pty
import shlex
import signal
import subprocess
import sys
import textwrap

import pytest

from callsheet.practice import SHEET
from tests.cli.conftest import COMMAND, spawn
from tests.servers.actions import answer, silence
from tests.servers.scripted import ScriptedServer

ONE = 'callsheet: 1\nservices:\n  s:\n    base_url: "{url}"\n    retry: off\n    operations:\n      get: {{get: /}}\n'


@pytest.fixture
def practice_env(practice):
    return {"PRACTICE_URL": practice.url, "CALLSHEET_FILE": str(SHEET)}


def test_streams_and_exit_code(practice_env):
    done = spawn("call", "get_user", "id=99", env=practice_env)
    assert done.returncode == 4
    assert json.loads(done.stdout)["status"] == 404
    assert (
        done.stderr.decode().splitlines()[-1].startswith("callsheet: NotFound: practice.get_user: GET /users/{id}: 404")
    )


def test_bytes_are_written_as_they_came(sheet):
    body = bytes(range(256)) * 4
    with ScriptedServer([answer(200, {"Content-Type": "application/octet-stream"}, body)]) as server:
        sheet(ONE.format(url=server.url))
        assert spawn("call", "get").stdout == body


def test_a_reader_that_goes_away_is_no_failure(sheet):
    with ScriptedServer([answer(200, body=b"line\n" * 500_000)]) as server:
        sheet(ONE.format(url=server.url))
        shell = f"set -o pipefail; {shlex.join(COMMAND)} call get | head -n 1"
        done = subprocess.run(["bash", "-c", shell], capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"line\n", b"")


def test_ctrl_c(sheet):
    with ScriptedServer([silence()]) as server:
        sheet(ONE.format(url=server.url))
        process = subprocess.Popen([*COMMAND, "call", "get"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert server.wait_requests(1, 20)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (130, b"")
    assert err.strip() == b"interrupted"


def on_terminal(*arguments, env):
    """What a terminal shows of a command: both streams are it."""
    pid, descriptor = pty.fork()
    if pid == 0:
        os.execvpe(COMMAND[0], [*COMMAND, *arguments], {**os.environ, "TERM": "xterm-256color", **env})
    shown = b""
    while True:
        try:
            read = os.read(descriptor, 65536)
        except OSError:
            break
        if not read:
            break
        shown += read
    _, status = os.waitpid(pid, 0)
    os.close(descriptor)
    return os.waitstatus_to_exitcode(status), shown.decode()


def test_an_upload_has_a_progress_bar_and_lines_stand_above_it(practice_env, tmp_path):
    (tmp_path / "body").write_bytes(bytes(5_000_000))
    code, shown = on_terminal("request", "POST", "/uploads", "@body", "-v", env={**practice_env, "COLUMNS": "90"})
    assert code == 0
    assert "upload " in shown
    assert "5.0/5.0 MB" in shown
    assert "/s" in shown
    assert "0:00:00" in shown
    assert "* attempt 1: POST" in shown
    assert shown.index("5.0/5.0 MB") < shown.index('"size"')
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1


def test_a_download_has_a_progress_bar(practice_env, tmp_path):
    code, shown = on_terminal("request", "GET", "/bytes/3000000", "-d", "file", env=practice_env)
    assert (code, (tmp_path / "file").stat().st_size) == (0, 3_000_000)
    assert "3.0/3.0 MB" in shown
    assert shown.rstrip().endswith("callsheet: 3.0 MB in file")


@pytest.mark.parametrize("more", [{"TERM": "dumb"}, {"TERM": "xterm", "NO_COLOR": "1"}])
def test_a_terminal_that_wants_less_gets_less(practice_env, tmp_path, more):
    (tmp_path / "body").write_bytes(bytes(10_000))
    code, shown = on_terminal("request", "POST", "/uploads", "@body", env=practice_env | more)
    assert code == 0
    assert "\x1b[3" not in shown
    assert ("upload " in shown) == (more["TERM"] != "dumb")


def test_piped_there_is_no_progress_bar(practice_env, tmp_path):
    (tmp_path / "body").write_bytes(bytes(10_000))
    done = spawn("request", "POST", "/uploads", "f@body", env=practice_env, cwd=tmp_path)
    assert json.loads(done.stdout)["size"] > 10_000
    assert b"upload" not in done.stderr


def test_a_terminal_gets_colours_and_lines(practice_env):
    code, shown = on_terminal("call", "get_user", "id=1", env=practice_env)
    assert code == 0
    assert "\x1b[" in shown
    assert shown.count("\r\n") > 5


def test_no_color_is_honoured(practice_env):
    code, shown = on_terminal("call", "get_user", "id=99", env={**practice_env, "NO_COLOR": "1"})
    assert code == 4
    assert "\x1b" not in shown
    assert '  "status": 404' in shown


def test_an_answer_cannot_steer_the_terminal(sheet):
    evil = b"\x1b]0;owned\x07\x1b[2Jtext\x9b\n"
    with ScriptedServer([answer(200, {"Content-Type": "text/plain"}, evil)]) as server:
        sheet(ONE.format(url=server.url))
        _, shown = on_terminal("call", "get", env={"NO_COLOR": "1"})
    assert "text" in shown
    assert "\x1b" not in shown
    assert "\x07" not in shown


def test_binary_is_not_shown_on_a_terminal(sheet):
    with ScriptedServer([answer(200, {"Content-Type": "image/png"}, b"\x89PNG\0\0")]) as server:
        sheet(ONE.format(url=server.url))
        code, shown = on_terminal("call", "get", env={})
    assert code == 0
    assert "6 bytes of image/png, not shown on a terminal" in shown


def test_without_the_extra_the_way_to_it_is_told():
    hiding = textwrap.dedent("""
        import sys
        sys.modules["click"] = None
        sys.argv = ["callsheet", "list"]
        from callsheet.cli import main
        main()
    """)
    done = subprocess.run([sys.executable, "-c", hiding], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2
    assert done.stderr == 'callsheet: the command line needs click: pip install "callsheet[cli]"\n'


def test_a_defect_of_ours_is_one_line_and_a_traceback_only_where_asked(callsheet, practiced, monkeypatch):
    from callsheet.cli import preview_or_send

    monkeypatch.setattr(preview_or_send, "act", "secret text")
    ended = practiced("call", "get_user", "id=1")
    assert ended.code == 1
    assert "TypeError in call.py:" in ended.err
    assert "please report it" in ended.err
    assert "Traceback" not in ended.err
    assert "secret text" not in ended.err
    monkeypatch.setenv("CALLSHEET_DEBUG", "1")
    assert "Traceback" in practiced("call", "get_user", "id=1").err


@pytest.mark.parametrize(
    ("text", "told"),
    [("1 / 0\n", "'models' raised ZeroDivisionError: division by zero"), ("x = (\n", "(models.py, line 1)")],
)
def test_a_module_of_the_users_that_fails_is_named(callsheet, sheet, tmp_path, text, told):

    (tmp_path / "models.py").write_text(text)
    sheet('callsheet: 1\nservices: {s: {base_url: "http://x", operations: {o: {get: /, returns: models:User}}}}\n')
    for command in (["check"], ["call", "o"]):
        ended = callsheet(*command)
        assert ended.code == 2
        assert told in ended.out + ended.err
        assert "defect" not in ended.err


def test_options_of_the_sheet_may_stand_before_the_command(practice, callsheet, monkeypatch):
    monkeypatch.setenv("PRACTICE_URL", practice.url)
    assert json.loads(callsheet("--file", SHEET, "call", "get_user", "id=1").out)["id"] == 1


def test_version_and_help():
    assert spawn("--version").stdout.startswith(b"callsheet ")
    shown = spawn("--help").stdout.decode()
    commands = ("call", "request", "list", "check", "init", "import", "schema", "demo", "practice", "completion")
    assert [name for name in commands if f"\n  {name} " not in shown] == []


@pytest.mark.parametrize("name", ["call", "request", "list", "check", "init", "import", "schema", "practice"])
def test_each_command_has_examples(callsheet, capsys, name):
    assert callsheet(name, "--help").code == 0
    assert f"\n    callsheet {name}" in capsys.readouterr().out


def test_help_loads_no_command():
    script = "import sys; sys.argv = ['callsheet', '--help']\nfrom callsheet.cli import main\ntry: main()\nexcept SystemExit: pass\n"
    script += (
        "print([name for name in sys.modules if name.startswith('callsheet.cli.commands.')], 'rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=30)
    assert done.stdout.splitlines()[-1] == "[] False"
