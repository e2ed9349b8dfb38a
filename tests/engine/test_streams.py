"""Answers that are read as they come: slot, connection and `ended` belong to them until they are closed."""

import zlib

import pytest

from callsheet.engine.io import finish
from callsheet.errors import (
    AttemptTimeout,
    DeadlinePassed,
    DecodeError,
    NoAnswer,
    NotFound,
    ResponseTooLarge,
    ServerError,
    UsageError,
)
from callsheet.events import AttemptEnded, CallEnded
from callsheet.http.response import Response
from callsheet.policies.slot import Slot
from callsheet.settings.caps import Caps
from callsheet.settings.concurrency import Concurrency
from callsheet.settings.timeout import Timeout
from callsheet.verdicts import AnswerWith, Refuse
from tests.engine.world import Answer, Policy


@pytest.fixture
def log():
    return []


def ends(log):
    return [entry[0] for entry in log if entry[0] in ("let_go", "ended")]


def test_a_stream_holds_what_it_holds_until_its_body_ends(world, log):
    world.transport.script = [Answer(pieces=[b"one", b"two"])]
    answer = world.stream(world.plan(Policy("holder", log, holds=True)))
    assert ends(log) == []
    assert world.read(answer) == b"onetwo"
    assert ends(log) == ["let_go", "ended"]
    assert world.transport.streams[0].closed == 1
    assert world.told(CallEnded)[0].status == 200


def test_after_is_asked_at_the_headers(world, log):
    world.transport.script = [Answer(pieces=[b"one"])]
    answer = world.stream(world.plan(Policy("listens", log)))
    assert ("after", "listens", 1) in log
    assert len(world.told(AttemptEnded)) == 1
    world.close(answer)


def test_closing_ends_it_once(world, log):
    world.transport.script = [Answer(pieces=[b"one", b"two"])]
    answer = world.stream(world.plan(Policy("holder", log, holds=True)))
    world.close(answer)
    world.close(answer)
    assert ends(log) == ["let_go", "ended"]
    assert len(world.told(CallEnded)) == 1


def test_a_body_that_breaks_off_is_no_answer_and_never_retried(world):
    world.transport.script = [Answer(pieces=[b"one", NoAnswer("the body broke off")])]
    answer = world.stream(world.real_plan())
    with pytest.raises(NoAnswer, match=r"shop\.get_thing: GET /things: the body broke off") as caught:
        world.read(answer)
    assert (caught.value.attempts, caught.value.was_sent) == (1, True)
    assert len(world.transport.sent) == 1
    assert world.told(CallEnded)[0].error == "NoAnswer"


def test_a_stream_is_retried_before_its_body_is_given(world):
    slot = Slot(Concurrency())
    world.transport.script = [Answer(503, pieces=[b"sorry"]), Answer(pieces=[b"data"])]
    answer = world.stream(world.real_plan(slot))
    assert (world.transport.streams[0].closed, slot.in_flight) == (1, 1)
    assert world.read(answer) == b"data"
    assert slot.in_flight == 0


def test_an_error_status_raises_with_the_body_it_had(world):
    world.transport.script = [Answer(404, pieces=[b"no such ", b"thing"])]
    slot = Slot(Concurrency())
    with pytest.raises(NotFound) as caught:
        world.stream(world.real_plan(slot))
    assert caught.value.response.content == b"no such thing"
    assert slot.in_flight == 0


def test_an_error_answer_that_stays_after_a_refused_retry_has_no_body(world, log):
    from callsheet.errors import BreakerOpen
    from callsheet.verdicts import TryAgain

    breaker = Policy("breaker", log, before=[None, Refuse(BreakerOpen("open"), by="breaker")])
    world.transport.script = [Answer(503, pieces=[b"sorry"])]
    with pytest.raises(ServerError, match="no further attempt: breaker"):
        world.stream(world.plan(breaker, Policy("retry", log, after=[TryAgain(0.0)])))


def test_the_stream_of_a_replaced_answer_is_closed(world, log):
    world.transport.script = [Answer(pieces=[b"one"])]
    with pytest.raises(NoAnswer):
        world.stream(world.plan(Policy("rules", log, after=[Refuse(NoAnswer("not this one"), by="rules")])))
    assert world.transport.streams[0].closed == 1


def test_a_policy_that_fails_after_the_headers_leaves_no_stream_open(world, log):
    def fails(attempt):
        raise ZeroDivisionError

    world.transport.script = [Answer(pieces=[b"one"])]
    with pytest.raises(ZeroDivisionError):
        world.stream(world.plan(Policy("holder", log, holds=True), Policy("broken", log, after=fails)))
    assert world.transport.streams[0].closed == 1
    assert ends(log) == ["let_go", "ended", "ended"]


