"""Rows that wait for their service, in both colours and without real time; and rows with options of their own."""

import asyncio
import io

import pytest

from callsheet import (
    ArgumentError,
    AsyncClient,
    BreakerOpen,
    Client,
    DeadlinePassed,
    LimitReached,
    NoAnswer,
    NotFound,
    NotSent,
    RateLimited,
    Row,
    ServerError,
    Sheet,
    UsageError,
    deadline,
)
from callsheet.testing import FakeTransport
from callsheet.testing.answers import reply_of
from tests.loops import COLOURS, run

OPERATIONS = {
    "get": {"get": "/x/{id}", "path": {"id": "integer"}, "returns": "object"},
    "post": {"post": "/p", "json": "object", "returns": "object"},
}
QUICKLY = {"samples": 2, "window": "10ms"}


class World:
    """A service whose answers a function of the row and the time gives, and the outcomes of a map."""

    def __init__(self, colour):
        self.colour = colour
        self.fake = FakeTransport()
        self.clock = self.fake.clock

    def answered_by(self, function):
        self.fake.otherwise().call(lambda sent: function(sent, self.clock.now()))
        return self

    def map(self, rows, operation="get", *, most=None, within=None, service=(), **options):
        """The outcomes, and what was raised after them."""
        self.outcomes = []
        sheet = Sheet(services={"a": {"base_url": "https://a.test", "operations": OPERATIONS, **dict(service)}})
        try:
            with deadline(within if within is not None else 1e9, now=self.clock.now):
                if self.colour == "blocking":
                    self._in_threads(sheet, (operation, rows), most, options)
                else:
                    run(self._in_tasks(sheet, (operation, rows), most, options), self.colour)
        except Exception as error:
            return error
        return None

    def _in_threads(self, sheet, arguments, most, options):
        with Client(sheet, transport=self.fake) as client, client.service("a").map(*arguments, **options) as outcomes:
            for outcome in outcomes:
                self.outcomes.append(outcome)
                if len(self.outcomes) == most:
                    return

    async def _in_tasks(self, sheet, arguments, most, options):
        async with AsyncClient(sheet, transport=self.fake) as client:
            async with client.service("a").map(*arguments, **options) as outcomes:
                async for outcome in outcomes:
                    self.outcomes.append(outcome)
                    if len(self.outcomes) == most:
                        break
            assert asyncio.all_tasks() == {asyncio.current_task()}

    @property
    def sent(self):
        return self.fake.calls


@pytest.fixture(params=COLOURS)
def world(request):
    return World(request.param)


def rows(count):
    return [{"id": number} for number in range(count)]


def number_of(sent):
    return int(sent.url.rpartition("/")[2])


@pytest.mark.parametrize("operation", ["get", "post"])
def test_no_row_is_lost_to_an_outage_that_the_list_outlasts(world, operation):
    world.answered_by(lambda sent, now: NotSent("connection refused") if now < 4.0 else {"ok": True})
    assert world.map(rows(60), operation, concurrency=8, on_error="keep", service={"breaker": QUICKLY}) is None
    assert [outcome.value for outcome in world.outcomes] == [{"ok": True}] * 60
    assert 4.0 <= world.clock.now() < 12.0
    assert sum(sent.at >= 4.0 for sent in world.sent) == 60


def test_an_open_breaker_is_waited_for_and_the_service_is_spared(world):
    world.answered_by(lambda sent, now: 503 if now < 4.0 else {"ok": True})
    breaker = {"samples": 1, "window": "1ms", "open": "5s"}
    world.map(rows(12), concurrency=4, on_error="keep", service={"breaker": breaker})
    assert all(outcome.ok for outcome in world.outcomes)
    assert sum(sent.at < 4.0 for sent in world.sent) <= 8


def test_a_learned_limit_is_waited_for_though_it_is_longer_than_a_call(world):
    told = {"Retry-After": "45"}

    def answer(sent, now):
        return reply_of(429, headers=told) if 0.0 <= now < 45.0 else {"ok": True}

    world.answered_by(answer)
    assert world.map(rows(6), "post", concurrency=2, on_error="keep") is None
    assert [outcome.ok for outcome in world.outcomes] == [True] * 6
    assert 45.0 <= world.clock.now() < 47.0
    assert len(world.sent) <= 2 + 6


