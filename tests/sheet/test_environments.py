"""Which environment counts, and what its overlay changes."""

import pytest

from tests.sheet.sheets import HEAD, errors, parse

BASE = """\
callsheet: 1
services:
  shop:
    base_url: https://shop.example
    headers: {X-A: base, X-B: base}
    params: {p: 1, q: 2}
    timeout: {connect: 2s, total: 20s}
    retry: {attempts: 5, statuses: [500, 503]}
    concurrency: 10
    auth: {bearer: token-of-base}
    operations:
      op:
        get: /x
        query: {a: {type: string, enum: [x, y]}}
        returns: {200: object, 404: null}
        timeout: 5s
"""


def shop(overlay: str, text: str = BASE):
    body = "".join(f"      {line}\n" for line in overlay.splitlines())
    return parse(f"{text}environments:\n  e:\n    services:\n     shop:\n{body}", env="e").services["shop"]


def test_mappings_merge_key_by_key_and_headers_without_case():
    settings = shop("headers: {x-a: over}\nparams: {q: 3, r: 4}").settings()
    assert settings.headers == {"X-B": "base", "x-a": "over"}
    assert settings.params == {"p": 1, "q": 3, "r": 4}


def test_null_removes():
    service = shop("headers: {x-a: null}\nretry: {attempts: ~}\nauth: null\ntimeout: {connect: null}")
    settings = service.settings()
    assert settings.headers == {"X-B": "base"}
    assert (settings.retry.attempts, settings.retry.statuses) == (3, {500, 503})
    assert settings.auth is None
    assert settings.timeout.connect == 5.0


def test_lists_and_keys_of_one_kind_replace_whole():
    lines = "retry: {statuses: [502]}\nauth: {basic: {username: u, password: p}}\noperations: {op: {returns: {201: string}, query: {a: {enum: [z]}}}}"
    service = shop(lines)
    assert (service.settings().retry.attempts, service.settings().retry.statuses) == (5, {502})
    assert service.settings().auth.kind == "basic"
    operation = service.operations["op"]
    assert list(operation.returns) == [201]
    assert operation.parameters[0].type.value == {"type": "string", "enum": ["z"]}


@pytest.mark.parametrize(
    ("line", "connect", "attempt", "total"),
    [
        ("timeout: 1s", 1.0, 1.0, 1.0),
        ("timeout: 8s", 2.0, 8.0, 8.0),
        ("timeout: {total: 9s}", 2.0, 9.0, 9.0),
        ("timeout: {attempt: 15s}", 2.0, 15.0, 20.0),
    ],
)
def test_a_timeout_over_a_timeout(line, connect, attempt, total):
    timeout = shop(line).settings().timeout
    assert (timeout.connect, timeout.attempt, timeout.total) == (connect, attempt, total)


def test_a_timeout_in_full_over_a_short_one():
    timeout = shop("operations: {op: {timeout: {connect: 4s}}}").settings("op").timeout
    assert (timeout.connect, timeout.attempt, timeout.total) == (4.0, 5.0, 5.0)
    short = BASE.replace("{connect: 2s, total: 20s}", "5s")
    assert shop("timeout: {read: 3s}", short).settings().timeout.read == 3.0


def test_a_contradiction_across_an_overlay_names_both_places():
    told = errors(shop, "timeout: {attempt: 30s}")
    assert (
        "s.yaml:21:26: `timeout.attempt` of service `shop` is 30 s, longer than `timeout.total`, which is 20 s (s.yaml:7:35)"
        in told
    )


def test_short_forms_merge_as_what_they_stand_for():
    settings = shop("concurrency: {queue: 3}").settings()
    assert (settings.concurrency.limit, settings.concurrency.queue) == (10, 3)
    assert shop("retry: off").settings().retry is None
    assert (
        shop("retry: {attempts: 2}", BASE.replace("{attempts: 5, statuses: [500, 503]}", "off"))
        .settings()
        .retry.attempts
        == 2
    )


