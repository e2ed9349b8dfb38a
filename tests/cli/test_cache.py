"""`callsheet cache`: what is stored, for the processes that share a store; and what `-v` tells of it."""

import json

import pytest

SHEET = """callsheet: 1
stores: {cache: "sqlite:.callsheet/answers.db"}
services:
  shop:
    base_url: "${SHOP_URL}"
    cache: http
    operations:
      tea: {get: /cached/cli-tea}
      coffee: {get: /cached/cli-coffee}
      count: {get: /cached/cli-tea/count}
"""


@pytest.fixture
def shop(callsheet, sheet, practice, monkeypatch):
    sheet(SHEET)
    monkeypatch.setenv("SHOP_URL", practice.url)
    yield callsheet
    callsheet("cache", "clear")


def test_a_second_process_is_answered_by_what_the_first_has_stored(shop):
    first, again = shop("call", "shop.tea", "-v"), shop("call", "shop.tea", "-v")
    assert first.out == again.out
    assert "* cache: miss, uri-miss" in first.err
    assert "* cache: stored, fresh for" in first.err
    assert "* cache: hit, fresh for" in again.err
    assert "attempt 1" not in again.err


def test_one_call_may_want_something_else(shop):
    def served(*options):
        return json.loads(shop("call", "shop.tea", *options).out)["served"]

    first = served("--cache", "refresh")
    assert served() == first
    assert served("--cache", "refresh") == first + 1
    assert shop("request", "shop", "GET", "/cached/cli-tea", "--cache", "only").code == 0
    shop("cache", "clear")
    assert shop("request", "shop", "GET", "/cached/cli-tea", "--cache", "only").code == 5


def test_a_call_whose_credential_is_taken_out_is_somebody_elses(shop, sheet):
    sheet(SHEET.replace("cache: http\n", "cache: http\n    auth: {bearer: t0ken-of-the-sheet}\n"))
    signed_in, nobody = (lambda: shop("call", "shop.tea").out), (lambda: shop("call", "shop.tea", "Authorization:").out)
    ours, theirs = signed_in(), nobody()
    assert ours != theirs
    assert [signed_in(), nobody()] == [ours, theirs]


def test_what_is_not_stored_says_why(shop):
    assert "* cache: not stored, no-store" in shop("call", "shop.count", "-v").err


def test_info_show_and_clear(shop, monkeypatch):
    shop("call", "shop.tea"), shop("call", "shop.coffee")
    monkeypatch.delenv("SHOP_URL")  # what is stored can be seen without it
    assert "2 answers" in shop("cache", "info").out
    held = json.loads(shop("cache", "info", "-o", "json").out)
    assert (held["entries"], held["most"]) == (2, 64 * 1024 * 1024)
    rows = [line.split("\t") for line in shop("cache", "show").out.splitlines()]
    assert {row[1] for row in rows} == {"tea", "coffee"}
    assert all(row[2] == "GET" and row[4] == "200" for row in rows)
    (newest,) = json.loads(shop("cache", "show", "--limit", "1", "-o", "json").out)
    assert newest["operation"] == "coffee"
    assert 0 < newest["fresh_for"] <= 60
    assert shop("cache", "clear", "shop.tea").err == "1 answer dropped\n"
    assert shop("cache", "clear", "shop").err == "1 answer dropped\n"
    assert shop("cache", "clear").err == "0 answers dropped\n"
    assert shop("cache", "show").out == ""


def test_names_that_are_not_on_the_sheet_are_refused(shop):
    ended = shop("cache", "clear", "shop.tee")
    assert ended.code == 2
    assert "no operation `tee`" in ended.err
    assert shop("cache", "clear", "shep.tea").code == 2


@pytest.mark.parametrize("command", ["info", "show", "clear"])
def test_the_memory_of_a_process_cannot_be_seen_by_another(callsheet, sheet, command):
    sheet(SHEET.replace("stores:", "# stores:").replace("${SHOP_URL}", "https://shop.test"))
    ended = callsheet("cache", command)
    assert ended.code == 2
    assert "stores: {cache:" in ended.err


def test_explain_tells_why_nothing_is_stored(callsheet, sheet):
    sheet(
        "callsheet: 1\nservices: {shop: {base_url: https://shop.test, cache: http, operations: "
        "{a: {get: /a}, b: {put: /b}, c: {get: /c, safe: false}}}}"
    )
    told = {name: " ".join(callsheet("explain", f"shop.{name}", "--all").out.split()) for name in "abc"}
    assert "on cache per attempt a stored answer" in told["a"]
    assert "nothing is stored: an answer to PUT is not kept" in told["b"]
    assert "nothing is stored: `safe: false` says" in told["c"]


def test_a_store_that_cannot_be_asked_is_an_error_of_ours(callsheet, sheet):
    sheet(SHEET.replace("sqlite:.callsheet/answers.db", "valkey://127.0.0.1:1/0").replace("${SHOP_URL}", "http://a"))
    ended = callsheet("cache", "info")
    assert ended.code == 1
    assert "could not be asked" in ended.err
    assert "Traceback" not in ended.err
