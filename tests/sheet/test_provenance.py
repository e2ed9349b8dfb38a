"""Each setting knows where it came from: by its dotted name, the place that made it what it is."""

from dataclasses import make_dataclass

import pytest

from callsheet.errors import UsageError
from callsheet.settings import Settings
from callsheet.sheet import Sheet
from callsheet.sheet.forms.record import Written
from callsheet.sheet.provenance import origins_of, values_of
from callsheet.sheet.tree.node import Scalar
from callsheet.sheet.tree.place import Place
from tests.sheet.sheets import HEAD, operation, parse, shop


def told(origins, head):
    return {name: str(origin) for name, origin in origins.items() if name.partition(".")[0] == head}


BUILT_IN_BREAKER = dict.fromkeys(
    ("breaker.ratio", "breaker.samples", "breaker.window", "breaker.open", "breaker.max_open", "breaker.probes"),
    "built-in",
)
RATE_LIMIT = dict.fromkeys(
    ("rate_limit.rates", "rate_limit.per", "rate_limit.cost", "rate_limit.learn", "rate_limit.when_full"), "built-in"
)
KEY = ("idempotency_key.header", "idempotency_key.quoted", "idempotency_key.from")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("breaker: off", {"breaker": "s.yaml:5:14"}),
        ("breaker: {samples: 5}", {**BUILT_IN_BREAKER, "breaker.samples": "s.yaml:5:24"}),
        ("breaker: {}", BUILT_IN_BREAKER),
        ("breaker: null", BUILT_IN_BREAKER),
        ("rate_limit: 50/s", {**RATE_LIMIT, "rate_limit.rates": "s.yaml:5:17"}),
        ("rate_limit: [50/s, 90/min]", {**RATE_LIMIT, "rate_limit.rates": "s.yaml:5:17"}),
        ("rate_limit: {learn: false}", {**RATE_LIMIT, "rate_limit.learn": "s.yaml:5:25"}),
        ("idempotency_key: true", dict.fromkeys(KEY, "s.yaml:5:22")),
        ("idempotency_key: off", {"idempotency_key": "s.yaml:5:22"}),
        ("idempotency_key: null", {"idempotency_key": "built-in"}),
        ("idempotency_key: X-Key", dict.fromkeys(KEY, "s.yaml:5:22")),
        ("idempotency_key: {header: off}", {"idempotency_key": "s.yaml:5:31"}),
        ("deadline_header: X-Left", {"deadline_header": "s.yaml:5:22"}),
        ("deadline_header: off", {"deadline_header": "s.yaml:5:22"}),
        ("concurrency: 7", {"concurrency.limit": "s.yaml:5:18", "concurrency.queue": "built-in"}),
        ("auth: off", {"auth": "s.yaml:5:11"}),
        ("redirects: {max: 2}", {"redirects.follow": "s.yaml:5:16", "redirects.max": "s.yaml:5:22"}),
    ],
)
def test_the_origins_of_a_setting(line, expected):
    assert told(shop(line).origins(), line.partition(":")[0]) == expected


def test_a_key_in_full_has_a_place_for_each_part_and_the_mappings_for_the_rest():
    origins = shop("idempotency_key: {from: argument}").origins()
    assert told(origins, "idempotency_key") == dict.fromkeys(KEY, "s.yaml:5:22") | {
        "idempotency_key.from": "s.yaml:5:29"
    }


def test_the_budget_has_places_of_its_own():
    origins = told(shop("retry: {budget: {floor: 1}}").origins(), "retry")
    assert {name: origin for name, origin in origins.items() if origin != "built-in"} == {
        "retry.budget.floor": "s.yaml:5:29"
    }
    assert {"retry.budget.ratio", "retry.budget.window", "retry.attempts"} < set(origins)
    off = told(shop("retry: {budget: off}").origins(), "retry")
    assert (off["retry.budget"], off["retry.attempts"]) == ("s.yaml:5:21", "built-in")


def test_the_other_defaults_below_a_ratio_of_all_come_from_where_the_ratio_is_written():
    origins = told(shop("breaker: {ratio: 30%}").origins(), "breaker")
    assert origins == {**dict.fromkeys(BUILT_IN_BREAKER, "s.yaml:5:22"), "breaker.samples": "built-in"}


def test_an_operation_switches_a_breaker_on_again():
    service = shop("breaker: off\noperations: {op: {get: /x, breaker: {probes: 1}}}")
    assert told(service.origins(), "breaker") == {"breaker": "s.yaml:5:14"}
    assert told(service.origins("op"), "breaker") == {**BUILT_IN_BREAKER, "breaker.probes": "s.yaml:6:50"}


