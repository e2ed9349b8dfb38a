"""An explanation: every setting, the pipeline that calls really have, and the worst case, as data and as text."""

import asyncio
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from callsheet import ArgumentError, AsyncClient, Client, Explanation, Secret, Sheet, SheetError, UsageError
from callsheet.explain.spelling import about, plain_data, spelled
from callsheet.plan.order import ORDER
from callsheet.settings import (
    TLS,
    Backoff,
    BodyTest,
    Breaker,
    Budget,
    Caps,
    Concurrency,
    Envelope,
    IdempotencyKey,
    Pool,
    RateLimit,
    Redirects,
    Retry,
    Settings,
    Timeout,
)
from callsheet.settings.reasons import chosen, reason
from callsheet.sheet.provenance import DEFAULTS, values_of

OPERATIONS = {
    "create_user": {"post": "/users", "json": "object", "idempotency_key": True, "timeout": 8},
    "get_user": {"get": "/users/{id}"},
    "pay": {"post": "/pay", "retry": {"attempts": 2}},
    "watch": {"get": "/watch", "stream": True},
    "photo": {"put": "/photo", "multipart": {"photo": "file"}},
    "rows": {"post": "/rows", "content": "text/csv", "timeout": {"total": 60}},
    "slow": {"get": "/slow", "rate_limit": ["10/s", "90/min"], "concurrency": 5},
}


def sheet_of(**service):
    return Sheet(services={"shop": {"base_url": "https://shop.test/v1", "operations": OPERATIONS, **service}})


def explain(operation=None, *, calls=100.0, code=None, **service):
    with Client(sheet_of(**service), **(code or {})) as client:
        return client.service("shop").explain(operation, calls=calls)


def setting(explanation, name):
    return next(found for found in explanation.settings if found.name == name)


def told(explanation):
    """The worst case as running text."""
    return " ".join(str(explanation).partition("Worst case\n")[2].split())


def test_both_colours_explain_alike():
    async def asked():
        async with AsyncClient(sheet_of()) as client:
            return client.service("shop").explain("get_user"), client.explain("pay")

    with Client(sheet_of()) as client:
        assert (client.service("shop").explain("get_user"), client.explain("pay")) == asyncio.run(asked())


def test_it_is_of_an_operation_or_of_undeclared_requests():
    one, all_others = explain("get_user"), explain()
    assert isinstance(one, Explanation)
    assert (one.label, one.method, one.path) == ("shop.get_user", "GET", "/users/{id}")
    assert (all_others.label, all_others.operation, all_others.method) == ("shop", None, None)
    assert all_others.varied == ("create_user", "pay", "rows", "slow")
    assert repr(one) == "<Explanation shop.get_user>"


def test_every_setting_is_there_in_the_order_of_the_records():
    names = [found.name for found in explain("get_user").settings]
    expected = [value.name for value in values_of(DEFAULTS)]
    assert [name for name in names if name != "headers.User-Agent"] == expected
    assert names[1] == "headers.User-Agent"


def test_settings_of_the_sheet_and_of_the_code_name_their_place():
    found = explain("create_user", code={"timeout": 3, "breaker": False}, retry={"attempts": 4})
    assert str(setting(found, "timeout.total").origin) == "Client(...)"
    assert setting(found, "timeout.total").value == 3.0
    assert (setting(found, "breaker").written, str(setting(found, "breaker").origin)) == ("off", "Client(...)")
    assert str(setting(found, "retry.attempts").origin) == "services.shop.retry.attempts"
    assert setting(found, "retry.budget.floor").origin.where == "built-in"
    with Client(sheet_of()) as client:
        narrowed = client.service("shop", caps={"response": "1MiB"}).explain()
    assert (setting(narrowed, "caps.response").value, str(setting(narrowed, "caps.response").origin)) == (
        1024**2,
        "Client(...)",
    )


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("timeout.total", "8s"),
        ("retry.backoff.first", "500ms"),
        ("retry.backoff.throttled", "1s"),
        ("retry.statuses", "[408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529]"),
        ("retry.budget.ratio", "20%"),
        ("retry.budget.floor", "10"),
        ("breaker.ratio", "100%"),
        ("breaker.samples", "20"),
        ("rate_limit.rates", "none"),
        ("rate_limit.learn", "true"),
        ("idempotency_key.from", "auto"),
        ("caps.response", "10MiB"),
        ("caps.headers", "64KiB"),
        ("tls.ca", "none"),
        ("proxy", "none"),
        ("auth", "off"),
        ("redirects", "off"),
        ("deadline_header", "off"),
        ("cookies", "false"),
    ],
)
def test_values_are_in_the_sheets_own_words(name, written):
    assert setting(explain("create_user"), name).written == written


