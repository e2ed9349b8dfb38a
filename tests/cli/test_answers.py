"""What the terminal shows of error rules, envelopes and fallbacks."""

import json
import textwrap

import pytest

from tests.servers.actions import answer_json
from tests.servers.scripted import ScriptedServer

DOWN = answer_json({}, 503)


@pytest.fixture
def called(callsheet, sheet):
    """Call an operation of these lines, once with each answer."""

    def calling(lines, *answers, options=(), terminal=False):
        body = textwrap.indent(textwrap.dedent(lines), "        ")
        with ScriptedServer(list(answers)) as server:
            sheet(
                f'callsheet: 1\nservices:\n  s:\n    base_url: "{server.url}"\n    retry: off\n'
                f"    operations:\n      get:\n        get: /\n{body}\n"
            )
            return callsheet("call", "get", *options, terminal=terminal)

    return calling


FALLS_BACK = "returns: {type: array}\nfallback: {value: [1, {a: é}]}"
COMPLAINT = "callsheet: ServerError: s.get: GET /: 503 Service Unavailable; fell back\n"


def test_a_fallback_is_the_data_and_is_told_on_stderr(called):
    ended = called(FALLS_BACK, DOWN)
    assert (ended.code, ended.out, ended.err) == (0, '[1,{"a":"é"}]\n', COMPLAINT)


@pytest.mark.parametrize(
    ("options", "terminal", "out"),
    [
        ((), True, '[\n  1,\n  {\n    "a": "é"\n  }\n]\n'),
        (("-o", "json"), False, '[\n  1,\n  {\n    "a": "é"\n  }\n]\n'),
        (("-o", "ndjson"), False, '1\n{"a":"é"}\n'),
        (("-o", "raw"), False, '[1,{"a":"é"}]\n'),
        (("-o", "headers"), False, ""),
    ],
)
def test_a_fallback_in_each_form(called, options, terminal, out):
    ended = called(FALLS_BACK, DOWN, options=options, terminal=terminal)
    assert (ended.code, ended.out) == (0, out)
    assert ended.err.endswith(COMPLAINT)


def test_one_document_is_one_line(called):
    ended = called("returns: object\nfallback: {value: {a: 1}}", DOWN, options=("-o", "ndjson"))
    assert ended.out == '{"a":1}\n'


def test_a_model_and_an_object_of_the_programs_own(called, tmp_path):
    (tmp_path / "models.py").write_text(
        "from pydantic import BaseModel\n\n\nclass User(BaseModel):\n    name: str\n\n\n"
        "class Odd:\n    def __str__(self):\n        return 'odd\\x1b[2J'\n\n\n"
        "def odd(error):\n    return Odd()\n"
    )
    ended = called("returns: models:User\nfallback: {value: {name: Ada}}", DOWN)
    assert (ended.code, ended.out) == (0, '{"name":"Ada"}\n')
    ended = called("returns: models:User\nfallback: {python: models:odd}", DOWN)
    assert (ended.code, ended.out) == (0, "odd\\x1b[2J\n")


def test_an_answer_is_no_fallback(called):
    ended = called(FALLS_BACK, answer_json([7]))
    assert (ended.code, ended.out, ended.err) == (0, "[7]", "")


def test_a_failure_of_the_caller_has_none(called):
    ended = called(FALLS_BACK, answer_json({}, 404))
    assert (ended.code, ended.out, "fell back" in ended.err) == (4, "{}", False)


ENVELOPED = "returns: object\nenvelope: {ok: {path: code, equals: 0}, data: data, message: msg}\n"


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        ("", "ApplicationError"),
        ("errors: [{when: {path: code, equals: 5}, then: rate_limited}]", "RateLimited"),
        ("errors: [{when: {path: code, equals: 5}, then: fail, raise: NotFound}]", "NotFound"),
        ("errors: [{when: {path: code, equals: 5}, then: fail, raise: OutOfStock}]", "OutOfStock"),
    ],
)
def test_a_failure_inside_a_200_is_exit_code_5_whatever_its_name(called, rule, kind):
    ended = called(ENVELOPED + rule, answer_json({"code": 5, "msg": "sold out"}))
    assert (ended.code, json.loads(ended.out)["code"]) == (5, 5)
    assert ended.err == f"callsheet: {kind}: s.get: GET /: 200 OK, code 5: sold out\n"


def test_an_answer_is_shown_as_it_came_envelope_and_all(called):
    ended = called(ENVELOPED, answer_json({"code": 0, "data": {"id": 7}}))
    assert (ended.code, json.loads(ended.out)) == (0, {"code": 0, "data": {"id": 7}})


def test_an_answer_that_is_ignored_is_a_success(called):
    ended = called("returns: object\nerrors: [{when: {status: 404}, then: ignore}]", answer_json({"a": 1}, 404))
    assert (ended.code, json.loads(ended.out)) == (0, {"a": 1})


def test_verbose_tells_what_the_sheet_makes_of_an_answer(called):
    rule = "errors: [{when: {path: code, equals: 5}, then: rate_limited}]"
    ended = called(f"returns: object\n{rule}", answer_json({"code": 5}), options=("-v",))
    assert "-> 200 (rate limited, by the sheet) in" in ended.err


def test_a_fallback_that_cannot_be_is_found_by_check(callsheet, sheet):
    sheet(
        "callsheet: 1\nservices:\n  s:\n    base_url: http://127.0.0.1:9\n    operations:\n"
        "      get: {get: /, returns: integer, fallback: {value: seven}}\n"
    )
    ended = callsheet("check")
    assert ended.code != 0
    assert "callsheet.yaml:6:57: `fallback.value` is not of the type that `returns` declares" in ended.err + ended.out