def test_the_names_are_those_of_the_settings_whatever_is_on_or_off():
    lines = "retry: off\nbreaker: {}\nidempotency_key: true\nredirects: same-origin\nheaders: {A: b}\nparams: {c: 1}"
    service = shop(lines)
    assert set(service.origins()) == {value.name for value in values_of(service.settings())}
    assert "written" not in service.origins()


def test_a_new_setting_has_a_name_and_an_origin_by_itself():
    envelope = make_dataclass("Envelope", [("ok", tuple, ()), ("data", str, "data")], frozen=True)
    wider = make_dataclass(
        "Wider", [("envelope", envelope, envelope()), ("rules", tuple, ())], bases=(Settings,), frozen=True
    )
    found = {value.name: value.value for value in values_of(wider("http://x"))}
    assert (found["envelope.ok"], found["envelope.data"], found["rules"]) == ((), "data", ())
    place = Scalar("x", "x", Place("s.yaml", 9, 3))
    layer = {"envelope": Written({"data": Written("rows", place)}, place), "rules": Written((1,), place)}
    origins = origins_of(layer, wider("http://x", envelope=envelope((1,), "rows"), rules=(1,)))
    assert [str(origins[name]) for name in ("envelope.ok", "envelope.data", "rules")] == ["s.yaml:9:3"] * 3


def test_every_layer_has_its_place():
    text = """\
        callsheet: 1
        defaults:
          rate_limit: 50/s
          breaker: {samples: 9, window: 9s}
          idempotency_key: true
        services:
          shop:
            base_url: https://shop.example
            rate_limit: {cost: 2}
            breaker: {window: 8s}
            operations:
              op: {post: /x, idempotency_key: {quoted: true}, breaker: {probes: 2}}
        environments:
          e: {services: {shop: {operations: {op: {breaker: {probes: 1}}}}}}
        """
    origins = parse(text, env="e").services["shop"].origins("op", {"rate_limit": {"learn": False}})
    assert {name: str(origin) for name, origin in origins.items() if str(origin) != "built-in"} == {
        "base_url": "s.yaml:8:15",
        "rate_limit.rates": "s.yaml:3:15",
        "rate_limit.cost": "s.yaml:9:24",
        "rate_limit.learn": "Client(...)",
        "breaker.samples": "s.yaml:4:22",
        "breaker.window": "s.yaml:10:23",
        "breaker.probes": "s.yaml:14:61",
        "idempotency_key.header": "s.yaml:12:39",
        "idempotency_key.quoted": "s.yaml:12:48",
        "idempotency_key.from": "s.yaml:12:39",
    }


@pytest.mark.parametrize(
    ("base", "over", "settings"),
    [
        ("true", "{quoted: true}", ("Idempotency-Key", True)),
        ("{quoted: true}", "true", ("Idempotency-Key", True)),
        ("{header: X-Key, quoted: true}", "Y-Key", ("Y-Key", True)),
        ("X-Key", "{quoted: true}", ("X-Key", True)),
        ("X-Key", "null", None),
        ("X-Key", "off", None),
        ("off", "true", ("Idempotency-Key", False)),
        ("${K}", "true", ("Idempotency-Key", False)),
    ],
)
def test_an_environments_short_form_of_a_key_merges_as_what_it_stands_for(base, over, settings):
    overlay = f"{{services: {{shop: {{idempotency_key: {over}}}}}}}"
    text = f"{HEAD}    idempotency_key: {base}\nenvironments: {{e: {overlay}}}\n"
    key = parse(text, env="e", variables={"K": "X-Key"}).services["shop"].settings().idempotency_key
    assert (key and (key.header, key.quoted)) == settings


def test_a_default_that_yields_to_what_is_written_has_the_place_of_that():
    service = shop("timeout: {total: 3s}\nbreaker: {open: 90s}\nretry: {backoff: {first: 2s}}")
    settings, origins = service.settings(), service.origins()
    assert (settings.timeout.connect, str(origins["timeout.connect"])) == (3.0, "s.yaml:5:22")
    assert (settings.timeout.read, str(origins["timeout.read"])) == (10.0, "built-in")
    assert (settings.breaker.max_open, str(origins["breaker.max_open"])) == (90.0, "s.yaml:6:21")
    assert (settings.retry.backoff.throttled, str(origins["retry.backoff.throttled"])) == (2.0, "s.yaml:7:30")
    assert str(origins["retry.backoff.max"]) == "built-in"


