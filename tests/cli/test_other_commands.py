"""init, schema, completion, practice, demo."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from click.shell_completion import get_completion_class

from callsheet.cli import completion
from callsheet.cli.app import commands
from callsheet.practice import SHEET
from callsheet.sheet.words.operation import LOCATIONS, Parameter
from callsheet.sheet.words.operations import METHODS
from callsheet.values.typeref import TypeRef
from tests.cli.conftest import COMMAND, spawn


def test_init_writes_a_sheet_that_checks_and_overwrites_nothing(callsheet, tmp_path):
    assert callsheet("init", "--name", "shop", "--base-url", "https://shop.example.com/v1").code == 0
    path = tmp_path / "callsheet.yaml"
    text = path.read_text()
    assert callsheet("check").code == 0
    assert "shop.create_user\tPOST\t/users" in callsheet("list").out
    again = callsheet("init")
    assert (again.code, "is left as it is" in again.err) == (2, True)
    assert path.read_text() == text


def test_init_names_a_schema_for_editors_only_if_it_is_there(callsheet, tmp_path):
    callsheet("init")
    assert "yaml-language-server" not in (tmp_path / "callsheet.yaml").read_text()
    (tmp_path / "callsheet.schema.json").write_text("{}")
    assert callsheet("init", "--file", "other.yaml").code == 0
    first, second = (tmp_path / "other.yaml").read_text().splitlines()[:2]
    assert first == "# yaml-language-server: $schema=callsheet.schema.json"
    assert second.startswith("# The APIs we call.")
    assert callsheet("check", "--file", "other.yaml").code == 0


def test_the_first_sheet_fits_the_practice_api(callsheet, practice):
    callsheet("init", "--base-url", practice.url)
    assert json.loads(callsheet("call", "get_user", "id=1").out)["id"] == 1
    assert callsheet("call", "create_user", "name=Ada", "email=first-sheet@example.com").code == 0


def test_each_commented_line_of_the_first_sheet_is_right(callsheet, tmp_path, monkeypatch):
    callsheet("init")
    path = tmp_path / "callsheet.yaml"
    lines = path.read_text().splitlines()
    for variable in ("API_TOKEN", "API_PASSWORD", "API_KEY"):
        monkeypatch.setenv(variable, "a-secret-value")
    for kind in ("bearer", "basic", "api_key"):
        path.write_text("\n".join(re.sub(rf"# (auth: {{{kind}:)", r"\1", line) for line in lines))
        assert callsheet("check").code == 0, kind
    path.write_text(
        "\n".join(re.sub(r"^# (default_environment|environments|  prod|  dev)", r"\1", line) for line in lines)
    )
    assert callsheet("check").err.endswith("ok (dev, prod)\n")


def test_init_refuses_a_name_or_url_that_no_sheet_takes(callsheet, tmp_path):
    assert callsheet("init", "--base-url", "shop").code == 2
    assert callsheet("init", "--name", "a b").code == 2
    assert not (tmp_path / "callsheet.yaml").exists()


def test_the_schema_is_json(callsheet):
    assert json.loads(callsheet("schema").out)["$schema"].startswith("https://json-schema.org/")


@pytest.fixture
def completed(monkeypatch):
    """What a shell is given for the words typed so far; the last one is unfinished."""
    monkeypatch.setenv("CALLSHEET_FILE", str(SHEET))

    def asking(shell, *words):
        line = " ".join(["callsheet", *words])
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", words[-1] if shell == "fish" else str(len(words)))
        return get_completion_class(shell)(commands, {}, "callsheet", "_CALLSHEET_COMPLETE").complete()

    return asking


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_offered_operations_and_parameters(completed, shell):
    offered = completed(shell, "call", "practice.get")
    assert "practice.get_user" in offered
    assert "list_users" not in offered
    offered = completed(shell, "call", "practice.list_users", "s")
    assert "status=" in offered
    assert "size=" in offered
    assert "page=" not in offered


def test_a_file_is_offered_with_its_own_sign(callsheet, sheet):
    sheet(
        "callsheet: 1\nservices: {s: {base_url: http://x, operations: {o: {post: /, multipart: {a: string, b: file}}}}}\n"
    )
    done = spawn(env={"COMP_WORDS": "callsheet call o ", "COMP_CWORD": "3", "_CALLSHEET_COMPLETE": "bash_complete"})
    assert done.stdout.split() == [b"plain,a=", b"plain,b@"]


def test_names_come_without_the_service_where_there_is_one(completed):
    assert "plain,get_user" in completed("bash", "call", "get_u")
    assert "plain,x_request_id=" in completed("bash", "call", "echo", "x")
    assert "plain,practice" in completed("bash", "request", "pr")
    assert "plain,GET" in completed("bash", "request", "practice", "G")


@pytest.mark.parametrize(
    "text", ["", "services: [", "services: {s: 3}", "services:\n  s: {operations: {o: 1}}", "\x00"]
)
def test_a_broken_sheet_offers_nothing_and_says_nothing(completed, tmp_path, capfd, text):
    (tmp_path / "broken.yaml").write_text(text)
    assert completed("bash", "call", "--file", "broken.yaml", "x") == ""
    assert completed("bash", "call", "--file", "broken.yaml", "x", "y") == ""
    assert capfd.readouterr() == ("", "")


def test_completion_knows_the_methods_and_locations_of_the_sheet():
    assert tuple(method.upper() for method in METHODS) == completion.METHODS
    assert completion.LOCATIONS == LOCATIONS
    for name in ("a", "aB", "X-Request-Id", "x.y"):
        named = Parameter(name, "header", TypeRef("name", "string"))
        assert completion.argument(name, "header") == named.argument


def test_nothing_is_required_for_a_completion(tmp_path):
    (tmp_path / "callsheet.yaml").write_text(
        'callsheet: 1\nservices: {s: {base_url: "${NOT_SET}", operations: {only: {get: /}}}}\n'
    )
    variables = {"COMP_WORDS": "callsheet call o", "COMP_CWORD": "2", "_CALLSHEET_COMPLETE": "bash_complete"}
    done = spawn(env=variables)
    assert (done.stdout, done.stderr) == (b"plain,only\n", b"")


@pytest.mark.needs("bash")
def test_bash_takes_the_script(callsheet):
    script = callsheet("completion", "bash").out
    words = 'COMP_WORDS=(callsheet call practice.list_u); COMP_CWORD=2; _callsheet_completion callsheet; echo "${COMPREPLY[@]}"'
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "CALLSHEET_FILE": str(SHEET)}
    done = subprocess.run(
        ["bash", "-c", f"{script}\n{words}"], env=env, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stdout == "practice.list_users\n", done.stderr


@pytest.mark.parametrize(("shell", "sign"), [("zsh", "compdef"), ("fish", "complete --no-files --command callsheet")])
def test_the_scripts_of_other_shells(callsheet, shell, sign):
    assert sign in callsheet("completion", shell).out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_reads_its_script(callsheet, shell, tmp_path):
    from tests.needs import program

    if program(shell) is None:
        pytest.skip(f"needs {shell}")
    (tmp_path / "script").write_text(callsheet("completion", shell).out)
    subprocess.run([program(shell), "-n", tmp_path / "script"], check=True, timeout=30)


def test_practice_serves_until_ctrl_c():
    process = subprocess.Popen([*COMMAND, "practice", "--port", "0"], stderr=subprocess.PIPE, text=True)
    try:
        url = re.search(r"http://\S+", process.stderr.readline())[0]
        with urllib.request.urlopen(f"{url}/users/1") as answer:
            assert json.load(answer)["id"] == 1
        process.send_signal(signal.SIGINT)
        process.wait(10)
    finally:
        process.kill()
        process.communicate()


def test_the_demo_shows_what_it_must(practice):
    done = spawn("demo", env={"CALLSHEET_FILE": "elsewhere.yaml", "PRACTICE_URL": "http://127.0.0.1:1"})
    shown = done.stdout.decode()
    assert (done.returncode, done.stderr) == (0, b""), shown
    assert re.findall(r"^   exit (\d+)", shown, re.MULTILINE) == [
        "0",
        "0",
        "0",
        "0",
        "4",
        "0",
        "6",
        "1",
        "0",
        "0",
        "0",
        "0",
        "0",
    ]
    assert "attempt 3: GET" in shown
    assert "* a token from http://127.0.0.1:" in shown
    assert '"arrived": 1' in shown
    assert "\x1b" not in shown
    assert "13 of 13 steps ended as they must, in " in shown
    assert "       get_user:" in shown
    assert '    user = client.call("get_user", id=1)' in shown
    assert "Grace Hopper grace@example.com\n" in shown
    assert "practice.get_user: GET /users/{id}: 404 Not Found: there is no user '99'" in shown
    assert_it_goes_on(shown, practice)


def assert_it_goes_on(shown, practice):
    """The closing commands work as they are printed."""
    enter, serve, *others = shown.partition("To go on by yourself:\n")[2].splitlines()
    folder = Path(shlex.split(enter)[1])
    assert sorted(path.name for path in folder.iterdir()) == ["call.py", "callsheet.yaml"]
    assert shlex.split(serve, comments=True)[-1] == "practice"
    for line in others:
        told = subprocess.run(
            ["bash", "-c", f"{enter.strip()}\n{line}"],
            capture_output=True,
            text=True,
            timeout=30,
            env={**os.environ, "PRACTICE_URL": practice.url},
            check=True,
        )
        assert "Grace Hopper" in told.stdout
    served = subprocess.Popen(
        ["bash", "-c", f"{enter.strip()}\nexec {serve.strip()}"], stderr=subprocess.PIPE, text=True
    )
    try:
        assert served.stderr.readline()
    finally:
        served.kill()
        served.communicate()
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("shop.get_user", "callsheet call shop.get_user"),
        ("get_user", "callsheet call get_user"),
        ("chek", "check"),
        ("GET", "callsheet request GET ..."),
        ("https://shop.test/x", "callsheet request https://shop.test/x ..."),
        ("/users", "callsheet request /users ..."),
    ],
)
def test_what_is_no_command_is_told_with_the_one_that_was_meant(callsheet, word, meant):
    ended = callsheet(word, "a=1")
    assert ended.code == 2
    assert f"no command `{word}`; did you mean `{meant}`?" in ended.err