def test_after_so_long_without_any_success_it_raises_with_the_position(world):
    world.answered_by(lambda sent, now: NotSent("connection refused") if number_of(sent) >= 3 else {"ok": True})
    error = world.map(rows(9), concurrency=2, on_error="keep", wait_up_to=20)
    assert isinstance(error, BreakerOpen | NotSent)
    assert error.position == 3
    assert "no row has succeeded for 20 s (wait_up_to); the first row that is not done has the index 3" in str(error)
    assert [outcome.index for outcome in world.outcomes] == [0, 1, 2]
    assert 20.0 <= world.clock.now() < 32.0


def test_a_success_lets_all_rows_wait_anew(world):
    world.answered_by(lambda sent, now: {"ok": True} if int(now) % 8 == 7 else NotSent("connection refused"))
    assert world.map(rows(3), concurrency=1, wait_up_to=9, service={"breaker": "off", "retry": {"attempts": 1}}) is None
    assert [outcome.ok for outcome in world.outcomes] == [True] * 3


def test_the_time_between_calls_is_no_time_without_success(world):
    def slowly():
        for row in rows(2):
            yield row
            world.clock.advance(100.0)

    world.answered_by(lambda sent, now: NotSent("refused") if 100.0 <= now < 105.0 else {"ok": True})
    assert world.map(slowly(), concurrency=1, wait_up_to=20) is None
    assert len(world.outcomes) == 2


def test_zero_waits_for_nothing_and_none_for_ever(world):
    world.answered_by(lambda sent, now: NotSent("connection refused") if now < 100.0 else {"ok": True})
    assert world.map(rows(2), concurrency=2, on_error="keep", wait_up_to=0) is None
    assert [type(outcome.error) for outcome in world.outcomes] == [NotSent, NotSent]
    assert world.clock.now() < 10.0
    assert world.map(rows(2), concurrency=2, wait_up_to=None) is None
    assert [outcome.ok for outcome in world.outcomes] == [True, True]


def test_a_deadline_around_the_rows_bounds_the_wait(world):
    world.answered_by(lambda sent, now: NotSent("connection refused"))
    error = world.map(rows(3), concurrency=1, within=7.0, wait_up_to=None)
    assert isinstance(error, DeadlinePassed | BreakerOpen | NotSent)
    assert 6.0 <= world.clock.now() <= 7.5


def test_a_failure_of_the_row_itself_is_its_outcome_at_once(world):
    world.answered_by(lambda sent, now: {0: 404, 1: 500, 2: NoAnswer("lost")}.get(number_of(sent), {"ok": True}))
    assert world.map(rows(4), concurrency=1, on_error="keep") is None
    assert [type(outcome.error) for outcome in world.outcomes] == [NotFound, ServerError, NoAnswer, type(None)]
    assert world.clock.now() < 10.0


def test_a_post_that_may_have_been_processed_is_not_sent_again(world):
    world.answered_by(lambda sent, now: NoAnswer("lost") if now < 1.0 else {"ok": True})
    world.map(rows(4), "post", concurrency=4, on_error="keep", service={"breaker": {"samples": 1, "window": "1ms"}})
    assert len(world.sent) == len({sent.content for sent in world.sent})
    assert any(isinstance(outcome.error, NoAnswer) for outcome in world.outcomes)


def test_a_row_that_was_sent_is_called_again_with_its_key(world):
    world.answered_by(lambda sent, now: 503 if now < 3.0 else {"ok": True})
    breaker = {"samples": 1, "window": "1ms", "open": "5s"}  # the second attempt opens it, and the third is refused
    assert world.map(rows(1), "post", service={"breaker": breaker, "idempotency_key": True}) is None
    assert len(world.sent) > 1
    assert len({sent.headers["Idempotency-Key"] for sent in world.sent}) == 1


