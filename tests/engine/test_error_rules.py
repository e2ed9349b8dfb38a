"""What error rules, the envelope and the fallback do to a whole call."""

import gzip
import json
import logging
from dataclasses import replace
from datetime import date

import pytest

from callsheet.errors import (
    APIError,
    ApplicationError,
    ArgumentError,
    AttemptTimeout,
    AuthError,
    BadRequest,
    BreakerOpen,
    DeadlinePassed,
    DecodeError,
    NoAnswer,
    NotFound,
    NotSent,
    RateLimited,
    Redirected,
    ResponseTooLarge,
    ServerError,
    Unauthorized,
    UsageError,
    ValidationError,
)
from callsheet.events import AttemptEnded, CallEnded
from callsheet.plan.fallback import may_fall_back
from callsheet.plan.results import results_of
from callsheet.policies.slot import Slot
from callsheet.settings import BodyTest, Caps, Concurrency, Envelope, ErrorRule, Fallback, Redirects
from callsheet.settings.settings import Settings
from callsheet.sheet.words.operation import Operation
from callsheet.values.typeref import TypeRef
from callsheet.verdicts import AnswerWith, Refuse
from tests.engine.world import Answer, Interrupt, Policy

ENVELOPE = Envelope(BodyTest("code", (0,)), "data", "msg")
BUSY = ErrorRule("retry", body=BodyTest("code", (1001,)))
THING = TypeRef("python", dict[str, int])


def enveloped(data=None, code=0, msg="", **rest):
    return Answer(body=json.dumps({"code": code, "msg": msg, "data": data}).encode(), **rest)


def plan_of(world, returns=THING, *, slot=None, **chosen):
    """The plan of an operation under these settings, all that is on by default included."""
    plan = world.real_plan(slot, **chosen)
    results = results_of(Operation("get_thing", "GET", "/things", returns=returns), Settings("", **chosen))
    return replace(plan, **results._asdict())


def called(world, *script, returns=THING, typed=True, raises=True, method="GET", repeatable=False, **chosen):
    """The result of a call that this script answers, or the error it raises."""
    world.transport.script = list(script)
    try:
        return world.call(
            plan_of(world, returns, **chosen), typed=typed, raises=raises, method=method, is_repeatable=repeatable
        )
    except APIError as error:
        return error


def test_a_business_code_is_tried_again_like_a_503(world):
    busy = enveloped(code=1001, msg="busy")
    found = called(world, busy, busy, enveloped({"id": 7}), errors=(BUSY,), envelope=ENVELOPE)
    assert found == {"id": 7}
    assert world.pauses == [0.5, 1.0]
    assert [event.meaning for event in world.told(AttemptEnded)] == ["transient", "transient", None]


def test_of_a_post_only_with_the_word_of_the_sheet(world):
    busy = enveloped(code=1001)
    assert type(called(world, busy, method="POST", errors=(BUSY,))) is ApplicationError
    assert called(world, busy, Answer(body=b'{"id": 7}'), method="POST", repeatable=True, errors=(BUSY,)) == {"id": 7}


def test_one_that_says_we_are_too_fast_is_tried_again_for_any_method_after_what_it_asks_for(world):
    rule = ErrorRule("rate_limited", body=BodyTest("code", (429,)))
    limited = enveloped(code=429, headers={"Retry-After": "3"})
    assert called(world, limited, Answer(body=b'{"id": 7}'), method="POST", errors=(rule,)) == {"id": 7}
    assert world.pauses == [3.0]


def test_what_stands_after_the_last_attempt_is_raised_with_all_that_is_known(world):
    found = called(world, *[enveloped(code=1001, msg="busy")] * 3, errors=(BUSY,), envelope=ENVELOPE)
    assert (type(found), found.code, found.message, found.meaning) == (ApplicationError, 1001, "busy", "transient")
    assert str(found) == "shop.get_thing: GET /things: 200 OK, code 1001: busy (attempt 3)"
    assert (found.attempts, found.was_sent, found.service, found.response.json()["code"]) == (3, True, "shop", 1001)
    ended = world.told(CallEnded)[0]
    assert (ended.status, ended.error, ended.attempts) == (200, "ApplicationError", 3)


