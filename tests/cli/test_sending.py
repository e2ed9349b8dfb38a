"""Forms, files and whole bodies, typed as items, against the practice API."""

import hashlib
import io
import json
import os
import shlex
import subprocess
import sys

import pytest

from callsheet.practice import SHEET
from tests.cli.conftest import COMMAND, spawn

OPERATIONS = """
callsheet: 1
services:
  practice:
    base_url: "${PRACTICE_URL}"
    operations:
      login:
        post: /echo/login
        form: {user: string, age: integer, card: object, tag: {type: array, items: {type: string}}}
      any_form: {post: /echo/any, form: object}
      photo: {put: /echo/photo, multipart: {title: string, count: integer, photo: file}}
      album: {post: /uploads, multipart: {photo: {type: file, required: true}}}
      rows: {post: /uploads, content: text/csv}
      json: {post: /echo/json, json: object}
"""


@pytest.fixture
def declared(practice, callsheet, sheet, monkeypatch):
    """The command line on a sheet that declares every kind of body."""
    monkeypatch.setenv("PRACTICE_URL", practice.url)
    sheet(OPERATIONS)
    return callsheet


def echoed(ended):
    """What arrived."""
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def content_type(echo):
    return dict(echo["headers"]).get("content-type")


def parts(echo):
    """The parts of a multipart body that arrived as text."""
    boundary = content_type(echo).partition("boundary=")[2]
    return echo["text"].replace(boundary, "B").split("\r\n")


@pytest.mark.parametrize(
    ("items", "text"),
    [
        (["a=1", "b=x y"], "a=1&b=x+y"),
        (["a=1", "b=2", "a=3"], "a=1&b=2&a=3"),
        (["card[number]=1", "card[holder][name]=Ada"], "card%5Bnumber%5D=1&card%5Bholder%5D%5Bname%5D=Ada"),
        (["n:=7", "on:=true", 'deep:={"k": [1, 2]}', "gone:=null"], "n=7&on=true&deep%5Bk%5D=1&deep%5Bk%5D=2"),
        (["ü=é&="], "%C3%BC=%C3%A9%26%3D"),
        ([], ""),
    ],
)
def test_a_form(practiced, items, text):
    echo = echoed(practiced("request", "POST", "/echo/x", "--form", *items))
    assert (echo["text"], content_type(echo)) == (text, "application/x-www-form-urlencoded")


def test_files_make_it_multipart(practiced, sheet):
    sheet("one", "a.txt")
    sheet('{"n": 2}', "b.json")
    words = ["title=Me", "n:=7", "doc@a.txt", "doc@b.json", 'other@a.txt;type=text/x; charset=utf-8;filename=o "q".x']
    for flag in ([], ["--form"]):
        assert parts(echoed(practiced("request", "POST", "/echo/x", *words, *flag))) == [
            "--B", 'Content-Disposition: form-data; name="title"', "", "Me",
            "--B", 'Content-Disposition: form-data; name="n"', "", "7",
            "--B", 'Content-Disposition: form-data; name="doc"; filename="a.txt"', "Content-Type: text/plain", "", "one",
            "--B", 'Content-Disposition: form-data; name="doc"; filename="b.json"', "Content-Type: application/json", "",
            '{"n": 2}',
            "--B", 'Content-Disposition: form-data; name="other"; filename="o %22q%22.x"',
            "Content-Type: text/x; charset=utf-8", "", "one", "--B--", "",
        ]  # fmt: skip


def test_a_file_is_the_whole_body(practiced, tmp_path):
    content = bytes(range(256)) * 1000
    (tmp_path / "body.png").write_bytes(content)
    told = echoed(practiced("request", "PUT", "/uploads", "@body.png"))
    assert told["sha256"] == hashlib.sha256(content).hexdigest()
    assert (told["size"], told["content_length"], told["content_type"]) == (256_000, 256_000, "image/png")
    told = echoed(practiced("request", "PUT", "/uploads", "@body.png;type=x/y"))
    assert told["content_type"] == "x/y"
    told = echoed(practiced("request", "PUT", "/uploads", "@body.png", "Content-Type:a/b"))
    assert told["content_type"] == "a/b"
    assert echoed(practiced("request", "PUT", "/uploads", "@body.png", "Content-Type:"))["content_type"] is None