@pytest.mark.parametrize(
    ("given", "written"), [("50/s", "50/s"), (["50/s", "1000/min"], "[50/s, 1000/min]"), ("10/100ms", "10/100ms")]
)
def test_rates_are_written_as_on_a_sheet(given, written):
    assert setting(explain(rate_limit=given), "rate_limit.rates").written == written


@pytest.mark.parametrize(
    "settings",
    [
        {"auth": {"bearer": Secret("canary")}},
        {"auth": {"basic": {"username": Secret("canary"), "password": Secret("canary")}}},
        {"auth": {"api_key": {"header": "X-Key", "value": Secret("canary")}}},
        {"headers": {"X-Token": "canary"}},
        {"headers": {"X-Any": Secret("canary")}},
        {"params": {"api_key": "canary"}},
        {"params": {"any": Secret("canary")}},
        {"proxy": "http://ada:canary@proxy.test"},
    ],
)
def test_no_secret_is_in_it(settings):
    found = explain(**settings)
    assert "canary" not in f"{found} {found!r} {found.settings} {json.dumps(found.as_dict())}"
    assert "***" in str(found)


def test_what_came_through_a_variable_shows_the_variable_alone():
    text = """\
callsheet: 1
services:
  shop:
    base_url: https://shop.test
    auth: {basic: {username: ada, password: "${PASSWORD}"}}
    headers: {X-Team: "the ${TEAM}"}
    params: {version: "${VERSION}"}
    proxy: "http://ada:${PASSWORD}@proxy.test"
    timeout: "${T:-7}"
"""
    variables = {"PASSWORD": "canary-1", "TEAM": "canary-2", "VERSION": "canary-3"}
    with Client(Sheet.parse(text, name="s.yaml", variables=variables)) as client:
        found = client.explain()
    assert "canary" not in f"{found} {found.settings} {json.dumps(found.as_dict())}"
    shown = {name: (setting(found, name).written, setting(found, name).origin.variables) for name in
             ("auth", "headers.X-Team", "params.version", "proxy", "timeout.total")}  # fmt: skip
    assert shown == {
        "auth": ("{basic: {username: ***, password: ***}}", ("PASSWORD",)),
        "headers.X-Team": ("***", ("TEAM",)),
        "params.version": ("***", ("VERSION",)),
        "proxy": ("***", ("PASSWORD",)),
        "timeout.total": ("7s", ("T",)),
    }


def test_plain_data_of_whatever_a_setting_may_hold():
    held = {"rows": (1, 2.5), "kinds": frozenset({"b", "a"}), "path": Path("a/b"), "call": json.dumps, "off": None}
    assert plain_data(held) == {"rows": [1, 2.5], "kinds": ["a", "b"], "path": "a/b", "call": "json:dumps", "off": None}
    assert spelled("unheard_of", held) == "{rows: [1, 2.5], kinds: [a, b], path: a/b, call: json:dumps}"
    assert plain_data(Settings("http://x"))["timeout"]["total"] == 30.0
    assert plain_data([re.compile("a.*b")]) == ["a.*b"]
    assert (spelled("unheard_of", None), spelled("unheard_of", 2.5), spelled("unheard_of", True)) == (
        "off",
        "2.5s",
        "true",
    )