def test_variables_of_a_short_form_and_of_one_part():
    lines = 'idempotency_key: "${K:-true}"\nbreaker: {samples: "${S}"}\nredirects: {max: "${M}"}'
    origins = shop(lines, variables={"S": "7", "M": "2"}).origins()
    assert str(origins["idempotency_key.header"]) == "s.yaml:5:22 (${K})"
    assert str(origins["breaker.samples"]) == "s.yaml:6:24 (${S})"
    assert str(origins["breaker.probes"]) == "built-in"
    assert str(origins["redirects.follow"]) == "s.yaml:7:16"


def test_the_origins_of_an_operation_that_is_not_there():
    with pytest.raises(UsageError, match="no operation `nope`"):
        shop().origins("nope")


def test_a_service_knows_its_environment():
    assert shop().environment is None
    assert parse(HEAD + "environments: {e: {}}\n", env="e").services["shop"].environment == "e"


OUTLINED = """\
callsheet: 1
defaults: {timeout: "${T}"}
services:
  shop:
    base_url: "${URL}"
    breaker: {samples: "${S}", probes: 1}
    retry: {statuses: [503, "${CODE}"]}
    rate_limit: "${RATE}"
    idempotency_key: "${KEY}"
    cookies: "${COOKIES}"
    redirects: "${R}"
    operations:
      op: {get: /x, timeout: {connect: 2s, total: "${U}"}}
      sure: {get: /x, timeout: 3s, redirects: off, rate_limit: {per: "${PER:-}"}}
      one: {post: /x, retry: "${RETRY}", tags: ["${TAG}"], stream: "${STREAM}"}
"""


def outline(variables=None):
    return Sheet.outline(OUTLINED, name="s.yaml", variables=variables or {}).services["shop"]


def unread(origins):
    return {name: origin.unread for name, origin in origins.items() if origin.unread}


def test_an_outline_says_which_values_it_does_not_know():
    names = ("URL", "S", "CODE", "RATE", "KEY", "COOKIES", "R", "T", "T")
    settings = (
        "base_url breaker.samples retry.statuses rate_limit.rates idempotency_key cookies redirects "
        "timeout.attempt timeout.total"
    )
    missing = [f"the variable `{name}` is not set" for name in names]
    assert unread(outline().origins()) == dict(zip(settings.split(), missing, strict=True))
    assert str(outline().origins()["base_url"]) == "s.yaml:5:15 (${URL})"
    assert outline().settings() == Settings("", breaker=shop("breaker: {probes: 1}").settings().breaker)


def test_what_a_higher_layer_says_is_known():
    op, sure = outline().origins("op"), outline().origins("sure")
    assert unread(op)["timeout.total"] == "the variable `U` is not set"
    assert unread(op)["timeout.attempt"] == "the variable `T` is not set"
    assert str(op["timeout.connect"]) == "s.yaml:13:40"
    assert not {"timeout.total", "timeout.attempt", "redirects"} & set(unread(sure))
    assert "expected `service`, `operation` or the name of an argument" in unread(sure)["rate_limit.per"]
    assert sure["rate_limit.per"].variables == ("PER",)


def test_a_record_that_is_not_known_stands_for_its_parts():
    origins = outline().origins("one")
    assert told(origins, "retry") == {"retry": "s.yaml:15:30 (${RETRY})"}


def test_an_outline_with_its_variables_knows_everything():
    variables = {"T": "5", "URL": "http://x", "S": "3", "CODE": "500", "RATE": "1/s", "KEY": "off", "COOKIES": "true"}
    service = outline(variables | {"R": "off", "U": "4", "RETRY": "off"})
    assert [unread(service.origins(name)) for name in (None, "op", "one")] == [{}] * 3
    assert service.settings("one").retry is None


def test_an_outline_tells_what_is_wrong_with_a_value_that_is_set():
    origins = outline({"S": "many"}).origins()
    assert "expected a whole number" in origins["breaker.samples"].unread
    assert "many" not in origins["breaker.samples"].unread


def test_a_user_agent_that_cannot_be_one():
    text = HEAD + '    user_agent: "${UA}"\n    headers: {A: b}\n'
    origins = Sheet.outline(text, name="s.yaml", variables={"UA": "caf\u00e9"}).services["shop"].origins()
    assert "expected a text of printable ASCII" in origins["user_agent"].unread
    assert "headers.A" in origins


def test_an_operations_part_of_a_limit_is_beside_the_services():
    origins = operation("get: /x\nrate_limit: 5/s\nconcurrency: {limit: 3}").origins("op")
    assert str(origins["rate_limit.rates"]) == "s.yaml:8:21"
    assert str(origins["concurrency.limit"]) == "s.yaml:9:30"