def test_with_retry_off_a_transient_code_fails_at_once(world):
    assert called(world, enveloped(code=1001), errors=(BUSY,), retry=None).attempts == 1


def test_a_refused_further_attempt_leaves_the_outcome_with_its_meaning(world):
    refusing = Policy("breaker", [], before=[None, Refuse(BreakerOpen("open"), by="breaker")])
    world.transport.script = [enveloped(code=1001, msg="busy")]
    plan = plan_of(world, errors=(BUSY,), envelope=ENVELOPE)
    asked = (*plan.before_attempt, refusing.before)
    with pytest.raises(ApplicationError) as caught:
        world.call(replace(plan, before_call=asked, before_attempt=asked), typed=True)
    assert (caught.value.stopped_by, caught.value.message) == ("breaker", "busy")


@pytest.mark.parametrize(
    ("then", "kind"), [("rate_limited", RateLimited), ("refresh_token", Unauthorized), ("fail", ApplicationError)]
)
def test_the_final_error_says_what_the_code_means(world, then, kind):
    rule = ErrorRule(then, body=BodyTest("code", (5,)))
    found = called(world, enveloped(code=5), errors=(rule,), retry=None)
    assert (type(found), found.status_code, found.code) == (kind, 200, 5)


def test_a_rule_that_fails_keeps_a_503_from_being_tried_again(world):
    rule = ErrorRule("fail", (503,), BodyTest("reason", ("closed",)), raises="Closed")
    found = called(world, Answer(503, b'{"reason": "closed"}'), errors=(rule,))
    assert (type(found), found.attempts) == (ApplicationError.named("Closed"), 1)
    assert called(world, Answer(503, b"{}"), Answer(body=b'{"id": 7}'), errors=(rule,)) == {"id": 7}


def test_a_redirect_that_a_rule_calls_a_failure_is_not_followed(world):
    rule = ErrorRule("refresh_token", (302,))
    found = called(world, Answer(302, headers={"Location": "/login"}), errors=(rule,), redirects=Redirects())
    assert (type(found), len(world.transport.sent)) == (Unauthorized, 1)


NOT_THERE = ErrorRule("ignore", (404,))


@pytest.mark.parametrize(
    ("returns", "result"),
    [
        (THING, None),
        (TypeRef("python", dict), None),
        ({200: THING, 404: TypeRef("python", dict[str, str])}, {"why": "gone"}),
        ({200: THING, "4xx": TypeRef("python", dict[str, str])}, {"why": "gone"}),
        ({200: THING, 404: None}, None),
        ({"2xx": THING, "default": TypeRef("python", dict)}, None),
    ],
)
def test_a_failure_that_is_ignored_is_none_or_what_is_declared_for_it(world, returns, result):
    gone = Answer(404, b'{"why": "gone"}')
    assert called(world, gone, returns=returns, errors=(NOT_THERE,)) == result
    ended = world.told(CallEnded)[0]
    assert (ended.status, ended.error) == (404, None)


def test_without_a_declared_type_an_ignored_failure_is_the_response(world):
    assert called(world, Answer(404), returns=None, errors=(NOT_THERE,)).status_code == 404
    assert called(world, Answer(404), typed=False, errors=(NOT_THERE,)).status_code == 404


def test_a_success_that_is_ignored_is_read_as_ever(world):
    rule = ErrorRule("ignore", (200,))
    assert called(world, Answer(body=b'{"id": 7}'), errors=(rule,)) == {"id": 7}


def test_an_ignored_code_of_an_envelope_is_none(world):
    rule = ErrorRule("ignore", body=BodyTest("code", (404,)))
    for returns in (THING, None):
        assert called(world, enveloped(code=404), returns=returns, errors=(rule,), envelope=ENVELOPE) is None
    assert called(world, enveloped({"id": 7}), errors=(rule,), envelope=ENVELOPE) == {"id": 7}


