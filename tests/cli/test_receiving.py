"""Answers as they come, line by line, and as files."""

import json
import os
import select
import shlex
import subprocess

import pytest

from callsheet.practice import SHEET
from callsheet.practice.downloads import content
from tests.cli.conftest import COMMAND
from tests.servers.actions import answer
from tests.servers.scripted import ScriptedServer

ONE = 'callsheet: 1\nservices:\n  s:\n    base_url: "{url}"\n    retry: off\n    operations:\n      get: {{get: /, stream: true}}\n'
LINES = [{"id": number, "name": f"item {number}"} for number in (1, 2, 3)]


def test_a_stream_is_written_as_it_came(practiced):
    ended = practiced("request", "GET", "/stream/3", "--stream")
    assert (ended.code, [json.loads(line) for line in ended.out.splitlines()]) == (0, LINES)


def test_each_line_is_there_when_it_comes(practice):
    env = {**os.environ, "PRACTICE_URL": practice.url, "CALLSHEET_FILE": str(SHEET)}
    process = subprocess.Popen(
        [*COMMAND, "request", "GET", "/stream/2", "pause==20", "-S"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env,
    )  # fmt: skip
    try:
        assert select.select([process.stdout], [], [], 15)[0]
        assert json.loads(os.read(process.stdout.fileno(), 65536)) == LINES[0]
        assert process.poll() is None
    finally:
        process.terminate()
        process.communicate()


def test_whoever_stops_reading_ends_an_endless_stream(practice):
    env = {**os.environ, "PRACTICE_URL": practice.url, "CALLSHEET_FILE": str(SHEET)}
    shell = f"set -o pipefail; {shlex.join(COMMAND)} request GET /stream/1000000 -S | head -n 1"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, timeout=30, check=False, env=env)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == LINES[0]


def test_ndjson_of_a_stream(practiced):
    ended = practiced("request", "GET", "/stream/2", "-S", "-o", "ndjson")
    assert ended.out == '{"id":1,"name":"item 1"}\n{"id":2,"name":"item 2"}\n'
    ended = practiced("request", "GET", "/events", "count==1", "-S", "-o", "ndjson")
    assert json.loads(ended.out) == {"id": "1", "event": "tick", "data": '{"number": 1,\n"of": 1}'}


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (b'[1, {"a": [2, 3]}, "x\\ny"]', '1\n{"a":[2,3]}\n"x\\ny"\n'),
        (b"[]", ""),
        (b'{\n "a": 1.50\n}\n', '{"a":1.5}\n'),
        (
            '{"n": "\u00fc\u2028"}\n\n{"m": 123456789012345678901}\n'.encode(),
            '{"n":"\u00fc\u2028"}\n{"m":123456789012345678901}\n',
        ),
        (b"", ""),
    ],
)
@pytest.mark.parametrize("way", [[], ["--stream"]])
def test_ndjson_of_an_answer(callsheet, sheet, body, lines, way):
    is_lines = b"\n\n" in body
    kind = "application/x-ndjson" if is_lines else "application/json"
    with ScriptedServer([answer(200, {"Content-Type": kind}, body)]) as server:
        sheet(ONE.format(url=server.url).replace(", stream: true", ""))
        ended = callsheet("call", "get", "-o", "ndjson", *way)
    assert (ended.code, ended.out) == (0, lines), ended.err


def test_ndjson_of_what_is_no_json(callsheet, sheet):
    page = answer(200, {"Content-Type": "text/html"}, b"<p>hello")
    with ScriptedServer([page, page]) as server:
        sheet(ONE.format(url=server.url).replace(", stream: true", ""))
        ended = callsheet("call", "get", "-o", "ndjson")
        streamed = callsheet("call", "get", "-o", "ndjson", "-S")
    assert (ended.code, ended.out) == (0, "<p>hello")
    assert "not JSON but text/html" in ended.err
    assert (streamed.code, streamed.out, "DecodeError" in streamed.err) == (5, "", True)


def test_an_operation_that_streams_is_streamed(callsheet, sheet, tmp_path):
    body = answer(200, {"Content-Type": "text/plain"}, b"one\x1b[2J\ntwo")
    with ScriptedServer([body] * 4) as server:
        sheet(ONE.format(url=server.url))
        assert callsheet("call", "get").out == "one\x1b[2J\ntwo"
        assert callsheet("call", "get", terminal=True).out == "one\\x1b[2J\ntwo\n"
        assert callsheet("call", "get", "-o", "headers").out.startswith("HTTP/1.1 200 OK\n")
        assert callsheet("call", "get", "--download", "file").out == ""
    assert (tmp_path / "file").read_bytes() == b"one\x1b[2J\ntwo"


