"""What an answer means by the sheet's rules, whatever its status."""

import json

import pytest

from callsheet.call import Attempt, Call
from callsheet.errors import (
    ApplicationError,
    BadRequest,
    Conflict,
    DecodeError,
    NotFound,
    RateLimited,
    ServerError,
    Unauthorized,
    ValidationError,
)
from callsheet.http.headers import Headers
from callsheet.http.json_path import MISSING
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.policies.error_rules import ErrorRules
from callsheet.secret import Secret
from callsheet.settings import BodyTest, Envelope, ErrorRule
from callsheet.settings.timeout import Timeout

BUSY = BodyTest("code", (1001,))
OK = BodyTest("code", (0,))
SECRET = Secret("canary-7")


def answer(status=200, body=None, *, content=None, is_stream=False, headers=()):
    request = Request("GET", "https://shop.test/things", Headers(), secrets=(SECRET,), is_stream=is_stream)
    sent = json.dumps(body).encode() if content is None else content
    return Response(status, request=request, content=sent, headers=Headers(headers))


def meaning(rules, outcome, envelope=None, *, is_stream=False):
    request = Request("GET", "https://shop.test/things", Headers(), is_stream=is_stream)
    attempt = Attempt(Call(request, Timeout(), 0.0, lambda: None), 1)
    attempt.outcome = outcome
    assert ErrorRules(tuple(rules), envelope).after(attempt, 0.0) is None
    return attempt.meaning


def error(sent, *rules, envelope=None):
    policy = ErrorRules(rules, envelope)
    return policy.interpret(sent).error


def fits(test, body):
    return meaning([ErrorRule("fail", body=test)], answer(body=body)) == "failed"


@pytest.mark.parametrize(
    ("then", "expected"),
    [
        ("fail", "failed"),
        ("retry", "transient"),
        ("ignore", "ignored"),
        ("rate_limited", "rate_limited"),
        ("refresh_token", "unauthorized"),
    ],
)
def test_each_consequence_has_its_meaning(then, expected):
    assert meaning([ErrorRule(then, body=BUSY)], answer(body={"code": 1001})) == expected


def test_an_answer_that_no_rule_fits_means_what_its_status_says():
    assert meaning([ErrorRule("fail", body=BUSY)], answer(body={"code": 0})) is None


def test_where_no_answer_came_there_is_nothing_to_look_at():
    assert meaning([ErrorRule("fail", statuses=("5xx",))], DecodeError("broken")) is None


@pytest.mark.parametrize(
    ("statuses", "fitting"),
    [
        ((404,), {404}),
        ((404, 410), {404, 410}),
        (("5xx",), {500, 503, 599}),
        (("4xx", 503), {404, 410, 499, 503}),
        (("2xx",), {200}),
        ((), {200, 302, 404, 410, 499, 500, 503, 599}),
    ],
)
def test_statuses_one_by_one_and_by_class(statuses, fitting):
    rule = ErrorRule("fail", statuses, BodyTest("a"))
    tried = (200, 302, 404, 410, 499, 500, 503, 599)
    assert {status for status in tried if meaning([rule], answer(status, {"a": 1}))} == fitting


@pytest.mark.parametrize(
    ("equals", "value", "is_equal"),
    [
        (0, 0, True),
        (0, 0.0, True),
        (1.5, 1.5, True),
        (0, False, False),
        (1, True, False),
        (True, True, True),
        (True, 1, False),
        (0, "0", False),
        ("0", "0", True),
        ("0", 0, False),
        (None, None, True),
        (None, False, False),
        (None, 0, False),
        ("a", ["a"], False),
        ("a", {"a": 1}, False),
        (10**30, 10**30, True),
    ],
)
def test_equal_is_equal_in_json_terms(equals, value, is_equal):
    assert fits(BodyTest("v", (equals,)), {"v": value}) is is_equal


def test_of_several_values_one_is_enough():
    test = BodyTest("v", (1, "a", None))
    assert [fits(test, {"v": value}) for value in (1, "a", None, 2, "b")] == [True, True, True, False, False]


@pytest.mark.parametrize(
    "test", [BodyTest("v"), BodyTest("v", (None,)), BodyTest("v", ("",)), BodyTest("v", None, ".*")]
)
@pytest.mark.parametrize("body", [{}, {"w": 1}, [], "v", None])
def test_what_is_missing_fits_nothing_not_even_null(test, body):
    assert not fits(test, body)


@pytest.mark.parametrize(
    ("value", "is_there"), [(0, True), (False, True), ("", True), ([], True), ({}, True), (None, False)]
)
def test_a_path_alone_asks_for_a_value_other_than_null(value, is_there):
    assert fits(BodyTest("v"), {"v": value}) is is_there


