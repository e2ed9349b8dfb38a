"""`envelope`, `errors` and `fallback` as they are read, layer over layer."""

import pytest

from callsheet.explain.spelling import plain_data, spelled
from callsheet.settings import BodyTest, Envelope, ErrorRule, Fallback
from callsheet.sheet import Sheet
from tests.sheet.sheets import HEAD, errors, operation, parse, shop


def rules(text):
    return shop(f"errors: [{text}]").settings().errors


def rule(**given):
    return {"errors": [{"when": {"status": 404}, "then": "fail", **given}]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{when: {status: 404}, then: ignore}", ErrorRule("ignore", (404,))),
        ("{when: {status: [404, 5XX]}, then: retry}", ErrorRule("retry", (404, "5xx"))),
        ("{when: {path: a.b}, then: fail}", ErrorRule("fail", (), BodyTest("a.b"))),
        ("{when: {path: a, equals: 5}, then: rate_limited}", ErrorRule("rate_limited", (), BodyTest("a", (5,)))),
        ("{when: {path: a, equals: [5, b, true]}, then: fail}", ErrorRule("fail", (), BodyTest("a", (5, "b", True)))),
        ("{when: {path: a, equals: null}, then: fail}", ErrorRule("fail", (), BodyTest("a", (None,)))),
        ("{when: {path: a, equals: [null]}, then: fail}", ErrorRule("fail", (), BodyTest("a", (None,)))),
        ("{when: {path: a, matches: '^E'}, then: refresh_token}", ErrorRule("refresh_token", (), BodyTest("a", None, "^E"))),
        ("{when: {status: 409, path: a, matches: ~}, then: fail, raise: ~}", ErrorRule("fail", (409,), BodyTest("a"))),
        ("{when: {status: 409}, then: fail, raise: OutOfStock, message: m}", ErrorRule("fail", (409,), None, "OutOfStock", "m")),
    ],
)  # fmt: skip
def test_a_rule(text, expected):
    assert rules(text) == (expected,)


@pytest.mark.parametrize("written", ["off", "false", "[]"])
def test_rules_that_are_inherited_are_replaced_whole_or_switched_off(written):
    lines = f"""\
        errors: [{{when: {{status: 404}}, then: fail}}, {{when: {{status: 410}}, then: fail}}]
        operations:
          a: {{get: /a}}
          b: {{get: /b, errors: {written}}}
          c: {{get: /c, errors: [{{when: {{status: 409}}, then: retry}}]}}
        """
    service = shop(lines)
    found = [[r.statuses for r in service.settings(name).errors] for name in "abc"]
    assert found == [[(404,), (410,)], [], [(409,)]]


def test_an_envelope_merges_key_by_key():
    service = shop("""\
        envelope: {ok: {path: code, equals: 0}, data: data, message: msg}
        operations:
          a: {get: /a}
          b: {get: /b, envelope: {data: data.items}}
          c: {get: /c, envelope: {ok: {equals: [0, 200]}}}
          d: {get: /d, envelope: off}
          e: {get: /e, envelope: {ok: {equals: null}}}
        """)
    ok = BodyTest("code", (0,))
    assert [service.settings(name).envelope for name in "abcde"] == [
        Envelope(ok, "data", "msg"),
        Envelope(ok, "data.items", "msg"),
        Envelope(BodyTest("code", (0, 200)), "data", "msg"),
        None,
        Envelope(BodyTest("code", (None,)), "data", "msg"),
    ]


def test_layers_that_contradict_each_other_are_told_with_the_upper_place():
    text = errors(
        shop,
        """\
        envelope: {ok: {path: code, equals: 0}}
        operations: {op: {get: /x, envelope: {ok: {matches: "^0"}}}}
        """,
    )
    assert "6:48: `envelope.ok` of operation `shop.op`: `matches` beside `equals`" in text


def test_an_envelope_without_a_test_only_says_where_the_data_is():
    assert shop("envelope: {data: data}").settings().envelope == Envelope(None, "data")