def test_an_ignored_failure_by_status_or_by_code_where_the_types_are_by_status(world):
    returns = {"2xx": THING, 404: TypeRef("python", dict[str, str])}
    rules = (NOT_THERE, ErrorRule("ignore", body=BodyTest("code", (404,))))
    chosen = {"returns": returns, "errors": rules, "envelope": ENVELOPE}
    assert called(world, enveloped({"id": 7}), **chosen) == {"id": 7}
    assert called(world, enveloped({"id": 7}, code=404), **chosen) is None
    assert called(world, enveloped({"id": 7}, code=404, status=299), **chosen) is None
    assert called(world, Answer(404, b'{"why": "gone"}'), **chosen) == {"why": "gone"}


def test_a_3xx_that_is_ignored_is_none_or_what_is_declared_for_it(world):
    rule = ErrorRule("ignore", ("3xx",))
    assert called(world, Answer(300, b'{"id": 7}'), errors=(rule,)) is None
    assert called(world, Answer(300, b'{"id": 7}'), returns={300: THING}, errors=(rule,)) == {"id": 7}


@pytest.mark.parametrize("raises", [True, False])
def test_an_ignored_answer_is_no_error_for_a_response_either(world, raises):
    assert called(world, Answer(404), typed=False, raises=raises, errors=(NOT_THERE,)).status_code == 404


def test_who_wants_no_status_to_raise_gets_the_response_of_a_rule_too(world):
    rule = ErrorRule("fail", body=BodyTest("code", (5,)))
    found = called(world, enveloped(code=5), typed=False, raises=False, errors=(rule,), envelope=ENVELOPE)
    assert (found.status_code, found.json()["code"]) == (200, 5)
    assert world.told(CallEnded)[0].error is None
    busy = enveloped(code=1001)
    found = called(world, busy, busy, busy, typed=False, raises=False, errors=(BUSY,))
    assert (found.attempts, found.json()["code"]) == (3, 1001)


@pytest.mark.parametrize(
    ("returns", "data", "result"),
    [
        (THING, {"id": 7}, {"id": 7}),
        (None, {"id": [1, None, "a"]}, {"id": [1, None, "a"]}),
        (None, None, None),
        (TypeRef("python", int | None), None, None),
        (TypeRef("name", "date"), "2024-02-29", date(2024, 2, 29)),
        (TypeRef("json_schema", {"type": "array"}), [1], [1]),
        ({200: THING, 201: None}, {"id": 7}, {"id": 7}),
    ],
)
def test_the_data_of_an_envelope_is_the_result(world, returns, data, result):
    assert called(world, enveloped(data), returns=returns, envelope=ENVELOPE) == result


def test_a_success_without_data_is_none_where_nothing_is_declared(world):
    assert called(world, Answer(body=b'{"code": 0}'), returns=None, envelope=ENVELOPE) is None


def test_data_of_another_type_is_told_with_its_place_in_the_answer(world):
    found = called(world, enveloped({"id": "seven"}), envelope=ENVELOPE)
    assert type(found) is ValidationError
    assert found.errors[0]["loc"] == ("data", "id")
    assert "the answer is not of the declared type: data.id: " in str(found)
    whole = called(world, Answer(body=b'{"code": 0, "id": "x"}'), envelope=Envelope(ENVELOPE.ok))
    assert whole.errors[0]["loc"] == ("id",)
    missing = called(world, Answer(body=b'{"code": 0}'), envelope=ENVELOPE)
    assert (type(missing), missing.errors[0]["loc"]) == (ValidationError, ("data",))


@pytest.mark.parametrize("data", [7, 7.0, "7", True, 7.5, "x", None])
def test_data_is_read_as_strictly_as_a_body_of_its_own(world, data):
    whole = called(world, Answer(body=json.dumps(data).encode()), returns=TypeRef("name", "integer"))
    found = called(world, enveloped(data), returns=TypeRef("name", "integer"), envelope=ENVELOPE)
    assert type(found) is type(whole)
    assert isinstance(found, ValidationError) or found == whole


@pytest.mark.parametrize("returns", [THING, None])
def test_an_envelope_that_is_not_ok_raises(world, returns):
    found = called(world, enveloped(code=404, msg="no such thing"), returns=returns, envelope=ENVELOPE)
    assert (type(found), found.code) == (ApplicationError, 404)
    assert str(found) == "shop.get_thing: GET /things: 200 OK, code 404: no such thing"
    assert world.told(AttemptEnded)[0].meaning == "failed"