def test_one_row_that_brings_the_service_down_does_so_a_few_times_only(world):
    state = {"until": 0.0, "times": 0, "others": 1}

    def answer(sent, now):
        if now < state["until"] or (number_of(sent) == 0 and not state["others"]):
            return NotSent("connection refused")
        if number_of(sent) == 0:
            state.update(until=now + 0.4, times=state["times"] + 1, others=0)
            return NoAnswer("lost")
        state["others"] += 1
        return reply_of(200, json={}, delay=0.1)

    world.answered_by(answer)
    options = {"service": {"breaker": "off", "retry": {"budget": {"ratio": 0, "floor": 0}}}, "wait_up_to": None}
    assert world.map(rows(150), concurrency=2, on_error="keep", ordered=False, **options) is None
    assert [type(outcome.error) for outcome in world.outcomes if not outcome.ok] == [NoAnswer]
    assert 5 <= state["times"] <= 12


def test_leaving_early_ends_the_rows_that_wait(world):
    world.answered_by(lambda sent, now: {"ok": True} if number_of(sent) == 0 else NotSent("connection refused"))
    assert world.map(rows(8), concurrency=4, most=1, wait_up_to=None) is None
    assert [outcome.index for outcome in world.outcomes] == [0]
    assert world.clock.now() < 20.0


def test_when_full_fail_is_heeded(world):
    limit = {"rates": "1/min", "when_full": "fail"}
    world.answered_by(lambda sent, now: {"ok": True})
    assert world.map(rows(2), concurrency=1, on_error="keep", service={"rate_limit": limit}) is None
    assert [type(outcome.error) for outcome in world.outcomes] == [type(None), LimitReached]


def test_turns_of_a_declared_rate_are_waited_for_however_late_they_come(world):
    world.answered_by(lambda sent, now: {"ok": True})
    assert world.map(rows(3), concurrency=3, service={"rate_limit": "1/2min"}) is None
    assert [sent.at for sent in world.sent] == pytest.approx([0.0, 120.0, 240.0], abs=1.0)


def test_the_options_of_a_row(world):
    world.answered_by(lambda sent, now: {"ok": True})
    given = [
        Row({"n": 0}, idempotency_key="k0"),
        {"n": 1, "idempotency_key": "k1"},
        Row({"n": 2, "idempotency_key": "in the body"}, idempotency_key="k2", headers={"x-a": "own"}),
    ]
    keys = {"idempotency_key": {"from": "argument"}}
    assert world.map(given, "post", concurrency=1, headers={"X-A": "all", "X-B": "all"}, service=keys) is None
    assert [sent.json() for sent in world.sent] == [{"n": 0}, {"n": 1}, {"n": 2, "idempotency_key": "in the body"}]
    assert [sent.headers["Idempotency-Key"] for sent in world.sent] == ["k0", "k1", "k2"]
    assert [sent.headers["X-A"] for sent in world.sent] == ["all", "all", "own"]
    assert {sent.headers["X-B"] for sent in world.sent} == {"all"}


def test_a_row_may_have_a_timeout_of_its_own(world):
    def answer(sent, now):
        return reply_of(200, json={}, delay=5.0)

    world.answered_by(answer)
    world.map([Row({"id": 1}, timeout=2.0), {"id": 2}], concurrency=1, on_error="keep", service={"retry": "off"})
    assert [outcome.ok for outcome in world.outcomes] == [False, True]


def test_a_row_without_the_key_that_it_must_give_is_its_own_error(world):
    world.answered_by(lambda sent, now: {"ok": True})
    keys = {"idempotency_key": {"from": "argument"}}
    world.map([{"n": 0}, Row({"n": 1}, "k")], "post", on_error="keep", service=keys)
    assert [type(outcome.error) for outcome in world.outcomes] == [ArgumentError, type(None)]


