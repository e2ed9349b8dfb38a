import json

import pytest

GOOD = """
callsheet: 1
default_environment: dev
services:
  shop:
    base_url: http://127.0.0.1:8000
    description: Sells things
    auth: {bearer: "${SHOP_TOKEN}"}
    operations:
      get_item: {get: "/items/{id}", path: {id: integer}, query: {lang: string}, summary: Look one up}
      add_item: {post: /items, json: object}
  bank:
    base_url: http://127.0.0.1:8001
    operations:
      balance: {get: /balance}
environments:
  dev: {services: {shop: {auth: off}}}
  prod: {}
"""


def test_a_good_sheet(callsheet, sheet, monkeypatch):
    monkeypatch.setenv("SHOP_TOKEN", "t0ps3cret")
    sheet(GOOD)
    ended = callsheet("check")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.endswith("ok (dev, prod)\n")


def test_an_environment_whose_variables_are_not_set_is_left_out_and_said_so(callsheet, sheet, monkeypatch):
    monkeypatch.delenv("SHOP_TOKEN", raising=False)
    sheet(GOOD)
    ended = callsheet("check")
    assert ended.code == 0
    assert "environment `prod` was not checked: the variable `SHOP_TOKEN` is not set" in ended.err
    assert callsheet("check", "--env", "prod").code == 2


def test_everything_wrong_is_told_with_its_place(callsheet, sheet):
    sheet("callsheet: 1\nservices:\n  shop:\n    base_url: http://x\n    retires: 3\n    timeout: soon\n")
    ended = callsheet("check")
    assert ended.code == 2
    assert "callsheet.yaml:5:5: unknown key `retires`" in ended.out
    assert "did you mean" in ended.out
    assert "callsheet.yaml:6:" in ended.out


def test_findings_as_data_and_for_github(callsheet, sheet):
    sheet("callsheet: 1\nservices:\n  shop:\n    base_url: http://x\n    retires: 3\n")
    (found,) = json.loads(callsheet("check", "--format", "json").out)
    assert (found["severity"], found["line"], found["column"]) == ("error", 5, 5)
    assert found["file"] == "callsheet.yaml"
    line = callsheet("check", "--format", "github").out
    assert line.startswith("::error file=callsheet.yaml,line=5,col=5::unknown key `retires`")
    assert line.count("\n") == 1


def test_types_are_imported(callsheet, sheet):
    sheet(
        "callsheet: 1\nservices:\n  s:\n    base_url: http://x\n    operations:\n      o: {get: /, returns: nowhere:Type}\n"
    )
    ended = callsheet("check")
    assert ended.code == 2
    assert "cannot import 'nowhere'" in ended.out


def test_warnings_alone_fail_only_where_asked(callsheet, sheet):
    sheet("callsheet: 1\nservices:\n  s:\n    base_url: http://127.0.0.1\n    auth: {bearer: abcdefgh}\n")
    ended = callsheet("check")
    assert ended.code == 0
    assert "warning:" in ended.out
    assert "abcdefgh" not in ended.out + ended.err
    assert callsheet("check", "--strict").code == 7


def test_list_piped_is_a_line_for_each_operation(callsheet, sheet):
    sheet(GOOD)
    assert callsheet("list").out.splitlines() == [
        "shop.get_item\tGET\t/items/{id}\tid lang?\t\tLook one up",
        "shop.add_item\tPOST\t/items\t{}\t\t",
        "bank.balance\tGET\t/balance\t\t\t",
    ]
    assert callsheet("list", "bank").out.startswith("bank.balance")
    assert "did you mean `bank`?" in callsheet("list", "bnk").err


def test_list_on_a_terminal_is_a_table(callsheet, sheet):
    sheet(GOOD)
    shown = callsheet("list", terminal=True).out
    assert "shop  Sells things  http://127.0.0.1:8000" in shown
    assert "─" in shown


def test_list_as_json(callsheet, sheet):
    sheet(GOOD)
    first = json.loads(callsheet("list", "-o", "json").out)[0]
    assert first["operation"] == "get_item"
    assert first["arguments"] == [
        {"name": "id", "in": "path", "required": True},
        {"name": "lang", "in": "query", "required": False},
    ]


@pytest.mark.parametrize("command", [["list"], ["call", "shop.get_item"], ["check"]])
def test_without_a_sheet_the_way_to_one_is_told(callsheet, command, tmp_path):
    (tmp_path / ".git").mkdir()
    ended = callsheet(*command)
    assert ended.code == 2
    assert "callsheet init" in ended.err


def test_the_sheet_of_a_folder_above_is_found_and_named(callsheet, sheet, tmp_path, monkeypatch):
    path = sheet(GOOD)
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    ended = callsheet("list")
    assert ended.code == 0
    assert f"callsheet: using {path}" in ended.err


def test_a_sheet_above_the_repository_is_not_taken(callsheet, sheet, tmp_path, monkeypatch):
    sheet(GOOD)
    inner = tmp_path / "repository"
    (inner / ".git").mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert callsheet("list").code == 2


def test_env_files_are_read_only_where_named(callsheet, sheet, tmp_path, monkeypatch):
    monkeypatch.delenv("SHOP_TOKEN", raising=False)
    sheet(GOOD)
    (tmp_path / ".env").write_text("# ours\nexport SHOP_TOKEN='a b' # quoted\n")
    refused = callsheet("check", "--env", "prod")
    assert refused.code == 2
    assert "callsheet: .env names SHOP_TOKEN: `--env-file .env` reads it" in refused.err
    assert callsheet("check", "--env", "prod", "--env-file", ".env").code == 0
    (tmp_path / "bad.env").write_text("SHOP TOKEN=hunter22\n")
    ended = callsheet("list", "--env-file", "bad.env")
    assert (ended.code, "bad.env:1: expected NAME=value" in ended.err) == (2, True)
    assert "hunter22" not in ended.err


BILLED = """
callsheet: 1
services:
  shop:
    base_url: "${SHOP_URL}"
    operations: {ping: {get: /}}
  billing:
    base_url: "https://${BILLING_HOST}"
    auth: {bearer: "${BILLING_ID}.${BILLING_KEY}"}
    operations: {pay: {post: /pay}}
"""


def test_check_names_every_variable_that_is_missing(callsheet, sheet):
    sheet(BILLED)
    ended = callsheet("check")
    assert ended.code == 2
    for name in ("SHOP_URL", "BILLING_HOST", "BILLING_ID", "BILLING_KEY"):
        assert f"the variable `{name}` is not set" in ended.out + ended.err


def test_a_call_needs_the_variables_of_its_own_service_only(callsheet, sheet, practice, monkeypatch):
    sheet(BILLED)
    monkeypatch.setenv("SHOP_URL", practice.url)
    for words in (("call", "shop.ping"), ("request", "shop", "GET", "/users")):
        assert "is not set" not in callsheet(*words).err
        assert callsheet(*words).code in (0, 5)
    ended = callsheet("call", "billing.pay")
    assert ended.code == 2
    assert "`BILLING_KEY` is not set" in ended.err
    assert "SHOP" not in ended.err
    assert "did you mean `billing`" in callsheet("call", "bill.pay").err