@pytest.mark.parametrize("returns", [THING, None])
@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        (b"<html>", DecodeError, "200: the answer is not JSON"),
        (b"", DecodeError, "it is empty"),
        (b'{"data": {"id": 7}}', ValidationError, "the answer is no envelope: expected a value at `code`"),
        (b"[]", ValidationError, "the answer is no envelope"),
    ],
)
def test_what_is_no_envelope_where_one_is_declared_is_told(world, returns, body, kind, message):
    found = called(world, Answer(body=body), returns=returns, envelope=ENVELOPE)
    assert type(found) is kind
    assert message in str(found)


@pytest.mark.parametrize("returns", [THING, None])
def test_an_answer_without_a_body_has_no_envelope(world, returns):
    assert called(world, Answer(204), returns=returns, envelope=ENVELOPE) is None
    assert called(world, Answer(200), returns=returns, envelope=ENVELOPE, method="HEAD") is None


@pytest.mark.parametrize("returns", [THING, None])
def test_other_statuses_stay_what_they_are(world, returns):
    found = called(world, Answer(404, b'{"code": 4, "msg": "gone"}'), returns=returns, envelope=ENVELOPE)
    assert (type(found), found.message) == (NotFound, "gone")
    assert type(called(world, Answer(300, b'{"code": 0}'), returns=returns, envelope=ENVELOPE)) is Redirected


def test_an_undeclared_request_gives_the_response_unless_its_envelope_failed(world):
    assert called(world, enveloped(5), typed=False, envelope=ENVELOPE).json()["data"] == 5
    assert called(world, Answer(body=b"<html>"), typed=False, envelope=ENVELOPE).text == "<html>"
    assert type(called(world, enveloped(code=5), typed=False, envelope=ENVELOPE)) is ApplicationError


@pytest.mark.parametrize("chosen", [{"errors": (BUSY,)}, {"envelope": ENVELOPE}])
def test_a_coded_body_is_looked_into_and_decoded_once(world, chosen):
    sent = enveloped({"id": 7})
    coded = Answer(body=gzip.compress(sent.body), headers={"Content-Encoding": "gzip"})
    busy = Answer(body=gzip.compress(b'{"code": 1001}'), headers={"Content-Encoding": "gzip"})
    script = [busy, coded] if "errors" in chosen else [coded]
    found = called(world, *script, typed=False, **chosen)
    assert (found.content, found.attempts) == (sent.body, len(script))


def test_a_broken_coding_is_what_it_was(world):
    broken = Answer(503, b"no gzip", headers={"Content-Encoding": "gzip"})
    found = called(world, broken, broken, broken, errors=(BUSY,))
    assert (type(found), found.attempts) == (DecodeError, 3)
    assert "503: the answer's body cannot be decoded" in str(found)
    by_status = called(world, broken, errors=(ErrorRule("fail", (503,)),))
    assert (type(by_status), by_status.attempts) == (DecodeError, 1)


def test_a_body_above_the_cap_is_what_it_was(world):
    found = called(world, enveloped("x" * 100), envelope=ENVELOPE, caps=Caps(response=50))
    assert type(found) is ResponseTooLarge


def test_an_answer_that_a_policy_has_at_hand_is_read_under_the_rules_too(world):
    stored = called(world, enveloped({"id": 7}), typed=False)
    replying = Policy("cache", [], before=[AnswerWith(stored)])
    plan = plan_of(world, envelope=ENVELOPE)
    assert world.call(replace(plan, before_call=(replying.before,)), typed=True) == {"id": 7}


@pytest.mark.parametrize("status", [404, 200])
def test_a_rule_by_status_fails_a_stream_with_the_beginning_of_its_body(world, status):
    rule = ErrorRule("fail", (status,), raises="Broken", message="msg")
    slot = Slot(Concurrency(limit=1))
    world.transport.script = [Answer(status, pieces=[b'{"msg": ', b'"gone"}'])]
    with pytest.raises(ApplicationError.named("Broken")) as caught:
        world.stream(world.real_plan(slot, errors=(rule,)))
    assert (caught.value.message, caught.value.response.content) == ("gone", b'{"msg": "gone"}')
    assert slot.in_flight == 0
    assert world.transport.streams[0].closed
    assert world.told(CallEnded)[0].error == "Broken"