def test_a_coding_is_undone_piece_by_piece(world):
    whole = zlib.compress(b"data" * 1000)
    pieces = [whole[:5], whole[5:9], whole[9:]]
    world.transport.script = [Answer(headers={"Content-Encoding": "deflate"}, pieces=pieces)]
    assert world.read(world.stream(world.real_plan())) == b"data" * 1000


@pytest.mark.parametrize(
    ("coding", "pieces"),
    [
        ("deflate", [zlib.compress(b"data" * 100)[:-3]]),
        ("gzip", [b"this is no gzip"]),
        ("gzip, gzip, gzip, gzip, gzip, gzip", [b"data"]),
    ],
)
def test_a_body_that_cannot_be_decoded_gives_everything_back(world, coding, pieces):
    slot = Slot(Concurrency())
    world.transport.script = [Answer(headers={"Content-Encoding": coding}, pieces=pieces)]
    answer = world.stream(world.real_plan(slot))
    with pytest.raises(DecodeError):
        world.read(answer)
    assert (slot.in_flight, world.transport.streams[0].closed) == (0, 1)
    with pytest.raises(UsageError, match="the answer is closed"):
        world.read(answer)


def test_reading_it_whole_is_bounded(world):
    world.transport.script = [Answer(pieces=[b"x" * 6, b"x" * 6]), Answer(pieces=[b"x" * 5, b"x" * 5])]
    plan = world.real_plan(caps=Caps(response=10))
    with pytest.raises(ResponseTooLarge, match=r"larger than 10 bytes \(caps\.response\)"):
        whole(world, world.stream(plan))
    assert whole(world, world.stream(plan)) == b"x" * 10


def whole(world, answer):
    found = answer.read()
    return found if isinstance(found, bytes) else world.run(found)


def test_reading_a_closed_answer_is_an_error(world):
    world.transport.script = [Answer(pieces=[b"one"])]
    answer = world.stream(world.real_plan())
    world.close(answer)
    with pytest.raises(UsageError, match="the answer is closed"):
        world.read(answer)


def test_an_answer_that_was_read_to_its_end_cannot_be_read_again(world):
    world.transport.script = [Answer(pieces=[b"one"])]
    answer = world.stream(world.real_plan())
    assert world.read(answer) == b"one"
    for _ in range(2):
        with pytest.raises(UsageError, match=r"shop\.get_thing: GET /things: the body was read to its end already"):
            world.read(answer)


def test_a_reply_is_read_like_a_stream(world, log):
    content, fields = zlib.compress(b"kept"), {"Content-Encoding": "deflate"}
    request = world.new_call(world.plan()).request
    from callsheet.http.headers import Headers

    kept = Response(200, request=request, content=content, headers=Headers(fields))
    assert world.read(world.stream(world.plan(Policy("cache", log, before=[AnswerWith(kept)])))) == b"kept"


def test_the_total_holds_for_the_body_only_where_it_is_written(world):
    world.transport.script = [Answer(pieces=[b"one"]), Answer(pieces=[b"one"])]
    plan = world.real_plan()
    world.close(world.stream(plan))
    world.close(world.stream(plan, bounds_stream=True))
    assert [(limits.attempt, limits.read, limits.whole) for limits in world.transport.limits] == [
        (10.0, 10.0, None),
        (10.0, 10.0, 30.0),
    ]


def test_a_body_that_outlasts_the_written_total_passed_the_deadline(world):
    world.transport.script = [Answer(pieces=[b"one", AttemptTimeout("too slow", was_sent=True)], takes=3.0)]
    answer = world.stream(world.real_plan(), timeout=Timeout(total=3.0), bounds_stream=True)
    with pytest.raises(DeadlinePassed, match=r"not done within 3 s \(timeout\.total\)"):
        world.read(answer)


def test_a_body_that_falls_silent_timed_out(world):
    world.transport.script = [Answer(pieces=[b"one", AttemptTimeout("no byte", was_sent=True)])]
    answer = world.stream(world.real_plan(), bounds_stream=True)
    with pytest.raises(AttemptTimeout):
        world.read(answer)


def test_who_reads_an_answer_that_another_reads_is_refused_and_harms_nobody(world):
    world.transport.script = [Answer(pieces=[b"one", b"two"])]
    answer = world.stream(world.real_plan())
    opened = answer._opened
    refused = []

    def reads_it_too():
        try:
            finish(opened.next_piece())
        except UsageError as error:
            refused.append(str(error))

    world.transport.streams[0]._world = Interrupting(world, reads_it_too)
    assert world.read(answer) == b"onetwo"
    assert set(refused) == {
        "shop.get_thing: GET /things: another thread or task is reading this answer; let one read it"
    }


class Interrupting:
    """A world in which something else happens during each read."""

    def __init__(self, world, during):
        self._world = world
        self._during = during

    def interrupted_or(self, step):
        self._during()
        return self._world.interrupted_or(step)
