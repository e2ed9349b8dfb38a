"""How long a token of a provider serves, and when the next one is fetched; on a frozen clock."""

import json
import threading

import pytest

from callsheet import Secret, Sheet
from callsheet.errors import AuthError, DeadlinePassed, Unauthorized, UsageError
from callsheet.events import TokenFetched
from callsheet.testing import FrozenClock

TOKEN_URL = "https://id.test/token"


@pytest.fixture
def clock():
    return FrozenClock()


@pytest.fixture
def shop(world, clock):
    """A service, its token endpoint, and what was sent to both."""

    def opened(**more):
        fake = world.fake(clock)
        x = fake.on("GET", "/x").respond(json={})
        auth = {"oauth2": {"token_url": TOKEN_URL, "client_id": "a", "client_secret": "${S}", **more}}
        text = json.dumps({"callsheet": 1, "services": {"shop": {"base_url": "https://shop.test", "auth": auth}}})
        events = []
        made = world(
            Sheet.parse(text, variables={"S": "the-secret"}), transport=fake, clock=clock, listeners=(events.append,)
        )
        made.fake, made.events, made.x = fake, events, x
        made.token = fake.on("POST", "/token")
        made.sent = lambda: [call.headers["Authorization"] for call in fake.calls if call.url.endswith("/x")]
        made.fetches = lambda: [event for event in events if isinstance(event, TokenFetched)]
        return made

    return opened


def until(condition):
    for _ in range(2000):
        if condition():
            return
        threading.Event().wait(0.001)
    raise AssertionError("it never came")


def granted(number, life=100):
    return {"access_token": f"token-{number}", "token_type": "bearer", "expires_in": life}


def test_one_token_serves_until_a_tenth_of_its_life_is_left(shop, clock):
    client = shop()
    client.token.respond(json=granted(1)).respond(json=granted(2))
    client.do("get", "/x")
    clock.advance(89)
    client.do("get", "/x")
    assert client.sent() == ["Bearer token-1"] * 2
    assert len(client.fetches()) == 1


def test_then_the_next_one_is_fetched_while_calls_go_on_with_the_old(shop, clock):
    client = shop()
    client.token.respond(json=granted(1)).respond(json=granted(2))
    client.do("get", "/x")
    clock.advance(91)
    client.do("get", "/x")
    assert client.sent()[-1] == "Bearer token-1"
    pump(client, lambda: len(client.fetches()) == 2)
    client.do("get", "/x")
    assert client.sent()[-1] == "Bearer token-2"


def pump(client, condition):
    """Give the background its turn: a thread has one anyway, a task while the loop runs."""

    def ran():
        if hasattr(client, "runner"):
            import asyncio

            client.runner.run(asyncio.sleep(0))
        return condition()

    until(ran)


def test_a_failing_early_fetch_harms_no_call_and_is_not_repeated_at_each(shop, clock):
    client = shop()
    client.token.respond(json=granted(1)).respond(400, json={"error": "invalid_scope"})
    client.do("get", "/x")
    clock.advance(91)
    for _ in range(5):
        client.do("get", "/x")
        pump(client, lambda: len(client.fetches()) == 2)
    assert client.sent() == ["Bearer token-1"] * 6
    assert [event.error is None for event in client.fetches()] == [True, False]


def test_a_token_that_is_over_is_waited_for(shop, clock):
    client = shop()
    client.token.respond(json=granted(1)).respond(json=granted(2))
    client.do("get", "/x")
    clock.advance(96)
    client.do("get", "/x")
    assert client.sent() == ["Bearer token-1", "Bearer token-2"]


@pytest.mark.parametrize("told", [None, "soon", True, "inf", "nan"])
def test_a_life_that_is_not_told_lasts_until_a_401(shop, clock, told):
    client = shop()
    answer = {name: value for name, value in granted(1, told).items() if value is not None}
    client.token.respond(json=answer)
    client.do("get", "/x")
    clock.advance(1e7)
    client.do("get", "/x")
    assert client.sent() == ["Bearer token-1"] * 2