def test_a_rule_by_status_lets_a_stream_pass_or_be_tried_again(world):
    world.transport.script = [Answer(404, pieces=[b"one"])]
    assert world.read(world.stream(world.real_plan(errors=(NOT_THERE,)))) == b"one"
    world.transport.script = [Answer(423, pieces=[b"busy"]), Answer(pieces=[b"two"])]
    answer = world.stream(world.real_plan(errors=(ErrorRule("retry", (423,)),)))
    assert world.read(answer) == b"two"
    assert world.pauses == [0.5]


def test_the_body_of_a_stream_is_not_looked_into(world):
    world.transport.script = [Answer(pieces=[b'{"code": 1001}'])]
    answer = world.stream(world.real_plan(errors=(BUSY,), envelope=ENVELOPE))
    assert world.read(answer) == b'{"code": 1001}'


def test_a_stream_whose_status_may_not_raise_is_given_out(world):
    world.transport.script = [Answer(404, pieces=[b"one"])]
    rule = ErrorRule("fail", (404,))
    assert world.read(world.stream(world.real_plan(errors=(rule,)), raises=False)) == b"one"


@pytest.mark.parametrize("rules", [(), (BUSY,)])
def test_a_status_that_no_rule_knows_raises_from_400_on(world, rules):
    assert type(called(world, Answer(400), typed=False, errors=rules)) is BadRequest
    assert called(world, Answer(399), typed=False, errors=rules).status_code == 399


@pytest.mark.parametrize("rules", [(), (BUSY,)])
def test_a_status_of_a_stream_that_no_rule_knows_raises_from_400_on(world, rules):
    world.transport.script = [Answer(400, pieces=[b"one"]), Answer(399, pieces=[b"two"])]
    plan = world.real_plan(errors=rules)
    with pytest.raises(BadRequest) as caught:
        world.stream(plan)
    assert caught.value.response.content == b"one"
    assert world.read(world.stream(plan)) == b"two"


VALUE = Fallback({"id": 0}, where="s.yaml:9:9")
DOWN = [Answer(503)] * 3


@pytest.mark.parametrize(
    "script",
    [
        DOWN,
        [Answer(501)],
        [Answer(429)] * 3,
        [NotSent("refused")] * 3,
        [NoAnswer("lost")] * 3,
        [AttemptTimeout("slow")] * 3,
    ],
)
def test_the_fallback_stands_in_for_what_is_not_the_callers_fault(world, script):
    assert called(world, *script, fallback=VALUE) == {"id": 0}
    ended = world.told(CallEnded)[0]
    assert (ended.fell_back, ended.attempts, bool(ended.error)) == (True, len(script), True)


@pytest.mark.parametrize(
    ("error", "falls_back"),
    [
        (NotSent("x"), True),
        (AuthError("x"), True),
        (BreakerOpen("x"), True),
        (DeadlinePassed("x"), True),
        (ServerError("x"), True),
        (RateLimited("x"), True),
        (ApplicationError("x", meaning="transient"), True),
        (ApplicationError("x", meaning="rate_limited"), True),
        (BadRequest("x", meaning="transient"), True),
        (ApplicationError("x", meaning="failed"), False),
        (ApplicationError("x"), False),
        (Unauthorized("x", meaning="unauthorized"), False),
        (BadRequest("x"), False),
        (NotFound("x"), False),
        (DecodeError("x"), False),
        (ValidationError("x"), False),
        (ResponseTooLarge("x"), False),
        (ArgumentError("x"), False),
        (UsageError("x"), False),
    ],
)
def test_which_errors_have_a_fallback(error, falls_back):
    assert may_fall_back(error) is falls_back


@pytest.mark.parametrize("answer", [Answer(404), Answer(422), Answer(body=b"<html>"), Answer(body=b'{"id": "x"}')])
def test_the_callers_fault_and_a_bad_answer_are_raised(world, answer):
    assert isinstance(called(world, answer, fallback=VALUE), APIError)
    assert world.told(CallEnded)[0].fell_back is False


