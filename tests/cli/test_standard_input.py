"""The standard input as the body, a URL without a sheet, and what is printed of request and answer."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys

import pytest

from tests.cli.conftest import COMMAND, spawn
from tests.cli.test_process import on_terminal
from tests.servers import ScriptedServer, answer, answer_json

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes as Unix has them")
SHEET = """
callsheet: 1
services:
  s:
    base_url: "{url}"
    retry: off
    auth: {{bearer: "${{T}}"}}
    operations:
      create: {{post: /users, json: object}}
      change: {{patch: "/users/{{id}}", path: {{id: integer}}, query: {{dry: boolean}}, json: object}}
      put: {{put: /file, content: application/octet-stream}}
      login: {{post: /login, form: {{name: string, age: integer, share: number}}}}
      get: {{get: /users}}
      pay: {{post: /pay, json: "payments:Payment"}}
"""
PAYMENTS = """
from decimal import Decimal
from typing import Any

from pydantic import BaseModel


class Payment(BaseModel):
    price: Decimal
    rate: float | None = None
    any: Any = None
"""
OK = answer_json({"ok": True})


@pytest.fixture
def served(sheet, tmp_path, monkeypatch):
    monkeypatch.setenv("T", "canary-123456")
    (tmp_path / "payments.py").write_text(PAYMENTS)
    with ScriptedServer(OK) as server:
        sheet(SHEET.format(url=server.url))
        yield server


def bodies(server):
    return [request.body for request in server.requests]


@pytest.mark.parametrize(
    ("words", "stdin", "body"),
    [
        (["create"], b'{"name": "x"}\n', b'{"name":"x"}'),
        (["create"], b"\xef\xbb\xbf{}", b"{}"),
        (["create", "X-A:b"], b'{"name": "x"}', b'{"name":"x"}'),
        (["change", "id=7", "dry==true"], b'{"name": "x"}', b'{"name":"x"}'),
        (["put"], b"\x00\xff" * 100_000, b"\x00\xff" * 100_000),
        (["login"], b"name=A%20B&age=36\n", b"name=A+B&age=36"),
        (["create", "name=y"], b'{"name": "x"}', b'{"name":"y"}'),
        (["create", "a:=1"], b"no JSON", b'{"a":1}'),
        (["create", "--json", '{"b": 1}'], b"no JSON", b'{"b":1}'),
        (["create", "--ignore-stdin"], b"no JSON", b"{}"),
        (["create", "-I"], b"no JSON", b"{}"),
        (["create"], b"", b"{}"),
        (["get"], b"no JSON", b""),
        (
            ["create"],
            b'{"d": 12345678901234567890.123, "e": [1.10, 1e2]}',
            b'{"d":12345678901234567890.123,"e":[1.10,1e2]}',
        ),
        (
            ["create", "d:=12345678901234567890.123", 'e:={"f": -0.10}'],
            b"",
            b'{"d":12345678901234567890.123,"e":{"f":-0.10}}',
        ),
        (
            ["create", "--json", '{"d": 1.10, "n": 12345678901234567890123}'],
            b"",
            b'{"d":1.10,"n":12345678901234567890123}',
        ),
        (["pay", "price:=1.10", "rate:=1.10", "any:=[1.10]"], b"", b'{"price":"1.10","rate":1.1,"any":[1.10]}'),
        (["pay"], b'{"price": 12345678901234567890.123}', b'{"price":"12345678901234567890.123"}'),
        (["login", "name=x", "share:=1.10"], b"", b"name=x&share=1.10"),
    ],
)
def test_a_pipe_is_the_body_where_one_is_declared_and_no_item_gives_it(served, words, stdin, body):
    done = spawn("call", *words, stdin=stdin)
    assert (done.returncode, done.stderr) == (0, b"")
    assert bodies(served) == [body]


def test_so_is_a_file_but_not_what_else_stdin_may_be(served, tmp_path):
    (tmp_path / "body.json").write_text('{"name": "x"}')
    for redirected in ("< body.json", "< /dev/null", "<&-"):
        line = f"{shlex.join(COMMAND)} call create {redirected}"
        done = subprocess.run(["bash", "-c", line], capture_output=True, timeout=30, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
    assert bodies(served) == [b'{"name":"x"}', b"{}", b"{}"]
    assert on_terminal("call", "create", env={})[0] == 0


def test_a_socket_is_one_too(served):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(b'{"name": "x"}')
        ours.shutdown(socket.SHUT_WR)
        subprocess.run([*COMMAND, "call", "create"], stdin=theirs, capture_output=True, timeout=30, check=True)
    assert bodies(served) == [b'{"name":"x"}']


def test_who_waits_says_what_for(served):
    process = subprocess.Popen(
        [*COMMAND, "call", "create"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    told = process.stderr.readline()
    assert told == b"callsheet: waiting for the body on the standard input; `--ignore-stdin` sends none\n"
    process.communicate(b'{"late": true}', timeout=30)
    assert bodies(served) == [b'{"late":true}']


def test_with_items_an_open_pipe_is_not_waited_for(served):
    reading, writing = os.pipe()
    try:
        done = subprocess.run(
            [*COMMAND, "call", "create", "a=1"], stdin=reading, capture_output=True, timeout=30, check=False
        )
    finally:
        os.close(reading)
        os.close(writing)
    assert (done.returncode, done.stderr, bodies(served)) == (0, b"", [b'{"a":"1"}'])


@pytest.mark.parametrize(
    ("stdin", "told"),
    [
        (b'{"a": 1,\n "b": }', "expected JSON: expected value at line 2 column 7"),
        (b'{"a": "b', "expected JSON: a quote that is not closed at line 1 column 7"),
        (b"\x89PNG\xff", "it is not UTF-8 text (at byte 0)"),
        (b"null", "a body of `null` is not sent"),
    ],
)
def test_what_is_no_json_is_told_and_not_sent(served, stdin, told):
    done = spawn("call", "create", stdin=stdin)
    assert done.returncode == 2
    assert f"the standard input: {told}" in done.stderr.decode()
    assert served.requests == []


def test_of_an_undeclared_request_too(served):
    for words, stdin in (
        (["POST", "/x"], b'{"a": 1}'),
        (["PUT", "/x"], b"\x00\x01"),
        (["POST", "/x", "b=2"], b'{"a": 1}'),
        (["POST", "/x", "q==2"], b"[1]"),
        (["GET", "/x"], b'{"a": 1}'),
        (["DELETE", "/x"], b'{"a": 1}'),
    ):
        assert spawn("request", *words, stdin=stdin).returncode == 0
    assert bodies(served) == [b'{"a":1}', b"\x00\x01", b'{"b":"2"}', b"[1]", b"", b""]
    assert served.requests[0].header("Content-Type") == "application/json"
    assert "expected JSON" in spawn("request", "POST", "/x", stdin=b'{"a":').stderr.decode()


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://127.0.0.1:{port}/a?b=1", "/a?b=1"),
        ("HTTP://127.0.0.1:{port}", "/"),
        ("127.0.0.1:{port}/a#there", "/a"),
        ("localhost:{port}/a", "/a"),
        (":{port}/a", "/a"),
        (":{port}", "/"),
        (":{port}?b=1", "/?b=1"),
        ("://127.0.0.1:{port}/a", "/a"),
        ("//localhost:{port}/a", "/a"),
    ],
)
def test_a_url_needs_no_sheet(callsheet, url, target):
    with ScriptedServer(OK) as server:
        url = url.format(port=server.port)
        ended = callsheet("request", url)
        assert (ended.code, json.loads(ended.out), ended.err) == (0, {"ok": True}, "")
        assert callsheet("request", url, "name=Ada", "X-A:b").code == 0
        assert callsheet("request", "PUT", url, "name=Ada").code == 0
        assert [(each.method, each.target) for each in server.requests] == [
            ("GET", target),
            ("POST", target),
            ("PUT", target),
        ]
        assert server.requests[1].body == b'{"name":"Ada"}'
        assert callsheet("request", url, "--curl").out.startswith("curl")
        assert "http://" in callsheet("request", url, "--dry-run").out


@pytest.mark.parametrize("scheme", ["http://", ""])
def test_a_user_in_the_url_is_a_credential(callsheet, scheme):
    with ScriptedServer(OK) as server:
        ended = callsheet("request", f"{scheme}ada:canary%21x@127.0.0.1:{server.port}/a", "-v")
        assert server.requests[0].header("Authorization") == "Basic YWRhOmNhbmFyeSF4"
        assert "canary" not in ended.out + ended.err
        assert "Authorization: ***" in ended.err


def test_beside_a_sheet_its_services_are_meant_first(served, callsheet):
    assert callsheet("request", "GET", f"{served.url}/x").code == 0
    assert served.requests[0].header("Authorization") == "Bearer canary-123456"
    assert callsheet("request", f":{served.port}/x").code == 0
    assert served.requests[1].header("Authorization") is None
    assert "no service `nobody`" in callsheet("request", "nobody", "GET", "/x").err
    assert callsheet("request", "s.get", "a=1").code == 2
    assert callsheet("request", "s", f"127.0.0.1:{served.port}/x").code == 2
    assert len(served.requests) == 2


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://", "http://: expected a host name"),
        ("http://ada:canary@[::1/x", "http://***@[::1/x: Invalid IPv6 URL"),
        ("https://ada:canary@x:99999/", "https://***@x:99999/: a host or port that cannot be read"),
        (":99999/", "http://localhost:99999/: a host or port that cannot be read"),
        ("ftp://x/y", "expected SERVICE METHOD PATH or an http URL"),
    ],
)
def test_a_url_that_is_none_is_told(served, callsheet, url, told):
    ended = callsheet("request", url)
    assert ended.code == 2
    assert f"UsageError: {told}" in ended.err


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        ("H", [b"POST ", b"X-A: b"]),
        ("B", [b'{"name":"Ada"}']),
        ("h", [b"HTTP/1.1 200 OK"]),
        ("b", [b'{"ok": true}']),
        ("HhBb", [b"POST ", b'{"name":"Ada"}', b"HTTP/1.1 200 OK", b'{"ok": true}']),
        ("bH", [b"POST ", b'{"ok": true}']),
        ("", []),
    ],
)
@pytest.mark.parametrize("more", [[], ["--stream"]])
def test_the_parts_that_are_printed(served, parts, shown, more):
    done = spawn("call", "create", "name=Ada", "X-A:b", "-p", parts, *more)
    every = [b"POST ", b"X-A: b", b'{"name":"Ada"}', b"HTTP/1.1 200 OK", b'{"ok": true}']
    places = [done.stdout.find(each) for each in shown]
    assert places == sorted(places)
    assert [each for each in every if each in done.stdout] == sorted(
        {*shown} | ({b"X-A: b"} if "H" in parts else set()), key=every.index
    )
    assert done.stderr == b""
    assert b"canary" not in done.stdout


def test_an_error_is_printed_in_parts_as_well(sheet, callsheet, monkeypatch):
    monkeypatch.setenv("T", "canary-123456")
    with ScriptedServer(answer(422, {"X-B": "c"}, b"no")) as server:
        sheet(SHEET.format(url=server.url))
        ended = callsheet("call", "create", "name=Ada", "-p", "Bh")
        assert (ended.code, ended.out.splitlines()[0]) == (4, '{"name":"Ada"}')
        assert "X-B: c" in ended.out
        assert not ended.out.endswith("no")


def test_without_an_answer_the_request_is_shown(sheet, callsheet, monkeypatch):
    monkeypatch.setenv("T", "canary-123456")
    sheet(SHEET.format(url="http://127.0.0.1:9"))
    ended = callsheet("call", "create", "name=Ada", "-v")
    assert (ended.code, ended.out) == (1, "")
    assert "POST http://127.0.0.1:9/users\n" in ended.err
    assert '{"name":"Ada"}' in ended.err
    assert "Authorization: ***" in ended.err
    assert callsheet("call", "create", "name=Ada", "-p", "B").out == '{"name":"Ada"}\n'


def test_parts_that_are_none_are_told(callsheet):
    assert "expected some of H, B" in callsheet("call", "x", "-p", "Hx").err


def test_verbose_tells_request_and_answer_on_stderr_and_the_body_is_data(served):
    done = spawn("call", "create", "name=Ada", "-v")
    assert json.loads(done.stdout) == {"ok": True}
    told = done.stderr.decode()
    assert "POST http://" in told
    assert "Authorization: ***" in told
    assert '{"name":"Ada"}' in told
    assert "HTTP/1.1 200 OK" in told
    assert "\x1b" not in told
    assert "canary" not in told


def test_on_a_terminal_they_are_coloured(served):
    code, shown = on_terminal("call", "create", "name=Ada", "-v", env={})
    assert code == 0
    assert "\x1b[1mPOST http://" in shown
    assert "\x1b[36mAuthorization\x1b[0m: ***" in shown
    assert "\x1b[1mHTTP/1.1 200 OK" in shown
    code, shown = on_terminal("call", "create", "name=Ada", "-p", "HhBb", env={"NO_COLOR": "1"})
    assert "\x1b" not in shown
    assert '"name": "Ada"' in shown


@pytest.mark.parametrize("words", [[], ["-o", "raw"], ["-o", "json"], ["-o", "ndjson"], ["--stream"], ["-p", "hb"]])
@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("image/jpeg", b"\xff\xd8\xff\xe0" * 30),
        ("application/octet-stream", b"\x1b]0;owned\x07\x80\x00"),
        ("text/plain", b"\xff\xfe\xfd\xfc\xfb\xfa\xff\xff"),
        ("", bytes(range(256))),
    ],
)
def test_binary_data_never_reach_a_terminal(sheet, monkeypatch, words, kind, content):
    monkeypatch.setenv("T", "canary-123456")
    with ScriptedServer(answer(200, {"Content-Type": kind} if kind else {}, content)) as server:
        sheet(SHEET.format(url=server.url))
        _, shown = on_terminal("call", "get", *words, env={"NO_COLOR": "1"})
    if words not in (["--stream", "-o", "json"],):
        assert f"{len(content)} bytes of {kind or 'an unnamed type'}, not shown on a terminal" in shown
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "\ufffd" not in shown


@pytest.mark.parametrize(
    ("kind", "content", "shown"),
    [
        ("text/plain; charset=utf-16", "Grüße".encode("utf-16"), "Grüße"),
        ("text/plain", b"na\xefve text, in another charset", "ve text, in another charset"),
        ("application/octet-stream", b"plain after all", "plain after all"),
    ],
)
def test_text_in_any_charset_does(sheet, callsheet, monkeypatch, kind, content, shown):
    monkeypatch.setenv("T", "canary-123456")
    with ScriptedServer(answer(200, {"Content-Type": kind}, content)) as server:
        sheet(SHEET.format(url=server.url))
        assert shown in callsheet("call", "get", terminal=True).out


NUMBERS = b'{"price":1.1,"big":12345678901234567890.123,"many":[100.0,7]}'


@pytest.mark.parametrize("form", [[], ["-o", "json"], ["-o", "ndjson"]])
def test_numbers_are_printed_with_the_digits_that_they_have(form):
    with ScriptedServer([answer(200, {"Content-Type": "application/json"}, NUMBERS)] * 2) as server:
        url = f"127.0.0.1:{server.port}/x"
        assert b"".join(spawn("request", url, *form).stdout.split()) == NUMBERS
        code, shown = on_terminal("request", url, "rate:=1.10", *form, "-v", env={"COLUMNS": "200"})
    shown = "".join(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).split())
    assert code == 0
    assert NUMBERS.decode() in shown
    assert '{"rate":1.10}' in shown