def test_stdin_is_the_whole_body_or_a_part_and_sent_in_chunks(practice):
    env = {"PRACTICE_URL": practice.url, "CALLSHEET_FILE": str(SHEET)}
    content = os.urandom(300_000)
    pipe = f"cat | {shlex.join(COMMAND)} request POST /uploads @-"
    done = subprocess.run(
        ["bash", "-c", pipe], input=content, capture_output=True, env={**os.environ, **env}, timeout=30, check=False
    )
    told = json.loads(done.stdout)
    assert (told["sha256"], told["content_length"]) == (hashlib.sha256(content).hexdigest(), None)
    done = spawn("request", "POST", "/echo/x", "rows@-;type=text/csv", stdin=b"1,2", env=env)
    assert parts(json.loads(done.stdout))[1:3] == [
        'Content-Disposition: form-data; name="rows"; filename="rows"', "Content-Type: text/csv",
    ]  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="names a pipe as Unix does")
def test_a_named_pipe_is_read_once(practice):
    env = {**os.environ, "PRACTICE_URL": practice.url, "CALLSHEET_FILE": str(SHEET)}
    line = f"{shlex.join(COMMAND)} request POST /uploads @<(printf abc)"
    done = subprocess.run(["bash", "-c", line], capture_output=True, env=env, timeout=30, check=False)
    assert json.loads(done.stdout)["sha256"] == hashlib.sha256(b"abc").hexdigest()


def test_stdin_is_never_read_unasked(practiced, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("not to be read"))
    assert echoed(practiced("request", "POST", "/echo/x"))["size"] == 0
    assert sys.stdin.read() == "not to be read"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["@a", "@b"], "`@...` and `@...`: a request has one body"),
        (["@a", "n=1", "f@a"], "`@...` gives the body whole; leave out the fields 'n', 'f'"),
        (["--json", "1", "@a"], "--json and `@...`: a request has one body"),
        (["--json", "1", "n=1"], "--json gives the body whole; leave out the fields 'n'"),
        (["--json", "1", "--form"], "--form and --json contradict each other"),
        (["@missing"], "file 'missing': No such file or directory"),
        (["f@missing"], "file 'missing': No such file or directory"),
        (["f@."], "file .: expected a regular file"),
        (["f@a;type=nonsense"], "'nonsense' is not a media type"),
        (["--continue"], "name its file with --download"),
        (["--stream", "--download", "x"], "--stream and --download contradict each other"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_sent(practiced, sheet, words, message):
    sheet("a", "a")
    ended = practiced("request", "POST", "/echo/x", *words)
    assert (ended.code, ended.out, message in ended.err) == (2, "", True), ended.err


def test_declared_forms(declared):
    echo = echoed(declared("call", "login", "user=Ada", "age=36", "card[number]=1", "card[cvc]=2", "tag=a", "tag=b"))
    assert echo["text"] == "user=Ada&age=36&card%5Bnumber%5D=1&card%5Bcvc%5D=2&tag=a&tag=b"
    echo = echoed(declared("call", "any_form", "--form", "x=1", "y[a][b]=2", "y[a][c]:=3", "z[]=4"))
    assert sorted(echo["text"].split("&")) == ["x=1", "y%5Ba%5D%5Bb%5D=2", "y%5Ba%5D%5Bc%5D=3", "z%5B%5D=4"]


def test_declared_files(declared, sheet):
    sheet("pixels", "me.png")
    echo = echoed(declared("call", "photo", "count=7", "title=Me", "photo@me.png"))
    assert [line for line in parts(echo) if line and not line.startswith("--")] == [
        'Content-Disposition: form-data; name="title"', "Me",
        'Content-Disposition: form-data; name="count"', "7",
        'Content-Disposition: form-data; name="photo"; filename="me.png"', "Content-Type: image/png", "pixels",
    ]  # fmt: skip
    assert parts(echoed(declared("call", "photo", "photo@me.png", "photo@me.png"))).count("pixels") == 2


def test_declared_content(declared, sheet):
    sheet("1,2", "rows.csv")
    for words in (["@rows.csv"], ["content@rows.csv"], ["content=1,2"], ["content=@rows.csv"]):
        told = echoed(declared("call", "rows", *words))
        assert (told["sha256"], told["content_type"]) == (hashlib.sha256(b"1,2").hexdigest(), "text/csv")
    assert echoed(declared("call", "rows", "@rows.csv;type=text/x"))["content_type"] == "text/x"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["photo", "foto@a"], "`photo` declares no such file; it takes `photo`"),
        (["json", "@a"], "it takes no files; `--json @file` sends it as JSON, `name=@file` sends a file's text"),
        (["json", "x=1", "--form"], "the sheet says what `json` sends"),
        (["login", "age=x"], "`age` (form, integer)"),
        (["login", "card[n]=1", 'card:={"n": 2}'], "`card` is given in two ways"),
        (["login", "card[n]=1", "card[n][m]=1"], "give it one way"),
        (["album"], "`photo` (multipart, file): missing"),
        (["rows"], "`content` (body, text/csv): missing"),
    ],
)
def test_what_the_sheet_does_not_declare_is_refused(declared, sheet, words, message):
    sheet("a", "a")
    ended = declared("call", *words)
    assert (ended.code, ended.out, message in ended.err) == (2, "", True), ended.err


