"""Calls as a user types them, against the practice API."""

import json

SHEET = """
callsheet: 1
services:
  shop:
    base_url: "{url}"
    operations:
      echo:
        post: /echo/{{word}}
        path: {{word: string}}
        query: {{count: integer, ratio: number, day: date, tag: {{type: array, items: {{type: string}}}}, on: boolean}}
        header: {{X-Request-Id: string}}
        json: models:Thing
"""
MODELS = """
from datetime import date
from pydantic import BaseModel

class Thing(BaseModel):
    name: str
    size: int = 1
    ready: bool = False
    made: date | None = None
    codes: list[int] = []
    note: str | None = None
"""


def test_a_post_with_typed_fields(practiced):
    ended = practiced("call", "practice.create_user", "name=Ada", "email=ada@example.com")
    assert ended.code == 0
    assert json.loads(ended.out)["name"] == "Ada"


def test_the_service_may_be_left_out_where_there_is_one(practiced):
    assert json.loads(practiced("call", "get_user", "id=1").out)["id"] == 1


def test_a_piped_answer_is_byte_for_byte_what_came(practiced):
    answer = practiced("call", "get_user", "id=1").out
    assert answer.startswith('{"id":1,')
    assert not answer.endswith("\n")


def test_each_item_becomes_a_value_of_its_declared_type(callsheet, sheet, tmp_path, practice):
    sheet(SHEET.format(url=practice.url))
    (tmp_path / "models.py").write_text(MODELS)
    ended = callsheet(
        *("call", "echo", "word=a/b", "count=3", "ratio==0.5", "day=2026-01-02", "tag=x", "tag=y", "on=true"),
        *("X-Request-Id:r-1", "X-More:m"),
        *("name=007", "size=12", "ready=true", "made=2026-03-04", "codes=1", "codes=2", "note=null"),
    )
    assert ended.code == 0, ended.err
    echo = json.loads(ended.out)
    assert echo["path"] == "/echo/a%2Fb"
    assert dict(echo["query"]) | {"tag": None} == {
        "count": "3", "ratio": "0.5", "day": "2026-01-02", "on": "true", "tag": None,
    }  # fmt: skip
    assert [value for name, value in echo["query"] if name == "tag"] == ["x", "y"]
    headers = {name.lower(): value for name, value in echo["headers"]}
    assert (headers["x-request-id"], headers["x-more"]) == ("r-1", "m")
    assert echo["json"] == {
        "name": "007", "size": 12, "ready": True, "made": "2026-03-04", "codes": [1, 2], "note": "null",
    }  # fmt: skip


def test_one_value_makes_an_array_of_one(callsheet, sheet, tmp_path, practice):
    sheet(SHEET.format(url=practice.url))
    (tmp_path / "models.py").write_text(MODELS)
    echo = json.loads(callsheet("call", "echo", "word=w", "name=n", "codes=5", "tag=only").out)
    assert echo["json"]["codes"] == [5]
    assert echo["query"] == [["tag", "only"]]


def test_all_that_does_not_fit_is_told_at_once(practiced):
    ended = practiced("call", "list_users", "page=x", "status=odd", "siz=3")
    assert ended.code == 2
    assert ended.out == ""
    assert "`page` (query, integer" in ended.err
    assert "one of active, blocked" in ended.err
    assert "did you mean `size`?" in ended.err


def test_a_query_item_must_name_a_declared_parameter(practiced):
    ended = practiced("call", "list_users", "pages==2")
    assert ended.code == 2
    assert "did you mean `page`?" in ended.err


def test_an_unknown_operation_service_or_command_names_the_nearest(practiced):
    assert "did you mean `get_user`?" in practiced("call", "get_usr", "id=1").err
    assert "did you mean `call`?" in practiced("cal", "get_user").err


def test_a_body_given_whole(practiced, tmp_path):
    (tmp_path / "user.json").write_text('{"name": "Lin", "email": "lin@example.com"}')
    assert json.loads(practiced("call", "create_user", "--json", "@user.json").out)["name"] == "Lin"
    ended = practiced("call", "create_user", "name=Ada", "--json", "{}")
    assert ended.code == 2
    assert "`json` gives the body whole" in ended.err


def test_no_retry_and_attempts(practiced):
    assert practiced("call", "flaky", "key=once", "failures=1", "--no-retry").code == 5
    assert practiced("call", "flaky", "key=twice", "failures=1", "--attempts", "2").code == 0
    ended = practiced("call", "flaky", "key=k", "--attempts", "2", "--no-retry")
    assert (ended.code, "contradict" in ended.err) == (2, True)


def test_verbose_tells_each_attempt_on_stderr(practiced):
    ended = practiced("call", "flaky", "key=told", "failures=1", "-v")
    assert json.loads(ended.out)["attempt"] == 2
    lines = [line for line in ended.err.splitlines() if line.startswith("*")]
    assert len(lines) == 3
    assert "attempt 1: GET" in lines[0]
    assert "-> 503 in" in lines[0]
    assert "again in" in lines[0]
    assert "-> 200 in" in lines[1]
    assert lines[2].startswith("* 2 attempts in")


def test_the_body_of_an_error_goes_to_stdout_and_the_reason_to_stderr(practiced):
    ended = practiced("call", "get_user", "id=99")
    assert ended.code == 4
    assert json.loads(ended.out)["status"] == 404
    assert "NotFound: practice.get_user: GET /users/{id}: 404 Not Found: there is no user '99'" in ended.err


def test_an_undeclared_request(practiced):
    echo = json.loads(practiced("request", "practice", "post", "/echo/x", "name=Ada", "age:=36", "q==1 2", "X-A:b").out)
    assert echo["method"] == "POST"
    assert echo["json"] == {"name": "Ada", "age": 36}
    assert echo["query"] == [["q", "1 2"]]
    assert ["x-a", "b"] in [[name.lower(), value] for name, value in echo["headers"]]
    assert json.loads(practiced("request", "GET", "/users?size=1").out)["size"] == 1


def test_an_undeclared_request_stays_on_its_service(practiced):
    ended = practiced("request", "GET", "//example.com/")
    assert ended.code == 2
    assert "stay on its base_url" in ended.err


def test_dry_run_shows_the_request_and_sends_nothing(practiced):
    before = practiced("call", "order_count", "key=dry").out
    ended = practiced("call", "order", "key=dry", "item=tea", "--dry-run")
    assert ended.out.startswith("POST http://127.0.0.1:")
    assert '{"item":"tea","quantity":1}' in ended.out
    assert practiced("call", "order_count", "key=dry").out == before


def test_what_a_command_needs_is_said(practiced):
    assert "expected SERVICE METHOD PATH or an http URL" in practiced("request", "GET").err
    assert "Missing argument" in practiced("call").err


def test_forms_of_output(practiced):
    assert practiced("call", "get_user", "id=1", "-o", "json").out.startswith('{\n  "id": 1,\n')
    assert practiced("call", "get_user", "id=1", "-o", "raw", terminal=True).out.startswith('{"id":1,')
    head = practiced("call", "get_user", "id=1", "-o", "headers").out
    assert head.startswith("HTTP/1.1 200 OK\n")
    assert "content-type: application/json" in head.lower()
    assert practiced("call", "get_user", "id=1", terminal=True).out.startswith('{\n  "id": 1,\n')
    assert "\x1b[" in practiced("call", "get_user", "id=1", terminal=True, colour=True).out
