"""What an error and an event know of the call they end."""

import logging
import pickle

import pytest

from callsheet.errors import (
    AttemptTimeout,
    ConnectTimeout,
    DecodeError,
    NoAnswer,
    NotFound,
    NotSent,
    RateLimited,
    ResponseTooLarge,
    ServerError,
    TLSError,
    UsageError,
)
from callsheet.events import AttemptEnded, CallEnded, WireFacts
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.secret import Secret
from callsheet.settings.caps import Caps
from tests.engine.world import FACTS, URL, Answer, Interrupt


def failed(world, *script, plan=None, **facts):
    world.transport.script = list(script)
    try:
        world.call(plan or world.real_plan(), **facts)
    except Exception as error:
        return error
    raise AssertionError("the call did not fail")


def test_an_error_says_which_call_it_ended(world):
    error = failed(world, Answer(404, b"{}"))
    assert isinstance(error, NotFound)
    assert (error.service, error.operation, error.attempts, error.was_sent) == ("shop", "get_thing", 1, True)
    assert str(error) == "shop.get_thing: GET /things: 404 Not Found"
    assert (error.status_code, error.response.content) == (404, b"{}")


def test_an_error_says_how_often_it_was_tried(world):
    assert str(failed(world, *[Answer(503)] * 3)) == "shop.get_thing: GET /things: 503 Service Unavailable (attempt 3)"


def test_an_error_says_who_stopped_it(world):
    error = failed(world, Answer(503, headers={"Retry-After": "60"}))
    assert str(error) == "shop.get_thing: GET /things: 503 Service Unavailable; no further attempt: deadline"


def test_the_request_on_an_error_is_redacted(world):
    fields = Headers([("Authorization", Secret("Bearer canary-1")), ("Cookie", "canary-2"), ("X-Trace", "7")])
    request = Request("GET", f"{URL}?key=***", fields, wire_url=f"{URL}?key=canary-3", secrets=(Secret("canary-3"),))
    error = failed(world, NotSent("refused"), plan=world.plan(), request=request)
    shown = f"{error.request!r} {error.request.headers!r} {error!r} {vars(error)} {pickle.dumps(error)!r}"
    assert "canary" not in shown
    assert error.request.headers["X-Trace"] == "7"
    assert error.request.url == f"{URL}?key=***"


def test_an_answer_that_echoes_a_secret_is_masked_where_it_is_told(world):
    secret = Secret("canary/of + the request")
    problem = b'{"title": "bad", "detail": "no such key: canary/of + the request, canary%2Fof%20%2B%20the%20request"}'
    request = Request("GET", URL, Headers(), secrets=(secret,))
    answer = Answer(404, problem, {"Content-Type": "application/problem+json"})
    error = failed(world, answer, plan=world.plan(), request=request)
    assert str(error) == "shop.get_thing: GET /things: 404 Not Found: no such key: ***, ***"
    assert b"canary" not in pickle.dumps(error)
    assert b"canary" in error.response.content


def test_a_secret_that_would_be_cut_is_masked_first(world):
    secret = "canary" * 40
    problem = b'{"detail": "%s %s"}' % (b"x" * 150, secret.encode())
    request = Request("GET", URL, Headers(), secrets=(Secret(secret),))
    answer = Answer(404, problem, {"Content-Type": "application/problem+json"})
    assert "canary" not in str(failed(world, answer, plan=world.plan(), request=request))


@pytest.mark.parametrize(
    ("script", "kind", "was_sent"),
    [
        ([NotSent("refused")] * 3, NotSent, False),
        ([NoAnswer("lost", was_sent=True), NotSent("refused"), NotSent("refused")], NoAnswer, True),
        ([Answer(503), NotSent("refused"), NotSent("refused")], NoAnswer, True),
        ([NoAnswer("lost", was_sent=True), *[ConnectTimeout("no connection")] * 2], AttemptTimeout, True),
        ([NotSent("refused"), NotSent("refused"), Answer(503)], ServerError, True),
    ],
)
def test_not_sent_is_raised_only_if_no_attempt_was_sent(world, script, kind, was_sent):
    error = failed(world, *script)
    assert (type(error), error.was_sent, error.attempts) == (kind, was_sent, 3)
    assert world.told(CallEnded)[0].error == kind.__name__


def test_the_last_outcome_is_the_cause_of_what_is_raised_for_it(world):
    refused = NotSent("refused", errno=7)
    error = failed(world, NoAnswer("lost", was_sent=True), refused, refused)
    assert str(error) == "shop.get_thing: GET /things: refused; an earlier attempt may have been processed (attempt 3)"
    assert (error.__cause__, error.errno) == (refused, 7)