def test_dry_run_shows_bodies_and_reads_no_file(declared, sheet):
    sheet("pixels", "me.png")
    assert declared("call", "login", "user=a b", "--dry-run").out.endswith("\n\nuser=a+b\n")
    shown = declared("call", "photo", "title=Me", "photo@me.png", "--dry-run").out
    assert "\n\nMe\n" in shown
    assert '; filename="me.png"\nContent-Type: image/png\n\n<6 bytes of me.png>\n' in shown
    assert "pixels" not in shown
    assert declared("call", "rows", "@me.png", "--dry-run").out.endswith("\n<6 bytes of me.png>\n")


def test_headers_are_taken_out_and_sent_empty(practiced):
    echo = echoed(practiced("request", "GET", "/echo/x", "user-agent:", "X-Empty;"))
    headers = dict(echo["headers"])
    assert "user-agent" not in headers
    assert headers["x-empty"] == ""
    assert "User-Agent" not in practiced("call", "echo", "word=x", "User-Agent:", "--dry-run").out


def test_a_limit_holds_for_an_upload(practiced, sheet):
    sheet("x" * 1000, "f")
    ended = practiced("request", "POST", "/slow", "seconds==30", "f@f", "--timeout", "300ms")
    assert (ended.code, ended.out) == (6, "")


def test_list_names_the_fields_of_bodies(declared):
    rows = {line.split("\t")[0]: line.split("\t")[3] for line in declared("list").out.splitlines()}
    assert rows["practice.login"] == "user? age? card? tag?"
    assert rows["practice.photo"] == "title? count? photo@?"
    assert (rows["practice.any_form"], rows["practice.rows"]) == ("{}", "content")
    kinds = {record["operation"]: record["body"] for record in json.loads(declared("list", "-o", "json").out)}
    assert kinds == {
        "login": "form", "any_form": "form", "photo": "multipart", "album": "multipart", "rows": "content", "json": "json",
    }  # fmt: skip


def test_null_is_sent_as_null_and_an_empty_text_as_one(declared):
    for words in (
        ["call", "json", "id:=1", "note:=null", "name="],
        ["request", "POST", "/echo/json", "id:=1", "note:=null", "name="],
    ):
        assert echoed(declared(*words))["json"] == {"id": 1, "note": None, "name": ""}
        assert '{"id":1,"note":null,"name":""}' in declared(*words, "--dry-run").out
        assert '{"id":1,"note":null,"name":""}' in declared(*words, "--curl").out
    assert echoed(declared("call", "login", "user=", "age:=null"))["text"] == "user="
    assert echoed(declared("call", "json", "--json", '{"note": null}'))["json"] == {"note": None}