@pytest.mark.parametrize(
    ("pattern", "value", "is_found"),
    [
        ("^E1", "E17", True),
        ("1", "E17", True),
        ("^1$", "E1", False),
        ("^10", 1001, True),
        (r"\.5$", 1.5, True),
        ("true", True, True),
        ("(?i)busy", "BUSY", True),
        (".", None, False),
        (".", ["a"], False),
        (".", {"a": 1}, False),
    ],
)
def test_a_pattern_is_found_in_the_text_of_a_scalar(pattern, value, is_found):
    assert fits(BodyTest("v", None, pattern), {"v": value}) is is_found


@pytest.mark.parametrize("content", [b"", b"<html>", b'{"code": 1001', b"\xff"])
def test_a_body_that_is_no_json_fits_no_test_of_a_body(content):
    assert meaning([ErrorRule("fail", body=BUSY)], answer(503, content=content)) is None
    assert meaning([ErrorRule("fail", (503,))], answer(503, content=content)) == "failed"


def test_json_is_looked_into_whatever_the_content_type_says():
    assert meaning([ErrorRule("retry", body=BUSY)], answer(body={"code": 1001}, headers={"Content-Type": "text/html"}))


def test_the_first_rule_that_fits_counts():
    rules = [ErrorRule("ignore", body=BodyTest("code", (7,))), ErrorRule("retry", (200,)), ErrorRule("fail", body=BUSY)]
    assert [meaning(rules, answer(body={"code": code})) for code in (7, 1001)] == ["ignored", "transient"]


def test_of_a_stream_only_the_status_is_looked_at():
    rules = [ErrorRule("fail", body=BUSY), ErrorRule("retry", (200,), BUSY), ErrorRule("ignore", (404,))]
    assert meaning(rules, answer(body={"code": 1001}), is_stream=True) is None
    assert meaning(rules, answer(404), is_stream=True) == "ignored"
    assert meaning([], answer(body={"code": 5}), Envelope(OK), is_stream=True) is None


def test_json_is_parsed_once_for_all_rules():
    sent = answer(body={"code": 5})
    meaning([ErrorRule("fail", body=BUSY), ErrorRule("fail", body=BodyTest("code", (6,)))], sent, Envelope(OK))
    assert sent.document() is sent.document()


@pytest.mark.parametrize(
    ("then", "status", "kind"),
    [
        ("fail", 200, ApplicationError),
        ("fail", 399, ApplicationError),
        ("fail", 400, BadRequest),
        ("fail", 409, Conflict),
        ("retry", 200, ApplicationError),
        ("retry", 503, ServerError),
        ("rate_limited", 200, RateLimited),
        ("rate_limited", 503, RateLimited),
        ("refresh_token", 200, Unauthorized),
        ("refresh_token", 403, Unauthorized),
    ],
)
def test_the_error_is_that_of_the_status_or_of_the_meaning(then, status, kind):
    found = error(answer(status, {"code": 1001}), ErrorRule(then, body=BUSY))
    assert type(found) is kind
    assert (found.status_code, found.code, found.message) == (status, 1001, None)


def test_a_rule_may_name_the_error():
    assert type(error(answer(body={"code": 1001}), ErrorRule("retry", body=BUSY, raises="NotFound"))) is NotFound
    own = error(answer(503, {"code": 1001}), ErrorRule("rate_limited", body=BUSY, raises="OutOfStock"))
    assert type(own) is ApplicationError.named("OutOfStock")
    assert own.meaning == "rate_limited"


def test_what_is_ignored_raises_nothing():
    assert error(answer(404), ErrorRule("ignore", (404,))) is None


def test_an_error_says_status_code_and_message():
    body = {"error": {"type": "stock", "text": "sold\nout"}}
    rule = ErrorRule("fail", body=BodyTest("error.type"), message="error.text")
    found = error(answer(body=body), rule)
    assert (found.code, found.message, str(found)) == ("stock", "sold\nout", "200 OK, code stock: sold out")
    assert found.response.json() == body


@pytest.mark.parametrize(
    ("message", "told"),
    [("gone", "gone"), (["a", 1], '["a",1]'), ({"a": None}, '{"a":null}'), (5, "5"), ("", None), (None, None)],
)
def test_a_message_is_a_text_or_json(message, told):
    assert (
        error(answer(body={"code": 1001, "msg": message}), ErrorRule("fail", body=BUSY, message="msg")).message == told
    )


def test_a_code_that_is_no_scalar_is_none():
    found = error(answer(body={"error": {"a": 1}}), ErrorRule("fail", body=BodyTest("error")))
    assert (found.code, str(found)) == (None, "200 OK")


def test_a_switch_is_no_code_worth_showing():
    found = error(answer(body={"success": False}), ErrorRule("fail", body=BodyTest("success", (False,))))
    assert (found.code, str(found)) == (False, "200 OK")


def test_secrets_are_masked_and_a_long_message_is_cut_in_the_text_only():
    body = {"code": "canary-7", "msg": "token canary-7 " + "x" * 1000}
    found = error(answer(body=body), ErrorRule("fail", body=BodyTest("code"), message="msg"))
    assert (found.code, found.message[:9], len(found.message)) == ("***", "token ***", len("token *** ") + 1000)
    assert "canary" not in str(found) + found.message
    assert len(str(found)) < 230