def test_a_success_is_no_fallback(world):
    assert called(world, Answer(body=b'{"id": 7}'), fallback=VALUE) == {"id": 7}
    assert world.told(CallEnded)[0].fell_back is False


def test_a_business_code_has_one_if_it_may_pass(world):
    chosen = {"envelope": ENVELOPE, "fallback": VALUE, "retry": None}
    assert called(world, enveloped(code=1001), errors=(BUSY,), **chosen) == {"id": 0}
    assert type(called(world, enveloped(code=7), errors=(BUSY,), **chosen)) is ApplicationError


def test_an_interruption_has_none(world):
    world.transport.script = [Interrupt]
    with pytest.raises(world.interruption):
        world.call(plan_of(world, fallback=VALUE), typed=True)


def test_who_asked_for_the_response_gets_no_fallback(world):
    assert called(world, *DOWN, typed=False, raises=False, fallback=VALUE).status_code == 503
    assert type(called(world, *DOWN, typed=False, fallback=VALUE)) is ServerError


def test_each_call_has_a_value_of_its_own(world):
    first = called(world, *DOWN, fallback=VALUE)
    first["id"] = 5
    assert called(world, *DOWN, fallback=VALUE) == {"id": 0}


def test_a_fallback_may_be_null_by_the_type_of_one_status(world):
    by_status = {204: None, 200: THING}
    assert called(world, *DOWN, returns=by_status, fallback=Fallback(None)) is None
    assert called(world, *DOWN, returns=by_status, fallback=VALUE) == {"id": 0}
    assert called(world, *DOWN, returns=None, envelope=ENVELOPE, fallback=Fallback([1])) == [1]


def test_a_function_makes_the_result_of_the_error(world):
    seen = []

    def stand_in(error):
        seen.append(error)
        return {"anything": [error.attempts]}

    assert called(world, *DOWN, fallback=Fallback(python=stand_in)) == {"anything": [3]}
    assert (type(seen[0]), seen[0].service, seen[0].operation) == (ServerError, "shop", "get_thing")


def test_a_function_may_raise_the_error_after_all(world):
    def decline(error):
        raise error

    found = called(world, *DOWN, fallback=Fallback(python=decline))
    assert (type(found), str(found)) == (
        ServerError,
        "shop.get_thing: GET /things: 503 Service Unavailable (attempt 3)",
    )
    ended = world.told(CallEnded)[0]
    assert (ended.error, ended.fell_back) == ("ServerError", False)


def test_a_function_that_raises_is_told_with_both_causes(world):
    def broken(error):
        raise KeyError("id")

    found = called(world, *DOWN, fallback=Fallback(python=broken))
    assert (type(found), type(found.__cause__)) == (UsageError, KeyError)
    assert type(found.__cause__.__context__) is ServerError
    assert "shop.get_thing: GET /things: the fallback `" in str(found)
    assert "broken` raised KeyError: 'id'" in str(found)
    assert world.told(CallEnded)[0].error == "UsageError"


def test_who_interrupts_a_function_ends_the_call(world):
    def interrupted(error):
        raise KeyboardInterrupt

    ends = Policy("ends", log := [])
    world.transport.script = [Answer(503)]
    plan = plan_of(world, fallback=Fallback(python=interrupted), retry=None)
    with pytest.raises(KeyboardInterrupt):
        world.call(replace(plan, ended=(ends.ended,)), typed=True)
    assert log == [("ended", "ends")]


def test_the_log_says_that_a_call_fell_back(world, caplog):
    from callsheet.engine.log import ALONE

    world.transport.script = [Answer(503)]
    plan = replace(plan_of(world, fallback=VALUE, retry=None), listeners=ALONE)
    with caplog.at_level(logging.WARNING, "callsheet"):
        world.call(plan, typed=True)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().endswith("shop.get_thing: GET /things: 503 Service Unavailable; fell back")
    assert record.callsheet["fell_back"] is True


def test_without_rules_nothing_is_decoded_early(world):
    world.transport.script = [Answer(body=b'{"id": 7}')]
    plan = world.real_plan()
    response = world.call(plan)
    assert plan.interpreter is None
    assert not hasattr(response, "undone")