@pytest.mark.parametrize("body", [
    {"type": "object", "properties": {"idempotency_key": {"type": "string"}}},
    {"type": "object", "properties": {"idempotency_key": {"type": "string"}}, "additionalProperties": False},
])  # fmt: skip
def test_an_operation_that_declares_the_argument_gets_it(world, body):
    world.answered_by(lambda sent, now: {"ok": True})
    operations = {"post": {"post": "/p", "json": body}, "get": {"get": "/g", "query": {"idempotency_key": "string"}}}
    for name in operations:
        assert world.map([{"idempotency_key": "k"}], name, service={"operations": operations}) is None
    assert world.sent[0].json() == {"idempotency_key": "k"}
    assert world.sent[1].url.endswith("?idempotency_key=k")
    assert "Idempotency-Key" not in world.sent[0].headers


@pytest.mark.parametrize("options", [{"idempotency_key": "k"}, {"headers": {"idempotency-key": "k"}}])
def test_one_key_for_many_rows_is_refused(world, options):
    error = world.map([{"n": 0}], "post", **options)
    assert isinstance(error, ArgumentError)
    assert "give each row its own: Row(arguments, idempotency_key=...)" in str(error)
    assert (error.service, error.operation) == ("a", "post")


@pytest.mark.parametrize("wait", [-1, True, "soon", float("nan")])
def test_a_wait_that_is_none_is_refused(world, wait):
    assert "`wait_up_to` must be a number of seconds" in str(world.map([], wait_up_to=wait))


def test_a_client_that_is_closed_ends_the_wait(world):
    def answer(sent, now):
        world.fake.close()
        return NotSent("connection refused")

    world.answered_by(answer)
    assert isinstance(world.map(rows(1), wait_up_to=None), UsageError)


def test_a_throttled_row_is_not_raised_while_others_may_wait(world):
    world.answered_by(lambda sent, now: 429)
    error = world.map(rows(3), concurrency=3, on_error="keep", wait_up_to=30)
    assert isinstance(error, RateLimited | LimitReached)
    assert error.position == 0


def test_a_row_that_was_sent_before_it_was_refused_says_so(world):
    def answer(sent, now):
        return NoAnswer("lost") if len(world.sent) == 1 else NotSent("connection refused")

    world.answered_by(answer)
    error = world.map(rows(1), wait_up_to=5, service={"breaker": "off", "retry": {"attempts": 2}})
    assert isinstance(error, NoAnswer)
    assert (error.was_sent, error.position, error.service) == (True, 0, "a")
    assert "an earlier call of this row may have been processed" in str(error)


def test_without_retries_a_row_that_could_not_be_sent_is_its_outcome(world):
    world.answered_by(lambda sent, now: NotSent("connection refused"))
    assert world.map(rows(3), concurrency=1, on_error="keep", service={"retry": "off"}) is None
    assert [type(outcome.error) for outcome in world.outcomes] == [NotSent] * 3


def test_a_row_that_alone_cannot_be_sent_is_its_outcome(world):
    world.answered_by(
        lambda sent, now: NotSent("refused") if number_of(sent) == 0 else reply_of(200, json={}, delay=0.1)
    )
    assert world.map(rows(200), concurrency=2, on_error="keep", ordered=False) is None
    assert [(outcome.index, type(outcome.error)) for outcome in world.outcomes if not outcome.ok] == [(0, NotSent)]


@pytest.mark.parametrize("operation", ["content", "parts"])
def test_what_was_read_is_not_sent_again_as_an_empty_rest(world, operation):
    def answer(sent, now):
        return reply_of(429, headers={"Retry-After": "45"}) if now < 45.0 else {"ok": True}

    world.answered_by(answer)
    operations = {
        "content": {"post": "/c", "content": "text/csv"},
        "parts": {"post": "/m", "multipart": {"content": "file"}},
    }
    given = [{"content": io.BytesIO(b"whole")}, {"content": iter([b"whole"])}, {"content": b"whole"}]
    service = {"operations": operations, "concurrency": 1}
    assert world.map(given, operation, concurrency=3, on_error="keep", service=service) is None
    assert all(b"whole" in sent.content for sent in world.sent)
    assert world.outcomes[2].ok
