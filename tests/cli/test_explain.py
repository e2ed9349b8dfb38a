"""`callsheet explain`: every setting and where it came from, the pipeline, and the worst case."""

import io
import json

import pytest
from click.shell_completion import get_completion_class

from callsheet.cli.app import commands
from callsheet.cli.run import run
from callsheet.cli.screen import Screen

SHEET = """
callsheet: 1
default_environment: dev
defaults:
  timeout: {connect: 2s}
services:
  shop:
    base_url: "${SHOP_URL}"
    auth: {bearer: "${SHOP_TOKEN}"}
    headers: {X-Team: "${TEAM:-ours}"}
    rate_limit: 50/s
    operations:
      create_user:
        post: /users
        json: nowhere:NewUser
        timeout: "${SHOP_TIMEOUT}"
        idempotency_key: true
      get_user: {get: "/users/{id}"}
  bank:
    base_url: http://127.0.0.1:8001
    breaker: off
environments:
  dev: {}
  prod: {services: {shop: {base_url: "https://api.example.com", retry: {attempts: 4}}}}
"""
FLAT = """
api_config:
  base_url: "http://127.0.0.1:8000"
  timeout: 10
  operations: {ping: {get: /ping}}
"""


@pytest.fixture
def explain(callsheet, sheet, monkeypatch):
    """Run the command on the sheet, none of its variables set."""
    for name in ("SHOP_URL", "SHOP_TOKEN", "SHOP_TIMEOUT", "TEAM"):
        monkeypatch.delenv(name, raising=False)
    sheet(SHEET)
    return lambda *arguments, **given: callsheet("explain", *arguments, **given)


def rows(text):
    """The settings of a text: name -> value and origin."""
    below = "\n" + " " * 20  # an origin that had no room beside its value
    lines = text.partition("Settings")[2].partition("\n\n")[0].replace(below, " ").splitlines()[1:]
    return {line[2:].split(maxsplit=1)[0]: line[2:].split(maxsplit=1)[1] for line in lines}


def test_an_operation_with_its_variables_unset(explain):
    ended = explain("shop.create_user")
    assert (ended.code, ended.err) == (0, "")
    found = rows(ended.out)
    assert found["base_url"].split() == ["${SHOP_URL}", "callsheet.yaml:8:15", "(${SHOP_URL})"]
    assert found["timeout.total"].split() == ["${SHOP_TIMEOUT}", "callsheet.yaml:16:18", "(${SHOP_TIMEOUT})"]
    assert found["timeout.connect"].split() == ["2s", "callsheet.yaml:5:22"]
    assert found["auth"].split() == ["{bearer:", "***}", "callsheet.yaml:9:11", "(${SHOP_TOKEN})"]
    assert found["rate_limit.rates"].split() == ["50/s", "callsheet.yaml:11:17"]
    assert found["breaker.ratio"].split() == ["100%", "built-in"]
    assert "shop.create_user: POST /users, environment dev" in ended.out
    assert "Not known here: the variable `SHOP_URL` is not set; the variable `SHOP_TIMEOUT` is not set." in " ".join(
        ended.out.split()
    )


def test_with_its_variables_values_are_shown_and_secrets_are_not(explain, monkeypatch):
    for name, value in {"SHOP_TIMEOUT": "7", "SHOP_TOKEN": "canary-1", "TEAM": "canary-2"}.items():
        monkeypatch.setenv(name, value)
    for form in ((), ("-o", "json"), ("--why",)):
        out = explain("shop.create_user", *form).out
        assert "canary" not in out
        assert "7s" in out
    assert rows(explain("shop.create_user").out)["headers.X-Team"].split()[0] == "***"


def test_an_environment_has_its_own_places(explain):
    found = rows(explain("shop.get_user", "--env", "prod", "--changed").out)
    assert found["retry.attempts"].split() == ["4", "callsheet.yaml:24:83"]
    assert found["base_url"].split() == ["https://api.example.com", "callsheet.yaml:24:38"]
    assert "built-in" not in " ".join(found.values())
    assert "retry.attempts" not in rows(explain("shop.get_user", "--changed").out)


def test_a_service_tells_which_operations_differ(explain):
    out = explain("shop").out
    assert "shop: undeclared requests, environment dev" in out
    assert "Operations with settings of their own: create_user\n" in out


def test_reasons_stand_below_each_setting(explain):
    lines = explain("bank", "--why").out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("  retry.attempts"))
    assert lines[at + 1].strip().startswith("`attempts` tries in all (3: two more outlast a blip")
    assert max(map(len, lines)) <= 80


def test_as_json(explain):
    document = json.loads(explain("shop.create_user", "-o", "json", "--calls", "600/min").out)
    assert (document["service"], document["operation"], document["environment"]) == ("shop", "create_user", "dev")
    assert document["settings"]["timeout.total"] == {
        "value": None,
        "written": "${SHOP_TIMEOUT}",
        "origin": {"where": "callsheet.yaml:16:18", "variables": ["SHOP_TIMEOUT"]},
        "why": "from entering the call to the typed result",
        "unknown": "the variable `SHOP_TIMEOUT` is not set",
    }
    assert document["worst_case"]["outage"]["calls_per_second"] == 10.0
    assert document["pipeline"][0]["name"] == "deadline"
    changed = json.loads(explain("bank", "-o", "json", "--changed").out)
    assert set(changed["settings"]) == {"base_url", "breaker", "timeout.connect"}