@pytest.mark.parametrize(("value", "seconds"), [("7", 7.0), ("garbage", None)])
def test_retry_after_is_on_the_error(world, value, seconds):
    error = failed(world, *[Answer(429, headers={"Retry-After": value})] * 3)
    assert isinstance(error, RateLimited)
    assert error.retry_after == seconds


def test_a_body_that_cannot_be_decoded_is_said_and_not_retried(world):
    error = failed(world, Answer(200, b"no gzip", {"Content-Encoding": "gzip"}))
    assert isinstance(error, DecodeError)
    assert (error.status_code, error.response.content, len(world.transport.sent)) == (200, b"", 1)


def test_two_lines_of_codings_are_one_list(world):
    import gzip
    import zlib

    fields = Headers([("Content-Encoding", "deflate"), ("Content-Encoding", "gzip")])
    world.transport.script = [Answer(200, gzip.compress(zlib.compress(b"data")), fields)]
    assert world.call(world.real_plan()).content == b"data"


def test_an_answer_above_the_cap_is_dropped(world):
    import zlib

    plan = world.real_plan(caps=Caps(response=1000))
    error = failed(world, Answer(200, zlib.compress(b"0" * 1001), {"Content-Encoding": "deflate"}), plan=plan)
    assert isinstance(error, ResponseTooLarge)
    assert error.response.content == b""


def test_the_answer_can_be_had_whatever_its_status(world):
    world.transport.script = [Answer(404, b"{}")]
    assert world.call(world.real_plan(), raises=False).status_code == 404
    assert world.told(CallEnded)[0].error is None


def test_a_typed_result_is_what_the_plan_reads(world):
    world.transport.script = [Answer(200, b'{"id": 7}')]
    assert world.call(world.real_plan(), typed=True) == {"id": 7}


def test_an_event_tells_of_each_attempt_and_of_the_call(world):
    world.transport.script = [Answer(503, takes=1.0), Answer(200, takes=2.0)]
    world.call(world.real_plan())
    first, second = world.told(AttemptEnded)
    assert first == AttemptEnded(first.id, *FACTS, "GET", URL, 1, 0.0, 503, None, True, 1.0, 0.5, WireFacts(total=1.0))
    assert (second.number, second.status, second.elapsed, second.pause) == (2, 200, 2.0, None)
    assert world.told(CallEnded) == [
        CallEnded(first.id, *FACTS, "GET", URL, 200, None, None, 2, 3.5, None),
    ]


def test_an_event_names_the_error_of_an_attempt_without_an_answer(world):
    failed(world, TLSError("untrusted", was_sent=False))
    (attempt,) = world.told(AttemptEnded)
    assert (attempt.status, attempt.error, attempt.was_sent, attempt.wire) == (None, "TLSError", False, WireFacts())
    (call,) = world.told(CallEnded)
    assert (call.status, call.error, call.message) == (None, "TLSError", "shop.get_thing: GET /things: untrusted")


def test_an_interrupted_call_is_told_without_a_message(world):
    world.transport.script = [Interrupt]
    with pytest.raises(world.interruption):
        world.call(world.real_plan())
    (call,) = world.told(CallEnded)
    assert (call.error, call.message) == (world.interruption.__name__, None)


def test_events_cannot_be_changed(world):
    world.call(world.real_plan())
    with pytest.raises(AttributeError):
        world.events[0].status = 500


def test_a_listener_that_raises_is_logged_once_and_reaches_no_call(world, caplog):
    def broken(event):
        raise ZeroDivisionError("in the listener")

    plan = world.plan(listeners=(broken, world.events.append))
    with caplog.at_level(logging.WARNING, "callsheet"):
        assert world.call(plan).ok
        assert world.call(plan).ok
    assert len(caplog.records) == 1
    assert "in the listener" in caplog.text
    assert len(world.told(CallEnded)) == 2


def test_a_listener_without_a_hash_may_raise_too(world, caplog):
    class Unhashable(list):
        def __call__(self, event):
            raise ZeroDivisionError

    assert world.call(world.plan(listeners=(Unhashable(),))).ok
    assert len(caplog.records) == 1


def test_a_usage_error_of_the_transport_is_not_retried(world):
    error = failed(world, UsageError("the client is closed"))
    assert isinstance(error, UsageError)
    assert len(world.transport.sent) == 1