def test_without_a_message_the_problem_speaks():
    headers = {"Content-Type": "application/problem+json"}
    found = error(answer(404, {"detail": "no such user"}, headers=headers), ErrorRule("fail", (404,)))
    assert str(found) == "404 Not Found: no such user"


ENVELOPE = Envelope(OK, "data", "msg")


def test_an_envelope_that_is_not_ok_is_a_failure():
    sent = answer(body={"code": 404, "msg": "no such user", "data": None})
    assert meaning([], sent, ENVELOPE) == "failed"
    found = error(sent, envelope=ENVELOPE)
    assert (type(found), found.code, found.message, found.meaning) == (ApplicationError, 404, "no such user", "failed")
    assert str(found) == "200 OK, code 404: no such user"


def test_one_that_is_ok_means_what_its_status_says():
    sent = answer(body={"code": 0, "data": 5})
    assert meaning([], sent, ENVELOPE) is None
    assert error(sent, envelope=ENVELOPE) is None


@pytest.mark.parametrize("sent", [answer(200, {"other": 1}), answer(200, content=b"<html>"), answer(204, content=b"")])
def test_what_is_no_envelope_is_no_failure_by_it(sent):
    assert meaning([], sent, ENVELOPE) is None
    assert error(sent, envelope=ENVELOPE) is None


@pytest.mark.parametrize(("status", "is_asked"), [(199, False), (200, True), (299, True), (300, False), (404, False)])
def test_an_envelope_is_for_2xx_only(status, is_asked):
    assert meaning([], answer(status, {"code": 5}), ENVELOPE) == ("failed" if is_asked else None)


@pytest.mark.parametrize(("status", "kind"), [(399, None), (400, BadRequest), (500, ServerError)])
def test_a_status_that_no_rule_knows_is_an_error_from_400_on(status, kind):
    found = error(answer(status))
    assert (None if found is None else type(found)) is kind


def test_a_status_from_400_on_stays_its_own_error_with_code_and_message_of_the_envelope():
    found = error(answer(404, {"code": 17, "msg": "no such user"}), envelope=ENVELOPE)
    assert (type(found), found.code, found.message, found.meaning) == (NotFound, 17, "no such user", None)
    assert str(found) == "404 Not Found, code 17: no such user"


def test_rules_are_asked_before_the_envelope_and_take_its_message():
    rule = ErrorRule("retry", body=BUSY)
    sent = answer(body={"code": 1001, "msg": "busy"})
    assert meaning([rule], sent, ENVELOPE) == "transient"
    assert error(sent, rule, envelope=ENVELOPE).message == "busy"
    by_status = error(answer(500, {"code": 9, "msg": "broken"}), ErrorRule("fail", ("5xx",)), envelope=ENVELOPE)
    assert (by_status.code, by_status.message) == (9, "broken")
    own = error(sent, ErrorRule("fail", body=BUSY, message="data"), envelope=ENVELOPE)
    assert own.message is None


def test_a_success_without_rules():
    policy = ErrorRules((), ENVELOPE)
    ok, failed = answer(body={"code": 0}), answer(body={"code": 1})
    sent = (ok, failed, answer(299), answer(300), answer(404))
    assert [policy.is_success(each) for each in sent] == [True, False, True, False, False]


def opened(body, envelope, **facts):
    return ErrorRules((), envelope).envelope.opened(answer(body=body, **facts))


def test_the_data_of_an_envelope():
    assert opened({"code": 0, "data": [1]}, ENVELOPE) == [1]
    assert opened({"code": 0}, ENVELOPE) is MISSING
    assert opened({"code": 0, "a": {"b": 5}}, Envelope(OK, "a.b")) == 5
    assert opened({"code": 0, "id": 7}, Envelope(OK)) == {"code": 0, "id": 7}
    assert opened({"data": {"id": 7}}, Envelope(None, "data")) == {"id": 7}


def test_what_is_no_envelope_cannot_be_opened():
    with pytest.raises(ValidationError) as caught:
        opened({"data": 5}, ENVELOPE)
    assert str(caught.value) == "200: the answer is no envelope: expected a value at `code`"
    assert caught.value.errors[0]["loc"] == ("code",)
    with pytest.raises(ValidationError, match="expected a value at `data`"):
        opened({"code": 0}, Envelope(None, "data"))
    with pytest.raises(DecodeError, match="the answer is not JSON"):
        opened(None, ENVELOPE, content=b"<html>")


def test_what_was_parsed_for_a_rule_is_given_out_once():
    sent = answer(body={"code": 5})
    meaning([ErrorRule("fail", body=BUSY)], sent)
    kept = sent.document()
    first, second = sent.json(), sent.json()
    assert first is kept
    assert second is not first
    assert second == first


def test_who_opens_an_envelope_may_change_what_was_in_it():
    sent = answer(body={"code": 0, "data": [1]})
    policy = ErrorRules((), ENVELOPE)
    policy.envelope.opened(sent).append(2)
    assert policy.envelope.opened(sent) == [1]
