"""`callsheet call OPERATION --all`."""

import csv
import io
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from callsheet.practice import SHEET
from tests.cli.conftest import COMMAND
from tests.servers.actions import answer, silence
from tests.servers.scripted import ScriptedServer

KINDS = ("items_by_page", "items_by_offset", "items_by_cursor", "items_by_next", "items_by_link")
PAGED = """
callsheet: 1
services:
  s:
    base_url: "{url}"
    retry: off
    operations:
      list: {{get: /, paginate: {{page: page, items: results}}}}
"""
JSON = {"Content-Type": "application/json"}


def page(*items):
    return answer(200, JSON, json.dumps({"results": list(items)}).encode())


def position_in(text):
    return next(line for line in text.splitlines() if "--from " in line).rpartition("--from ")[2].strip()


@pytest.mark.parametrize("kind", KINDS)
def test_every_item_is_a_line(practiced, kind):
    ended = practiced("call", kind, "--all")
    assert ended.code == 0
    assert [json.loads(line)["id"] for line in ended.out.splitlines()] == list(range(1, 251))
    assert "250 items on 3 pages in " in ended.err


@pytest.mark.parametrize("kind", KINDS)
def test_it_ends_after_so_many_pages_and_goes_on_there(practiced, kind):
    first = practiced("call", kind, "--all", "--max-pages", "2")
    assert (first.code, len(first.out.splitlines())) == (0, 200)
    rest = practiced("call", kind, "--all", "--from", position_in(first.err))
    assert [json.loads(line)["id"] for line in rest.out.splitlines()] == list(range(201, 251))
    assert "--from" not in rest.err


def test_the_items_as_one_array(practiced):
    ended = practiced("call", "items_by_page", "--all", "-o", "json", "total=3")
    assert json.loads(ended.out) == [{"id": n, "name": f"item {n}"} for n in (1, 2, 3)]
    assert practiced("call", "items_by_page", "--all", "-o", "json", "total=0").out == "[]\n"
    assert len(json.loads(practiced("call", "items_by_cursor", "--all", "-o", "json").out)) == 250


def test_the_items_as_a_table(practiced):
    ended = practiced("call", "items_by_link", "--all", "-o", "csv")
    rows = list(csv.DictReader(io.StringIO(ended.out)))
    assert (rows[0], len(rows)) == ({"id": "1", "name": "item 1"}, 250)


def test_cells_that_hold_more_than_a_text_are_json(callsheet, sheet):
    first = page({"id": 1, "tags": ["a", "b"], "ok": True, "none": None}, {"id": 2, "name": 'say "hi", twice'})
    with ScriptedServer([first, page({"id": 3, "late": 1}), page()]) as server:
        sheet(PAGED.format(url=server.url))
        ended = callsheet("call", "list", "--all", "-o", "csv")
    assert list(csv.reader(io.StringIO(ended.out))) == [
        ["id", "tags", "ok", "none", "name"],
        ["1", '["a","b"]', "true", "", ""],
        ["2", "", "", "", 'say "hi", twice'],
        ["3", "", "", "", ""],
    ]
    assert "`late` came after the first page" in ended.err


@pytest.mark.parametrize("form", ["csv", "json", "ndjson"])
def test_no_item_steers_a_terminal(callsheet, sheet, form):
    with ScriptedServer([page({"id": "\x1b[2J", "\x9b": "\x9d0;x"}), page()]) as server:
        sheet(PAGED.format(url=server.url))
        ended = callsheet("call", "list", "--all", "-o", form, terminal=True)
    assert all(c.isprintable() or c == "\n" for c in ended.out)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--from", "x"), "--from and --max-pages are for a walk over pages: give --all"),
        (("--max-pages", "2"), "give --all"),
        (("-o", "csv"), "-o csv is for the items of pages: give `call` --all"),
        (("--all", "-o", "raw"), "choose ndjson, json or csv"),
        (("--all", "--stream"), "--all and --stream contradict each other"),
        (("--all", "--idempotency-key", "k"), "--all and --idempotency-key contradict each other"),
        (("--all", "--from", "x"), "from_position: expected a text"),
        (("--all", "--max-pages", "0"), "--max-pages"),
    ],
)
def test_options_that_contradict(practiced, words, told):
    ended = practiced("call", "items_by_page", *words)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err