@pytest.mark.parametrize("told", [0, -5, "0"])
def test_a_life_of_nothing_still_serves_who_waited(shop, clock, told):
    client = shop()
    client.token.respond(json=granted(1, told)).respond(json=granted(2, told))
    client.do("get", "/x")
    clock.advance(3)
    client.do("get", "/x")
    assert client.sent() == ["Bearer token-1", "Bearer token-2"]


def test_the_endpoint_is_asked_three_times_where_it_is_overloaded(shop, clock):
    client = shop()
    client.token.respond(503).respond(429, headers={"Retry-After": "2"}).respond(json=granted(1))
    client.do("get", "/x")
    assert client.fetches()[0].requests == 3
    assert clock.now() >= 2
    assert client.sent() == ["Bearer token-1"]


def test_and_then_no_more_and_for_a_while_not_at_all(shop, clock):
    client = shop()
    client.token.respond(503)
    for asked, rest in ((3, 1), (6, 2), (9, 4)):
        with pytest.raises(AuthError, match="it answered 503") as caught:
            client.do("get", "/x")
        assert caught.value.retry_after == pytest.approx(rest, abs=0.2)
        with pytest.raises(AuthError):
            client.do("get", "/x")
        assert len(client.fake.calls) == asked
        clock.advance(rest + 0.1)
    assert client.sent() == []


def test_an_exchange_ends_within_ten_seconds_of_its_own(shop, clock):
    client = shop()
    client.token.respond(json=granted(1), delay=60)
    with pytest.raises(AuthError, match="AttemptTimeout"):
        client.do("get", "/x")
    assert 9 <= clock.now() < 12


def test_a_call_waits_no_longer_than_its_own_deadline(shop, clock):
    client = shop()
    client.token.respond(json=granted(1), delay=5)
    with pytest.raises(DeadlinePassed, match="waiting for a token from https://id"):
        client.do("get", "/x", timeout=1)
    client.do("get", "/x")
    assert len(client.fetches()) == 1


def test_a_refused_way_tells_so(shop):
    client = shop()
    client.token.refuse()
    with pytest.raises(AuthError, match="no token from https://id"):
        client.do("get", "/x")


def test_a_mistake_of_the_test_is_told_to_who_waits_as_it_is(world, clock):
    """Nobody said what the token endpoint answers: that is not a provider in trouble."""
    fake = world.fake(clock)
    auth = {"oauth2": {"token_url": TOKEN_URL, "client_id": "a", "client_secret": "the-secret"}}
    client = world(
        Sheet(services={"shop": {"base_url": "https://shop.test", "auth": auth}}), transport=fake, clock=clock
    )
    for _ in range(2):
        with pytest.raises(UsageError, match="POST https://id"):
            client.do("get", "/x")


def test_after_a_401_that_a_new_token_did_not_mend_none_is_fetched_for_a_while(shop, clock):
    client = shop()
    client.token.respond(json=granted(1)).respond(json=granted(2)).respond(json=granted(3))
    client.x.respond(401)
    client.do("get", "/x")
    for sent in (3, 4):
        with pytest.raises(Unauthorized):
            client.do("get", "/x")
        assert (len(client.fetches()), len(client.sent())) == (2, sent)
    clock.advance(11)
    with pytest.raises(Unauthorized):
        client.do("get", "/x")
    assert len(client.fetches()) == 3


@pytest.mark.parametrize("told", [10**400, "9" * 400])
def test_a_life_beyond_all_numbers_lasts_until_a_401(shop, told):
    client = shop()
    client.token.respond(json=granted(1, told))
    client.do("get", "/x")
    assert client.fetches()[0].lifetime == float("inf")


def test_a_secret_that_is_no_text_is_an_auth_error_at_once(world, clock):
    fake = world.fake(clock)
    auth = {"oauth2": {"token_url": TOKEN_URL, "client_id": "a", "client_secret": Secret("half a pair: \udc80")}}
    client = world(
        Sheet(services={"shop": {"base_url": "https://shop.test", "auth": auth}}), transport=fake, clock=clock
    )
    with pytest.raises(AuthError, match="no text in UTF-8"):
        client.do("get", "/x")
    assert fake.calls == []