@pytest.mark.parametrize(
    ("stream", "out"),
    [
        ("lines", '"id: 7"\n"data: 1"\n""\n'),
        ("events", '{"id":"7","event":"message","data":"1"}\n'),
        ("json_lines", ""),
        ("true", "id: 7\ndata: 1\n\n"),
    ],
)
def test_ndjson_of_an_operation_that_says_what_its_answer_is_made_of(callsheet, sheet, stream, out):
    body = answer(200, {"Content-Type": "application/json"}, b"id: 7\ndata: 1\n\n")
    with ScriptedServer([body]) as server:
        sheet(ONE.format(url=server.url).replace("stream: true", f"stream: {stream}"))
        ended = callsheet("call", "get", "-o", "ndjson")
    assert ended.out == out


def test_exit_codes_of_a_stream(practiced):
    ended = practiced("request", "GET", "/status/404", "-S")
    assert (ended.code, json.loads(ended.out)["status"]) == (4, 404)
    assert practiced("request", "GET", "/slow", "seconds==30", "-S", "-t", "200ms").code == 6
    ended = practiced("request", "GET", "/stream/2", "pause==30", "-S", "-t", "500ms")
    assert (ended.code, json.loads(ended.out)) == (6, LINES[0])
    assert practiced("request", "GET", "/bytes/1000", "cut==100", "-S").code == 1


def test_a_download(practiced, tmp_path):
    ended = practiced("request", "GET", "/bytes/100000", "--download", "file.bin")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.splitlines()[-1] == "callsheet: 100.0 kB in file.bin"
    assert (tmp_path / "file.bin").read_bytes() == content(0, 100_000)
    (tmp_path / "folder").mkdir()
    assert practiced("request", "GET", "/bytes/8", "x==1", "-d", "folder").code == 0
    assert (tmp_path / "folder" / "8").read_bytes() == content(0, 8)


def test_a_download_goes_on_where_it_broke_off(practiced, tmp_path):
    words = ["request", "GET", "/bytes/300000", "cut==100000", "-d", "file", "--no-retry"]
    ended = practiced(*words, "-c")
    assert (ended.code, "MalformedAnswer" in ended.err or "NoAnswer" in ended.err) == (1, True)
    assert not (tmp_path / "file").exists()
    assert "callsheet: 100.0 kB are kept in file.part; the same command goes on from there" in ended.err.splitlines()
    ended = practiced(*words, "--continue")
    assert (ended.code, ended.err.splitlines()[-1]) == (0, "callsheet: 300.0 kB in file, 100.0 kB of it from before")
    assert (tmp_path / "file").read_bytes() == content(0, 300_000)
    assert practiced(*words).code == 1


def test_what_is_no_file_is_not_written(practiced, tmp_path):
    ended = practiced("request", "GET", "/status/404", "-d", "file")
    assert (ended.code, json.loads(ended.out)["status"]) == (4, 404)
    ended = practiced("request", "GET", "/bytes/1", "-d", "nowhere/file")
    assert (ended.code, "there is no folder 'nowhere'" in ended.err) == (2, True)
    ended = practiced("request", "GET", "/", "-d", ".")
    assert (ended.code, "the URL names no file" in ended.err) == (2, True)
    ended = practiced("request", "GET", "/bytes/9?x=%2F", "-d", "file", "-t", "200ms", "--dry-run")
    assert (ended.code, ended.out.splitlines()[0].endswith("/bytes/9?x=%2F")) == (0, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["..%2Fescaped", "%2e%2e", "a%5Cb", "a%00b"])
def test_no_url_names_a_file_elsewhere(practiced, tmp_path, name):
    ended = practiced("request", "GET", f"/echo/{name}", "-d", ".")
    assert (ended.code, list(tmp_path.iterdir())) == (2, [])


def test_a_declared_operation_is_downloaded(practiced, tmp_path):
    assert practiced("call", "get_user", "id=1", "-d", "user.json", "-o", "headers").out.startswith("HTTP/1.1 200 OK")
    assert json.loads((tmp_path / "user.json").read_text())["id"] == 1