def test_what_cannot_be_read_is_told_once():
    assert errors(shop, "envelope: {ok: {path: $.code, equals: 0}}").count("s.yaml:") == 1
    assert errors(shop, "errors: [{when: {status: 600}, then: nope}]").count("s.yaml:") == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{value: {a: [1, null]}}", Fallback({"a": [1, None]}, where="s.yaml:5:23")),
        ("{value: null}", Fallback(None, where="s.yaml:5:23")),
        ("{value: ~, python: ~}", Fallback(None, where="s.yaml:5:23")),
        ("{python: 'a.b:c.d'}", Fallback(python="a.b:c.d", where="s.yaml:5:24")),
        ("off", None),
        ("false", None),
    ],
)
def test_a_fallback(text, expected):
    assert shop(f"fallback: {text}").settings().fallback == expected


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("a.b.c", "did you mean `a.b:c`?"),
        ("c", ""),
        ("a.b:", ""),
        ("a b.c", ""),
        (f"{'m' * 58}.c", f"did you mean `{'m' * 58}:c`?"),
        (f"{'m' * 59}.c", ""),
    ],
)
def test_a_function_that_is_named_as_python_names_it(name, hint):
    text = errors(shop, f"fallback: {{python: '{name}'}}")
    assert text.rpartition("^")[2].strip() == hint


def test_a_fallback_of_an_operation_is_its_own():
    service = operation("get: /x\nreturns: object\nfallback: {value: {}}")
    assert service.settings().fallback is None
    assert service.settings("op").fallback.value == {}
    assert operation("get: /x\nenvelope: {data: a}\nfallback: {value: 1}").settings("op").fallback.value == 1
    assert operation("get: /x\nstream: true\nfallback: off").settings("op").fallback is None


def test_an_inherited_fallback_and_envelope_are_no_error_for_who_has_no_use_for_them():
    service = shop("""\
        fallback: {value: 5}
        envelope: {data: data}
        errors: [{when: {path: a}, then: fail}]
        operations: {stream: {get: /x, stream: true}, plain: {get: /x, envelope: off}}
        """)
    assert service.settings("stream").fallback.value == 5


def test_defaults_and_environments_have_them_too():
    text = """\
        callsheet: 1
        defaults: {errors: [{when: {status: 404}, then: ignore}], fallback: {value: 1}, envelope: {data: a}}
        services: {shop: {base_url: "https://shop.example", fallback: {python: "a:b"}}}
        environments:
          prod: {}
          test:
            defaults: {errors: off, envelope: {data: b}}
            services: {shop: {fallback: {value: 2}}}
        """
    prod, test = (parse(text, env=env).services["shop"].settings() for env in ("prod", "test"))
    assert (len(prod.errors), prod.fallback.python, prod.envelope.data) == (1, "a:b", "a")
    assert (test.errors, test.fallback.value, test.fallback.python, test.envelope.data) == ((), 2, None, "b")


def test_values_may_come_from_variables():
    service = shop(
        'errors: [{when: {status: "${S}", path: "${P}", equals: "${E}"}, then: "${T}"}]',
        variables={"S": "404", "P": "a.b", "E": "7", "T": "ignore"},
    )
    assert service.settings().errors == (ErrorRule("ignore", (404,), BodyTest("a.b", (7,))),)


def test_where_they_came_from():
    service = shop("envelope: {ok: {path: code, equals: 0}}\nerrors: off\nfallback: {value: 1}")
    origins = service.origins()
    found = {name: str(origins[name]) for name in ("envelope.ok.path", "envelope.ok.equals", "errors", "fallback")}
    assert found == {
        "envelope.ok.path": "s.yaml:5:27",
        "envelope.ok.equals": "s.yaml:5:41",
        "errors": "s.yaml:6:13",
        "fallback": "s.yaml:7:15",
    }