def test_an_operation_without_pages_is_looked_at(practiced):
    ended = practiced("call", "list_users", "--all")
    assert (ended.code, ended.out) == (2, "")
    assert "declares no pages; write `paginate: {page: page, items: results, total: total}`" in ended.err


def test_what_came_before_a_failure_stays_and_the_way_on_is_told(callsheet, sheet):
    with ScriptedServer([page({"id": 1}), answer(500), page({"id": 2}), page()]) as server:
        sheet(PAGED.format(url=server.url))
        ended = callsheet("call", "list", "--all", "-o", "json")
        assert (ended.code, json.loads(ended.out)) == (5, [{"id": 1}])
        assert "ended after 1 item on 1 page" in ended.err
        rest = callsheet("call", "list", "--all", "--from", position_in(ended.err))
    assert (rest.code, rest.out) == (0, '{"id":2}\n')


def test_the_count_is_drawn_while_items_go_to_a_file(sheet, tmp_path):
    ours, theirs = os.openpty()
    with (
        ScriptedServer([page({"id": 1}), page({"id": 2}), page()]) as server,
        os.fdopen(ours, "rb", buffering=0) as drawn,
    ):
        sheet(PAGED.format(url=server.url))
        with (tmp_path / "items").open("wb") as file:
            words = [*COMMAND, "call", "list", "--all"]
            subprocess.run(words, stdout=file, stderr=theirs, check=True, env=os.environ | {"TERM": "xterm"})
        os.close(theirs)
        told = drawn.read(10_000).decode()
    assert (tmp_path / "items").read_text() == '{"id":1}\n{"id":2}\n'
    first, second = told.index("\r\x1b[K1 item on 1 page in "), told.index("\r\x1b[K2 items on 2 pages in ")
    assert first < second < told.index("\r\x1b[K2 items on 3 pages in ", second + 1)


@pytest.mark.parametrize("form", ["ndjson", "json", "csv"])
def test_a_full_disk_tells_where_to_go_on(sheet, form):
    with ScriptedServer([page({"id": 1}), page()]) as server, Path("/dev/full").open("wb") as full:
        sheet(PAGED.format(url=server.url))
        ended = subprocess.run(
            [*COMMAND, "call", "list", "--all", "-o", form], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ended.returncode == 1
    assert "ended after 0 items on 0 pages" in ended.stderr
    assert "begin anew" in ended.stderr
    assert "No space left" in ended.stderr


def test_a_loop_is_told(practiced):
    ended = practiced("call", "endless_items", "--all")
    assert ended.code == 5
    assert "PageLoop" in ended.err
    assert len(ended.out.splitlines()) == 10


def test_ctrl_c_tells_where_to_go_on(sheet, callsheet):
    with ScriptedServer([page({"id": 1}), silence(), page({"id": 2}), page()]) as server:
        sheet(PAGED.format(url=server.url))
        process = subprocess.Popen([*COMMAND, "call", "list", "--all"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert server.wait_requests(2, 20)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
        assert (process.returncode, out) == (130, b'{"id":1}\n')
        assert b"interrupted after 1 item on 1 page" in err
        rest = callsheet("call", "list", "--all", "--from", position_in(err.decode()))
    assert rest.out == '{"id":2}\n'


def test_the_first_request_can_be_shown(practiced):
    ended = practiced("call", "items_by_page", "--all", "--curl")
    assert "page=1" in ended.out


def test_the_request_that_a_walk_goes_on_with_can_be_shown(practiced):
    position = position_in(practiced("call", "items_by_page", "--all", "--max-pages", "1").err)
    assert "page=2" in practiced("call", "items_by_page", "--all", "--from", position, "--dry-run").out
    refused = practiced("call", "items_by_page", "--all", "--from", "x", "--curl")
    assert (refused.code, refused.out) == (2, "")
    assert "from_position: expected a text" in refused.err


def test_the_parameters_of_the_pages_may_be_given(practiced):
    ended = practiced("call", "items_by_page", "--all", "page=3", "size==90")
    assert [json.loads(line)["id"] for line in ended.out.splitlines()] == list(range(181, 251))
    ended = practiced("call", "items_by_cursor", "--all", "limit=7", "--dry-run")
    assert "limit=7" in ended.out


def test_the_sheet_is_the_one_of_the_practice_api():
    assert SHEET.name == "callsheet.yaml"