def test_an_explanation_is_json_as_it_is():
    document = json.loads(json.dumps(explain("slow").as_dict()))
    assert list(document) == [
        "service", "operation", "environment", "method", "path", "settings", "beside", "pipeline", "worst_case",
    ]  # fmt: skip
    assert document["settings"]["rate_limit.rates"] == {
        "value": ["10/s", "90/min"],
        "written": "[10/s, 90/min]",
        "origin": {"where": "services.shop.operations.slow.rate_limit", "variables": []},
        "why": "All of `rates` hold (none: nothing is declared)",
    }
    assert document["pipeline"][0] == {
        "name": "deadline",
        "on": True,
        "asked": "per attempt",
        "why": "everything below spends from it: waits, attempts, reading the body",
    }
    assert {"attempts", "attempts_once_processed", "longest", "transfer", "outage"} <= set(document["worst_case"])


def test_what_holds_beside_an_operations_own_is_there():
    found = explain("slow", rate_limit="100/s", concurrency=50)
    assert [(row.name, row.written) for row in found.changed().beside] == [
        ("rate_limit.rates", "100/s"),
        ("concurrency.limit", "50"),
    ]
    assert "and of the service, in addition\n* rate_limit.rates" in str(found)
    assert explain("get_user", rate_limit="100/s").beside == ()


@pytest.mark.parametrize(
    ("operation", "service", "requests"),
    [
        ("slow", {}, 1.5),
        ("slow", {"rate_limit": "1/s"}, 1.0),
        ("get_user", {"rate_limit": "1/s"}, 1.0),
        ("get_user", {"rate_limit": {"rates": "1/s", "per": "operation"}}, 1.0),
        (None, {"rate_limit": {"rates": "1/s", "per": "operation"}}, 130.0),
        ("get_user", {"rate_limit": {"rates": "1/s", "per": "id"}}, 130.0),
        ("get_user", {"rate_limit": {"rates": "4/s", "cost": 2}}, 2.0),
    ],
)
def test_the_rates_that_bound_an_outage(operation, service, requests):
    assert explain(operation, **service).worst_case.outage.requests_per_second == requests


def test_the_pipeline_is_the_list_of_policies_and_what_is_on_in_it():
    found = explain("get_user", retry=False, cookies=True)
    assert [step.name for step in found.pipeline] == [line.name for line in ORDER]
    is_on = {step.name: step.on for step in found.pipeline}
    assert (is_on["deadline"], is_on["cookies"], is_on["retry"], is_on["redirects"]) == (True, True, False, False)
    assert {step.name: step.on for step in explain(redirects="same-origin").pipeline}["redirects"]


def test_what_is_on_is_what_calls_are_made_with():
    with Client(sheet_of(retry=False)) as client:
        shop = client.service("shop")
        names = {policy.name for policy in shop._maker.plans.plan("get_user").policies}
        assert {step.name for step in shop.explain("get_user").pipeline if step.on} == names


def test_explaining_changes_nothing_and_imports_nothing():
    operations = {"op": {"get": "/x", "returns": "nowhere:Type", "concurrency": 2}}
    with Client(Sheet(services={"shop": {"base_url": "https://shop.test", "operations": operations}})) as client:
        plans = client.service("shop")._maker.plans
        before = len(plans.scope.shared)
        assert client.explain("op").worst_case.attempts == 3
        assert (plans.plans, len(plans.scope.shared)) == ({}, before)


def test_changed_has_only_what_somebody_wrote():
    found = explain("pay").changed()
    assert [row.name for row in found.settings] == ["base_url", "retry.attempts"]
    assert found.pipeline == explain("pay").pipeline