def test_the_pipeline_and_the_worst_case_follow(explain):
    out = explain("bank", "--calls", "20/s").out
    assert out.index("Settings") < out.index("Pipeline, asked in this order") < out.index("Worst case")
    assert "  on   deadline " in out
    assert "  off  redirects " not in out
    assert "  off  redirects " in explain("bank", "--all").out
    assert "20 calls/s become at most 34 requests/s" in " ".join(out.split())


def test_a_flat_sheet_needs_no_name(callsheet, sheet):
    sheet(FLAT)
    assert callsheet("explain").out.startswith("api: undeclared requests\n")
    assert callsheet("explain", "ping").out.startswith("api.ping: GET /ping\n")
    assert callsheet("explain", "api.ping").out == callsheet("explain", "ping").out
    assert rows(callsheet("explain").out)["timeout.attempt"].split() == ["10s", "callsheet.yaml:4:12"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "callsheet.yaml has several services: explain `shop` or `bank`, or one of their operations"),
        (["shpo"], "no service `shpo`; did you mean `shop`?"),
        (["get_user"], "no service `get_user`; it has `shop` or `bank`"),
        (["shop.get_usr"], "service `shop` has no operation `get_usr`; did you mean `get_user`?"),
        (["bank.x"], "service `bank` has no operation `x`; it has none"),
        (["shop", "--calls", "soon"], "calls: expected a rate such as `100/s` or a number per second above 0"),
        (["shop", "--env", "nope"], "unknown environment `nope`"),
    ],
)
def test_what_cannot_be_explained(explain, arguments, told):
    ended = explain(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err


def test_what_is_wrong_whatever_the_variables_hold_is_told(callsheet, sheet):
    sheet(SHEET.replace("breaker: off", "breaker: 5"))
    ended = callsheet("explain", "shop")
    assert ended.code == 2
    assert "callsheet.yaml:21:14" in ended.err


def test_colours_say_what_is_off_and_change_no_word(explain):
    plain = explain("shop.get_user", "--all").out
    coloured = explain("shop.get_user", "--all", terminal=True, colour=True).out
    assert "\x1b[1mWorst case\x1b[0m" in coloured
    assert "\x1b[2m  off  redirects" in coloured
    assert "\x1b" not in explain("shop.get_user", "--all", terminal=True).out
    stripped = "".join(
        part.partition("m")[2] if number else part for number, part in enumerate(coloured.split("\x1b["))
    )
    assert [line.rstrip() for line in stripped.splitlines()] == plain.splitlines()


def test_nothing_on_a_sheet_steers_the_terminal(callsheet, sheet):
    sheet('api_config:\n  base_url: http://127.0.0.1\n  params: {a: "x\\e[31my"}\n')
    out = callsheet("explain", terminal=True).out
    assert "\x1b" not in out
    assert "x\\x1b[31my" in out


def test_a_shell_is_offered_services_and_operations(monkeypatch, sheet):
    sheet(SHEET)

    def completed(word):
        monkeypatch.setenv("COMP_WORDS", f"callsheet explain {word}")
        monkeypatch.setenv("COMP_CWORD", "2")
        return get_completion_class("bash")(commands, {}, "callsheet", "_CALLSHEET_COMPLETE").complete().split()

    assert completed("sh") == ["plain,shop", "plain,shop.create_user", "plain,shop.get_user"]
    assert completed("shop.g") == ["plain,shop.get_user"]
    assert completed("b") == ["plain,bank"]


def test_what_is_off_is_hidden_unless_it_was_written(explain):
    shown, everything = explain("bank"), explain("bank", "--all")
    assert rows(shown.out)["breaker"].split()[0] == "off"
    for name in ("proxy", "cookies", "tls.ca", "tls.pins"):
        assert name not in rows(shown.out)
        assert name in rows(everything.out)
    assert shown.out.endswith(" that are off are hidden: `--all`\n")
    assert "hidden" not in everything.out
    assert set(json.loads(explain("bank", "-o", "json").out)["settings"]) >= {"proxy", "cookies"}


@pytest.mark.parametrize("width", [80, 40, 20])
@pytest.mark.parametrize("words", [["explain", "shop"], ["explain", "shop.get_user", "--all", "--why"], ["list"]])
def test_every_line_fits_the_terminal(callsheet, sheet, width, words):
    sheet(SHEET)
    screen = Screen(io.BytesIO(), io.StringIO(), is_terminal=True, width=width)
    assert run(words, screen) == 0
    lines = screen.data.getvalue().decode().splitlines()
    assert max(map(len, lines)) <= width


def test_the_help_of_list_keeps_its_lines(callsheet, capsys):
    assert callsheet("list", "--help").code == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert {"Header:          a header field", "name@            a file", "callsheet list shop"} <= set(lines)