def test_an_operation_may_change_its_method():
    assert shop("operations: {op: {get: null, post: /y}}").operations["op"].method == "POST"
    assert "`post` beside `get`" in errors(shop, "operations: {op: {post: /y}}")


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        ("{services: {shup: {}}}", "the sheet has no service `shup`"),
        ("{services: {shop: {operations: {opp: {}}}}}", "the sheet has no operation `shop.opp`"),
        ("{services: {shop: {retires: 3}}}", "unknown key `retires` in service `shop`"),
        ("{services: {shop: {strict_responses: true}}}", "`strict_responses` is not supported yet"),
        ("{services: {shop: {operations: {op: {body: x}}}}}", "unknown key `body` in operation `shop.op`"),
        ("{defaults: {retires: 3}}", "unknown key `retires` in `defaults`"),
        ("{shop: {}}", "unknown key `shop` in environment `e`"),
        ("5", "environment `e`: expected a mapping"),
    ],
)
@pytest.mark.parametrize("chosen", ["e", "other"])
def test_slips_in_an_overlay_are_told_whichever_is_chosen(overlay, message, chosen):
    assert message in errors(parse, f"{BASE}environments: {{other: {{}}, e: {overlay}}}", env=chosen)


TWO = HEAD + "environments: {prod: {}, dev: {services: {shop: {base_url: 'http://dev'}}}}\n"


@pytest.mark.parametrize(
    ("env", "variables", "default", "chosen"),
    [
        ("dev", {"CALLSHEET_ENV": "prod"}, "prod", "dev"),
        (None, {"CALLSHEET_ENV": "dev"}, "prod", "dev"),
        (None, {"CALLSHEET_ENV": ""}, "prod", "prod"),
        (None, {}, "dev", "dev"),
    ],
)
def test_the_argument_then_the_variable_then_the_default(env, variables, default, chosen):
    sheet = parse(f"{TWO}default_environment: {default}\n", env=env, variables=variables)
    assert (sheet.environment, sheet.environments) == (chosen, ("prod", "dev"))
    assert (sheet.services["shop"].settings().base_url == "http://dev") == (chosen == "dev")


def test_no_choice_lists_what_there_is():
    assert "s.yaml:5:1: no environment was chosen; this sheet has `prod` or `dev`" in errors(parse, TWO)


@pytest.mark.parametrize(
    ("env", "variables", "told_by"),
    [("prd", {}, "env="), (None, {"CALLSHEET_ENV": "prd"}, "CALLSHEET_ENV")],
)
def test_an_unknown_choice_lists_what_there_is(env, variables, told_by):
    told = errors(parse, TWO, env=env, variables=variables)
    assert f"unknown environment `prd` (from {told_by}); this sheet has `prod` or `dev`" in told
    assert "did you mean `prod`?" in told


def test_an_unknown_default_is_told_even_if_another_is_chosen():
    told = errors(parse, f"{TWO}default_environment: nope\n", env="dev")
    assert "s.yaml:6:22: unknown environment `nope` (from `default_environment`)" in told


def test_a_sheet_without_environments():
    assert parse(HEAD, variables={"CALLSHEET_ENV": "prod"}).environment is None
    assert "unknown environment `prod` (from env=); this sheet has no `environments`" in errors(parse, HEAD, env="prod")


FLAT = """\
api_config:
  base_url: "https://api.example.com"
  timeout: 10
  headers: {Content-Type: application/json, Authorization: "Bearer ${TOKEN}"}
  operations: {ping: {get: /ping}}
environments: {prod: {}, dev: %s}
default_environment: dev
"""


@pytest.mark.parametrize(
    "overlay",
    [
        '{base_url: "http://127.0.0.1:8000"}',
        '{api_config: {base_url: "http://127.0.0.1:8000"}}',
        '{services: {api: {base_url: "http://127.0.0.1:8000"}}}',
    ],
)
def test_a_flat_sheet_is_one_service_named_api(overlay):
    sheet = parse(FLAT % overlay, variables={"TOKEN": "tok-123"})
    settings = sheet.services["api"].settings("ping")
    assert list(sheet.services) == ["api"]
    assert (settings.base_url, settings.timeout.total) == ("http://127.0.0.1:8000", 10.0)
    assert settings.headers["Authorization"].reveal() == "Bearer tok-123"


def test_a_slip_in_a_flat_overlay():
    assert "unknown key `tmieout` in service `api`" in errors(parse, FLAT % "{tmieout: 3}", variables={"TOKEN": "t"})