@pytest.mark.parametrize("calls", [0, -1, "0/s", "soon", "", None, True, float("inf"), float("nan"), "5 apples"])
def test_calls_that_are_no_rate(calls):
    with pytest.raises(ArgumentError, match="calls: expected a rate such as `100/s`"):
        explain(calls=calls)


@pytest.mark.parametrize(
    ("calls", "each"), [(5, 5.0), (0.5, 0.5), ("5/s", 5.0), ("600/min", 10.0), ("12", 12.0), ("1/h", 1 / 3600)]
)
def test_calls_are_a_number_per_second_or_a_rate(calls, each):
    assert explain(calls=calls).worst_case.outage.calls_per_second == each


def test_an_operation_that_is_not_there_and_settings_that_cannot_be():
    with pytest.raises(UsageError, match="no operation `get_usr`; did you mean `get_user`"):
        explain("get_usr")
    with pytest.raises(SheetError, match="unknown key `retires`"):
        explain(code={"retires": 3})


GET = "A call makes at most 3 attempts and ends within 30s."
CUT = "(3 times 10s and pauses of at most 1s and 2s would be 33s; `timeout.total` cuts them.)"
ONCE = "A POST that the service may have processed is not sent again, unless it carries an idempotency key."
OUTAGE = (
    "In an outage, 100 calls/s become at most 130 requests/s (`retry.budget`, averaged over 10s) for at most 2s, if"
)
REST = "; the rest is for waiting: for a slot, for a turn, or as long as the service asks (Retry-After).)"
TRANSFER = "A stream, a download or an upload"


@pytest.mark.parametrize(
    ("operation", "service", "said", "unsaid"),
    [
        ("get_user", {}, [GET, CUT, OUTAGE], [ONCE, TRANSFER, REST]),
        ("pay", {}, ["at most 2 attempts", ONCE, f"(2 times 10s and pauses of at most 1s make 21s{REST}"], [CUT]),
        ("create_user", {}, ["at most 3 attempts and ends within 8s."], [ONCE]),
        (None, {}, [GET, "A POST or PATCH that the service may have processed", f"{TRANSFER} has no limit as a whole"], []),
        ("watch", {}, [f"{TRANSFER} has no limit as a whole", "as long as 10s do not pass without a byte"], []),
        ("photo", {}, [f"{TRANSFER} has no limit"], []),
        ("rows", {}, [f"{TRANSFER} ends within 60s, too, and after 10s without a byte."], []),
        ("get_user", {"retry": False}, [f"A call makes 1 attempt and ends within 30s. (10s for the attempt{REST}", "100 calls/s stay 100"], [CUT]),
        ("get_user", {"redirects": "same-origin"}, ["8 times 10s", "It follows at most 5 redirects"], []),
        ("get_user", {"http2": True}, ["5 times 10s", "unprocessed over HTTP/2 is sent again at most 2 times more"], []),
        ("get_user", {"retry": {"attempts": 6}}, ["6 times 10s and pauses of at most 31s in all would be 91s"], []),
        ("get_user", {"retry": {"budget": False}}, ["100 calls/s become at most 300 requests/s (`retry.attempts`) for"], ["retry.budget`"]),
        ("get_user", {"breaker": False}, ["for as long as it lasts: the breaker is off."], ["probe"]),
        ("get_user", {}, ["lets 1 probe through after 1s, then ever more seldom, up to every 5s."], []),
        ("get_user", {"breaker": {"probes": 2, "max_open": "1s"}}, ["lets 2 probes through every 1s."], []),
        ("get_user", {"breaker": {"ratio": "50%"}}, ["for at most 15s", "lets 3 probes through after 5s, then ever more seldom, up to every 60s."], []),
        ("get_user", {"rate_limit": "20/s"}, ["become at most 20 requests/s (`rate_limit`, averaged over 1s) for"], []),
    ],
)  # fmt: skip
def test_the_worst_case_in_sentences(operation, service, said, unsaid):
    text = told(explain(operation, **service))
    assert [sentence for sentence in said if sentence not in text] == []
    assert [sentence for sentence in unsaid if sentence in text] == []