@pytest.mark.parametrize(
    "written",
    [
        "errors: [{when: {status: 404}, then: ignore}]",
        "errors: [{when: {status: [404, 5xx], path: a.b, equals: 5}, then: fail, raise: OutOfStock, message: m}]",
        'errors: [{when: {path: a, equals: [null, true, "1", "", a b]}, then: retry}]',
        'errors: [{when: {path: a, matches: "^a, [b]"}, then: rate_limited}, {when: {path: a}, then: fail}]',
        "errors: off",
        "fallback: {value: {a: [1, null, 2.5]}}",
        "fallback: {value: null}",
        'fallback: {python: "a.b:c"}',
        "fallback: off",
        "envelope: off",
    ],
)
def test_they_are_told_as_they_would_be_written(written):
    name, _, value = written.partition(": ")
    settings = shop(written).settings()
    assert spelled(name, getattr(settings, name)) == value
    again = shop(f"{name}: {spelled(name, getattr(settings, name))}").settings()
    assert getattr(again, name) == getattr(settings, name)


@pytest.mark.parametrize("values", ["0", "[0, a, null]", '"5"'])
def test_what_a_value_is_equal_to_is_told_as_it_would_be_written(values):
    ok = shop(f"envelope: {{ok: {{path: a, equals: {values}}}}}").settings().envelope.ok
    assert spelled("envelope.ok.equals", ok.equals) == values


def test_a_function_of_python_is_told_by_its_name():
    fallback = Sheet(services={"s": {"base_url": "https://s.example", "fallback": {"python": errors}}})
    assert plain_data(fallback.services["s"].settings().fallback) == {"python": "tests.sheet.sheets:errors"}


def outlined(lines):
    text = HEAD + "".join(f"    {line}\n" for line in lines)
    return Sheet.outline(text, name="s.yaml", variables={}).services["shop"]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('errors: "${A}"', "errors"),
        ('errors: [{when: {status: "${A}"}, then: fail}, {when: {status: 404}, then: fail}]', "errors"),
        ('errors: [{when: {path: a}, then: "${A}"}]', "errors"),
        ('fallback: "${A}"', "fallback"),
        ('fallback: {python: "${A}"}', "fallback"),
        ('envelope: "${A}"', "envelope"),
        ('envelope: {ok: {path: a, matches: "(${A}"}}', "envelope.ok.matches"),
        ('envelope: {ok: "${A}", message: m}', "envelope.ok"),
    ],
)
def test_an_outline_says_what_it_does_not_know(line, name):
    origin = outlined([line]).origins()[name]
    assert (origin.variables, bool(origin.unread)) == (("A",), True)


def test_an_outline_knows_the_rest_of_an_envelope():
    service = outlined(['envelope: {ok: {path: "${A}.", equals: 0}, data: data}'])
    assert service.settings().envelope == Envelope(None, "data")
    service = outlined(['envelope: {ok: {path: a, matches: "(${A}"}, data: "${A}."}'])
    assert service.settings().envelope == Envelope(BodyTest("a"))


def test_an_outline_does_not_judge_what_it_does_not_know():
    operation = "{get: /x, stream: true, errors: '${A}', fallback: '${A}', envelope: '${A}'}"
    service = outlined([f"operations: {{stream: {operation}, plain: {{get: /x, fallback: '${{A}}'}}}}"])
    assert service.settings("stream").fallback is None


def test_the_same_in_python():
    def stand_in(error):
        return 5

    service = {"base_url": "https://shop.example", **rule(), "fallback": {"python": stand_in}}
    settings = Sheet(services={"shop": service}).services["shop"].settings(None, {"envelope": {"data": "a"}})
    assert settings.errors == (ErrorRule("fail", (404,)),)
    assert (settings.fallback.python, settings.envelope) == (stand_in, Envelope(None, "a"))
    text = errors(lambda: Sheet(services={"shop": {**service, "fallback": {"python": 5}}}))
    assert text.startswith("services.shop.fallback.python: `fallback.python` of service `shop`: expected a function")


def test_a_name_much_like_one_of_ours_is_a_warning():
    sheet = parse(HEAD + "    errors: [{when: {status: 404}, then: fail, raise: NotFuond}]\n")
    (warning,) = sheet.warnings
    assert "5:55: `errors.0.raise` of service `shop`: `NotFuond` becomes an error of its own" in str(warning)
    assert "did you mean `NotFound`?" in str(warning)
    assert parse(HEAD + "    errors: [{when: {status: 404}, then: fail, raise: OutOfStock}]\n").warnings == ()
