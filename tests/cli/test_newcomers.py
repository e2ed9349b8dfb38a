"""What a newcomer types or leaves out, and what the command line says to it."""

import json

import pytest

SHEET = """
callsheet: 1
services:
  shop:
    base_url: "${SHOP_URL}"
    timeout: "${SHOP_TIMEOUT}"
    auth: {bearer: "${SHOP_TOKEN}"}
    headers: {X-Team: "${TEAM:-ours}"}
    operations:
      get_item:
        get: /items/{id}/{key}
        path: {id: integer, key: {type: string, value: "${SHOP_KEY}"}}
        query: {page: integer, tag: array}
        header: {X-Request-Id: {type: string, required: true}}
        returns: nowhere:Item
      list_items: {get: /items, returns: "list[nowhere:Item]"}
      add_item: {post: /items, json: nowhere:NewItem, returns: {201: Item, 4xx: object, 204: null}}
      put_item: {put: /items, json: Item, returns: {type: array, items: {$ref: "#/schemas/Item"}}}
      photo: {post: /photo, multipart: {title: string, photo: {type: file, required: true}}}
      watch: {get: /watch, stream: true}
schemas:
  Item: {type: object, properties: {name: {type: string}, age: {type: integer}}, required: [name]}
"""
VARIABLES = {"SHOP_URL": "http://127.0.0.1:1", "SHOP_TIMEOUT": "3", "SHOP_TOKEN": "t0ps3cret", "SHOP_KEY": "a-k3y"}
PLAIN = """
callsheet: 1
services:
  shop:
    base_url: "${SHOP_URL}"
    auth: {bearer: "${SHOP_TOKEN}"}
    operations:
      get_item:
        get: /items/{id}/{key}
        path: {id: integer, key: {type: string, value: "${SHOP_KEY}"}}
        query: {page: integer, tag: array}
      list_items: {get: /items, returns: array}
"""
TWO = "environments: {dev: {}, prod: {services: {shop: {timeout: 5}}}}\n"


@pytest.fixture(autouse=True)
def _unset(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def set_up(monkeypatch):
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)


def test_list_needs_no_variables_and_imports_nothing(callsheet, sheet):
    sheet(SHEET)
    ended = callsheet("list")
    assert (ended.code, ended.err) == (0, "")
    assert [line.split("\t")[3:5] for line in ended.out.splitlines()] == [
        ["id page? tag? X-Request-Id:", "nowhere:Item"],
        ["", "list[nowhere:Item]"],
        ["{nowhere:NewItem}", "201:Item 4xx:object 204:nothing"],
        ["name age?", "list[Item]"],
        ["title? photo@", ""],
        ["", "stream"],
    ]
    assert "needs a variable" in callsheet("list", terminal=True).out


def test_list_as_data_tells_fields_and_result(callsheet, sheet):
    sheet(SHEET)
    put = json.loads(callsheet("list", "-o", "json").out)[3]
    assert (put["body"], put["fields"], put["returns"]) == ("json", ["name", "age"], "list[Item]")


def test_list_still_refuses_what_is_wrong_whatever_the_variables_hold(callsheet, sheet):
    sheet(SHEET.replace("query:", "querry:"))
    ended = callsheet("list")
    assert (ended.code, "unknown key `querry`" in ended.err) == (2, True)


@pytest.mark.usefixtures("set_up")
def test_check_warns_where_nothing_chooses_an_environment(callsheet, sheet, monkeypatch):
    sheet(PLAIN + TWO)
    ended = callsheet("check")
    assert ended.code == 0, ended.out
    assert "warning: " in ended.out
    assert "no environment was chosen; this sheet has `dev` or `prod`" in ended.out
    assert "give --env NAME, or set CALLSHEET_ENV" in ended.out
    assert callsheet("check", "--strict").code == 7
    assert "no environment" not in callsheet("check", "--env", "dev").out
    monkeypatch.setenv("CALLSHEET_ENV", "prod")
    assert "no environment" not in callsheet("check").out


def test_check_names_an_unset_variable_once(callsheet, sheet):
    text = 'callsheet: 1\nservices:\n  a:\n    base_url: http://a.test\n    auth: {bearer: "${SHOP_TOKEN}"}\n'
    sheet(text + "environments: {dev: {}, prod: {}}\ndefault_environment: dev\n")
    ended = callsheet("check")
    assert ended.code == 2
    assert (ended.out + ended.err).count("the variable `SHOP_TOKEN` is not set") == 1
    assert "environment `prod` was not checked either" in ended.err


@pytest.mark.parametrize("command", [["check"], ["call", "a.get_x"]])
def test_a_file_of_variables_beside_the_sheet_is_pointed_out(callsheet, sheet, tmp_path, command):
    sheet(
        'callsheet: 1\nservices:\n  a:\n    base_url: "${SHOP_URL}"\n    auth: {bearer: "${SHOP_TOKEN}"}\n'
        "    operations: {get_x: {get: /x}}\n"
    )
    (tmp_path / ".env").write_text("SHOP_TOKEN=t0ps3cret\nOTHER=1\n")
    ended = callsheet(*command)
    assert ended.code == 2
    assert "callsheet: .env names SHOP_TOKEN: `--env-file .env` reads it" in ended.err
    assert "t0ps3cret" not in ended.out + ended.err
    assert "reads it" not in callsheet(*command, "--env-file", ".env").err


@pytest.mark.usefixtures("set_up")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["shop", "get_item", "x=1"], "`shop` is a service; did you mean `shop.get_item`?"),
        (["shop"], "`shop` is a service; name the operation: `shop.get_item` or `shop.list_items`"),
        (["shop", "x=1"], "`shop` is a service; name the operation: `shop.get_item`"),
        (["get_item", "--page", "2"], "write page=2"),
        (["get_item", "--page=2"], "write page=2"),
        (["get_item", "--api-token", "t0ps3cret"], "write api_token=..."),
        (["get_item", "page=1", "page=2"], "`page` is given twice, and it is no array"),
        (["get_item", "page=1", "page=2", "page=3"], "`page` is given 3 times, and it is no array"),
    ],
)
def test_how_a_call_is_written(callsheet, sheet, words, message):
    sheet(PLAIN)
    ended = callsheet("call", *words, "--dry-run")
    assert ended.code == 2
    assert message in ended.err
    assert "t0ps3cret" not in ended.err


@pytest.mark.usefixtures("set_up")
def test_an_array_may_be_given_item_by_item(callsheet, sheet):
    sheet(PLAIN)
    ended = callsheet("call", "get_item", "id=7", "tag=a", "tag=b", "--dry-run")
    assert "/items/7/***?tag=a&tag=b" in ended.out, ended.err


@pytest.mark.usefixtures("set_up")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--env", "staging"], "unknown environment `staging` (from --env)"),
        ([], "give --env NAME, or set CALLSHEET_ENV or `default_environment`"),
    ],
)
def test_environments_in_the_words_of_the_command_line(callsheet, sheet, words, message):
    sheet(SHEET + TWO)
    for command in (["list"], ["call", "shop.list_items"], *([["check"]] if words else [])):
        ended = callsheet(*command, *words)
        assert ended.code == 2
        assert message in ended.out + ended.err
        assert "env=" not in ended.out + ended.err