def test_few_calls_and_one_call():
    assert "0.1 calls/s become at most 0.3 requests/s (`retry.attempts`) for as long as it lasts" in told(
        explain(calls=0.1)
    )
    assert "at so few calls the breaker may never open" in told(explain(calls=0.1))
    assert "1 call/s become at most 3 requests/s" in told(explain(calls=1))
    assert "In 10 minutes that makes at most" in told(explain(calls=1))


def test_the_text_is_readable_in_80_columns():
    long = {"base_url": f"https://{'a' * 60}.test/v1", "headers": {"X-A-Header-With-A-Very-Long-Name": "v" * 200}}
    for found in (explain("slow", rate_limit="1/s"), explain("get_user", **long), explain(code={"timeout": 2})):
        assert max(map(len, str(found).splitlines())) <= 80
        assert not any(line != line.rstrip() for line in str(found).splitlines())
    assert "".join(str(explain("get_user", **long)).split()).count("v" * 200) == 1
    assert " 524, 529]" in " ".join(str(explain("get_user")).split())


def test_the_columns_are_aligned():
    rows = str(explain("get_user", retry={"attempts": 4})).partition("Settings")[2].splitlines()[1:]
    (changed,) = [row for row in rows if row.startswith("* retry.attempts")]
    (built_in,) = [row for row in rows if row.startswith("  concurrency.limit")]
    assert changed.index("4") == built_in.index("100")
    assert changed.index("services.shop.retry.attempts") == built_in.index("built-in")


def test_every_built_in_setting_says_what_it_is_for():
    whole = explain(redirects="same-origin", idempotency_key=True, breaker={}, headers={"A": "b"}, params={"c": 1})
    assert [row.name for row in whole.settings if not row.why] == []


def test_every_field_of_the_records_that_are_shown_has_a_reason():
    whole = Settings(
        "https://shop.test",
        idempotency_key=IdempotencyKey(),
        redirects=Redirects(),
        envelope=Envelope(BodyTest("ok")),
    )
    shown = {(value.record, value.field) for value in values_of(whole) if value.record is not Settings}
    records = {Timeout, Retry, Backoff, Budget, IdempotencyKey, Breaker, RateLimit, Concurrency, Pool, Caps, TLS}
    assert {record for record, _ in shown} == records | {Redirects, Envelope, BodyTest}
    # Its only value needs no reason; the sheet's table of keys says what it is for.
    assert [each for each in shown if not reason(*each)] == [(Redirects, "follow")]
    assert about("redirects.follow") != ""


def test_a_reason_stands_beside_the_default():
    @dataclass(frozen=True, slots=True)
    class Sample:
        ratio: float = chosen(0.5, "open at `ratio` (0.5: below it, no)")
        plain: int = 3

    assert (Sample(), Sample(0.7)) == (Sample(0.5, 3), Sample(ratio=0.7))
    assert [reason(Sample, name) for name in ("ratio", "plain", "none")] == [
        "open at `ratio` (0.5: below it, no)",
        "",
        "",
    ]
    assert about("breaker.samples") == "failures in a row, or attempts that must be known, before it may open"
    assert about("nothing.there") == ""


WITHOUT_DOCSTRINGS = """\
from callsheet import Client, Sheet
with Client(Sheet(services={"shop": {"base_url": "https://shop.test"}})) as client:
    found = {setting.name: setting.why for setting in client.explain().settings}
    print(Client.__doc__, found["retry.attempts"], found["cookies"], sep="\\n")
"""


def test_reasons_are_there_when_python_drops_docstrings():
    told = subprocess.run([sys.executable, "-OO", "-c", WITHOUT_DOCSTRINGS], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines() == [
        "None",
        "`attempts` tries in all (3: two more outlast a blip, further ones add load to an outage)",
        about("cookies"),
    ]
