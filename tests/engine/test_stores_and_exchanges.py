"""Questions to stores, and requests beside the call's own: a policy only says so, the engine does it."""

import gzip

import pytest

from callsheet.engine.log import ALONE
from callsheet.errors import AuthError, DeadlinePassed, NoAnswer, NotSent
from callsheet.events import StoreFailed
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.settings.timeout import Timeout
from callsheet.verdicts import AnswerWith, Ask, Exchange, Refuse, StoreFailure, TryAgain
from tests.engine.world import FACTS, URL, Answer, BlockingWorld, Policy

TOKEN = Request("POST", "https://auth.test/token", Headers())


@pytest.fixture
def log():
    return []


class Store:
    """Answers every question the same, and keeps what it was asked."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []

    def _answered(self, question, seconds):
        self.asked.append((question, seconds))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class BlockingStore(Store):
    def ask(self, question, seconds):
        return self._answered(question, seconds)


class TaskStore(Store):
    async def ask(self, question, seconds):
        return self._answered(question, seconds)


def store_of(world, answer):
    return (BlockingStore if isinstance(world, BlockingWorld) else TaskStore)(answer)


def test_a_store_is_asked_once_and_its_answer_makes_the_verdict(world, log):
    store = store_of(world, "hit")
    told = []
    plan = world.plan(Policy("cache", log, before=[Ask(store, "key", told.append)]))
    world.call(plan, timeout=Timeout(total=7.0))
    assert (store.asked, told) == ([("key", 7.0)], ["hit"])


@pytest.mark.parametrize(("within", "seconds"), [(0.25, 0.25), (9.0, 7.0), (None, 7.0)])
def test_a_question_may_be_given_less_than_the_call_has_left(world, log, within, seconds):
    store = store_of(world, "hit")
    plan = world.plan(Policy("cache", log, before=[Ask(store, "key", lambda _: None, within)]))
    world.call(plan, timeout=Timeout(total=7.0))
    assert store.asked == [("key", seconds)]


def test_a_store_may_answer_the_call(world, log):
    kept = world.call(world.plan())
    plan = world.plan(Policy("cache", log, before=[Ask(store_of(world, kept), "key", AnswerWith)]))
    assert world.call(plan) is kept
    assert len(world.transport.sent) == 1


def test_a_store_that_fails_costs_an_event_and_not_the_call(world, log):
    told = []
    store = store_of(world, ConnectionError("gone"))
    world.call(world.plan(Policy("cache", log, before=[Ask(store, "key", told.append)])))
    assert told == [StoreFailure("ConnectionError: gone")]
    (event,) = world.told(StoreFailed)
    assert event == StoreFailed(event.id, *FACTS, type(store).__name__, "ConnectionError: gone")


class RestingError(ConnectionError):
    is_resting = True


def test_the_log_tells_of_a_store_that_failed_and_not_of_one_that_rests(world, log, caplog):
    for error in (ConnectionError("it is not asked again"), RestingError("gone")):
        policy = Policy("cache", log, before=[Ask(store_of(world, error), "key", lambda _: None)])
        world.call(world.plan(policy, listeners=(*ALONE, world.events.append)))
    failed, resting = world.told(StoreFailed)
    assert (failed.is_resting, resting.is_resting) == (False, True)
    (record,) = caplog.records
    assert record.getMessage().endswith("could not be asked: ConnectionError: it is not asked again")
    assert record.callsheet["id"] == failed.id


def test_a_store_may_be_asked_after_an_attempt(world, log):
    store = store_of(world, 0.5)
    world.call(world.plan(Policy("budget", log, after=[Ask(store, "spend", TryAgain)])))
    assert (world.pauses, len(world.transport.sent)) == ([0.5], 2)


def exchange(*requests, then=None, log=None):
    """An exchange of these requests; what each brings, answer or error, is kept in `log`."""

    def steps():
        for request in requests:
            try:
                log.append((yield request))
            except Exception as error:
                log.append(error)
        return then

    return Exchange(steps())


def test_an_exchange_sends_several_requests_before_the_attempt(world, log):
    answers = []
    world.transport.script = [Answer(200, b"one"), Answer(201, b"two")]
    world.call(world.plan(Policy("login", log, before=[exchange(TOKEN, TOKEN, log=answers)])))
    assert [answer.content for answer in answers] == [b"one", b"two"]
    assert [request.url for request in world.transport.requests] == [TOKEN.url, TOKEN.url, URL]


def test_an_exchange_gets_its_answers_decoded(world, log):
    answers = []
    world.transport.script = [Answer(200, gzip.compress(b"token"), {"Content-Encoding": "gzip"})]
    world.call(world.plan(Policy("login", log, before=[exchange(TOKEN, log=answers)])))
    assert answers[0].content == b"token"


def test_what_fails_is_raised_inside_the_exchange(world, log):
    answers = []
    lost = NoAnswer("lost")
    broken = Answer(200, b"no gzip", {"Content-Encoding": "gzip"})
    world.transport.script = [lost, broken, Answer(200, b"token")]
    world.call(world.plan(Policy("login", log, before=[exchange(TOKEN, TOKEN, TOKEN, log=answers)])))
    assert [type(answer).__name__ for answer in answers] == ["NoAnswer", "DecodeError", "Response"]


def test_an_exchange_may_refuse_the_attempt(world, log):
    refusal = Refuse(AuthError("no token for us"), by="credential")
    plan = world.plan(Policy("login", log, before=[exchange(TOKEN, then=refusal, log=[])]))
    with pytest.raises(AuthError, match="no token for us") as caught:
        world.call(plan)
    assert (caught.value.attempts, caught.value.was_sent) == (0, False)


def test_an_exchange_that_raises_fails_the_call(world, log):
    def steps():
        yield TOKEN
        raise AuthError("not a token")

    with pytest.raises(AuthError, match=r"shop\.get_thing: GET /things: not a token"):
        world.call(world.plan(Policy("login", log, before=[Exchange(steps())], holds=True)))
    assert [entry[0] for entry in log] == ["before", "let_go", "ended"]


def test_an_exchange_has_a_time_limit_of_its_own(world, log):
    answers = []
    world.transport.script = [Answer(takes=8.0), Answer(takes=8.0)]
    verdict = exchange(TOKEN, TOKEN, TOKEN, log=answers)
    world.call(world.plan(Policy("login", log, before=[verdict])))
    assert [limits.attempt for limits in world.transport.limits[:2]] == [10.0, 2.0]
    assert [type(answer).__name__ for answer in answers] == ["Response", "AttemptTimeout", "DeadlinePassed"]


def test_an_exchange_ends_with_the_call_if_that_is_earlier(world, log):
    def steps():
        yield TOKEN

    world.transport.script = [Answer(takes=3.0)]
    plan = world.plan(Policy("login", log, before=[Exchange(steps())]))
    with pytest.raises(TimeoutError):
        world.call(plan, timeout=Timeout(total=2.0))
    assert world.transport.limits[0].attempt == 2.0


def test_the_generator_is_closed_when_its_request_is_interrupted(world, log):
    closed = []

    def steps():
        try:
            yield TOKEN
        finally:
            closed.append(True)

    world.transport.script = [ZeroDivisionError("a bug")]
    with pytest.raises(ZeroDivisionError):
        world.call(world.plan(Policy("login", log, before=[Exchange(steps())])))
    assert closed == [True]


def test_a_policy_is_asked_again_after_an_exchange(world, log):
    breaker = Policy("breaker", log)
    world.call(world.plan(breaker, Policy("login", log, before=[exchange(TOKEN, log=[])])))
    assert log.count(("before", "breaker", 1)) == 2


def test_an_exchange_does_not_count_as_an_attempt(world, log):
    world.transport.script = [Answer(), NotSent("refused")]
    plan = world.plan(Policy("login", log, before=[exchange(TOKEN, log=[])]))
    with pytest.raises(NotSent) as caught:
        world.call(plan)
    assert (caught.value.attempts, caught.value.was_sent) == (1, False)


def test_no_time_left_is_told_to_the_exchange(world, log):
    def steps():
        with pytest.raises(DeadlinePassed, match="no time is left for POST"):
            yield TOKEN

    world.call(world.plan(Policy("login", log, before=[Exchange(steps(), seconds=0.0)])))
