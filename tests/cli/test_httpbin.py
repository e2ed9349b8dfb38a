"""The client and the command line against httpbin, a server that nobody here wrote, through examples/httpbin.yaml."""

import json
from pathlib import Path

import pytest

from callsheet import AttemptTimeout, Client, DeadlinePassed, DecodeError, NotFound, ServerError, Sheet, Unauthorized

SHEET = Path(__file__).parents[2] / "examples" / "httpbin.yaml"


@pytest.fixture
def httpbin(callsheet, httpbin_server, monkeypatch):
    """The command line, on the example's sheet."""
    monkeypatch.setenv("HTTPBIN_URL", httpbin_server.url)

    def calling(*arguments, **options):
        return callsheet(arguments[0], "--file", SHEET, *arguments[1:], **options)

    return calling


@pytest.fixture
def client(httpbin_server):
    with Client(Sheet.load(SHEET, variables={"HTTPBIN_URL": httpbin_server.url})) as made:
        yield made


def test_the_sheet_checks_and_lists(httpbin):
    assert httpbin("check").code == 0
    assert "httpbin.anything\tGET\t/anything/{word}\tword tag?" in httpbin("list").out


def test_anything_comes_back(httpbin, client):
    echo = json.loads(httpbin("call", "anything", "word=a b/c", "tag=x", "tag=y").out)
    assert echo["args"] == {"tag": ["x", "y"]}
    assert echo["url"].endswith("/anything/a%20b/c?tag=x&tag=y")
    assert client.call("anything_post", word="w", name="Ada", age=36)["json"] == {"name": "Ada", "age": 36}


def test_typed_items_arrive_as_they_were_meant(httpbin):
    echo = json.loads(httpbin("call", "get", "since=2026-02-03", "page=2", "X-Trace:r-9", "tag=a").out)
    assert echo["args"] == {"since": "2026-02-03", "page": "2", "tag": "a"}
    assert echo["headers"]["X-Trace"] == "r-9"
    assert httpbin("call", "get", "page=0").code == 2


def test_a_json_body_arrives(httpbin, client):
    assert json.loads(httpbin("call", "post", "name=Ada", "age:=36").out)["json"] == {"name": "Ada", "age": 36}
    answer = client.call("put", json={"deep": [1, {"two": None}]})
    assert answer.json()["json"] == {"deep": [1, {"two": None}]}


def test_basic_auth(httpbin, client, monkeypatch):
    assert client.call("basic_auth", user="ada", password="lovelace") == {"authenticated": True, "user": "ada"}
    assert httpbin("call", "basic_auth", "user=ada", "password=lovelace").code == 0
    ended = httpbin("call", "basic_auth", "user=ada", "password=other")
    assert (ended.code, "Unauthorized" in ended.err) == (4, True)
    monkeypatch.setenv("HTTPBIN_PASSWORD", "other")
    assert httpbin("call", "basic_auth", "user=ada", "password=other").code == 0
    with pytest.raises(Unauthorized):
        client.call("basic_auth", user="ada", password="wrong")


def test_a_bearer_token_arrives(httpbin):
    assert json.loads(httpbin("call", "bearer").out)["token"] == "a-token-to-try-with"


@pytest.mark.parametrize(("status", "code"), [(200, 0), (204, 0), (302, 3), (404, 4), (418, 4), (500, 5), (503, 5)])
def test_a_status_is_an_exit_code(httpbin, status, code):
    assert httpbin("call", "status", f"code={status}", "--no-retry").code == code


def test_a_status_is_a_typed_error(client):
    with pytest.raises(NotFound):
        client.call("status", code=404)
    with pytest.raises(ServerError) as raised:
        client.service("httpbin", retry="off").call("status", code=503)
    assert raised.value.attempts == 1


def test_a_redirect_is_not_followed(httpbin):
    ended = httpbin("call", "redirect", "hops=2")
    assert ended.code == 3
    assert "redirected to /relative-redirect/1, and not followed" in ended.err


def test_a_late_answer_ends_in_time(httpbin, client):
    ended = httpbin("call", "delay", "seconds=9", "--timeout", "300ms")
    assert (ended.code, ended.out) == (6, "")
    with pytest.raises((DeadlinePassed, AttemptTimeout)):
        client.call("delay", seconds=9, timeout=0.3)


def test_coded_answers_are_decoded(httpbin, client):
    assert json.loads(httpbin("call", "gzip").out)["gzipped"] is True
    assert client.call("deflate").json()["deflated"] is True


def test_bytes_are_bytes(httpbin, client):
    assert len(client.call("bytes", size=5000).content) == 5000
    assert httpbin("call", "bytes", "size=0").code == 0


def test_html_where_a_type_is_declared(httpbin, client):
    with pytest.raises(DecodeError):
        client.call("html")
    ended = httpbin("call", "html")
    assert ended.code == 5
    assert ended.out.startswith("<!DOCTYPE html>")
    assert client.call("json")["slideshow"]["title"] == "Sample Slide Show"


def test_an_undeclared_request(httpbin, client):
    assert json.loads(httpbin("request", "DELETE", "/delete", "x==1").out)["args"] == {"x": "1"}
    assert client.get("/uuid").json()["uuid"]


def test_forms_and_files_arrive(httpbin, tmp_path):
    (tmp_path / "me.png").write_bytes(b"\x89PNG\r\n\x00")
    (tmp_path / "note.txt").write_text("h\u00e9llo", "utf-8")
    form = json.loads(httpbin("request", "POST", "/post", "-f", "a=1", "a=2", "card[n]=x y").out)
    assert form["form"] == {"a": ["1", "2"], "card[n]": "x y"}
    sent = json.loads(httpbin("request", "POST", "/post", "title=Me", "photo@me.png", "note@note.txt;type=text/x").out)
    assert sent["form"] == {"title": "Me"}
    assert sent["files"] == {"photo": "data:image/png;base64,iVBORw0KAA==", "note": "h\u00e9llo"}
    whole = json.loads(httpbin("request", "PUT", "/put", "@note.txt").out)
    assert (whole["data"], whole["headers"]["Content-Type"]) == ("h\u00e9llo", "text/plain")


def test_streams_and_downloads(httpbin, tmp_path):
    lines = httpbin("request", "GET", "/stream/3", "--stream", "-o", "ndjson").out.splitlines()
    assert [json.loads(line)["id"] for line in lines] == [0, 1, 2]
    assert httpbin("request", "GET", "/range/2000", "--download", "file", "-c").code == 0
    assert (tmp_path / "file").stat().st_size == 2000
