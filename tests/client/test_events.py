"""What a listener of a client is told: which call each event is of, for every way to call."""

import os
import subprocess
import sys
import time

import pytest

from callsheet import (
    AsyncClient,
    AttemptBegan,
    AttemptEnded,
    BreakerChanged,
    CallBegan,
    CallEnded,
    Client,
    ServerError,
    Sheet,
    TokenFetched,
    UsageError,
)
from callsheet.testing import FakeTransport, FrozenClock
from callsheet.testing.frozen_clock import START
from tests.loops import COLOURS, run

SHEET = """
callsheet: 1
services:
  shop:
    base_url: https://shop.test/v1
    retry: off
    operations:
      get_user: {get: "/users/{id}", path: {id: integer}}
"""


def with_settings(line):
    return SHEET.replace("retry: off", f"retry: off\n    {line}")


class Listener:
    wants = (CallBegan, AttemptBegan, AttemptEnded, CallEnded, BreakerChanged, TokenFetched)

    def __init__(self):
        self.events = []

    def __call__(self, event):
        self.events.append(event)

    def told(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
def fake():
    fake = FakeTransport()
    fake.otherwise().respond(json={"id": 7})
    return fake


@pytest.fixture(params=COLOURS)
def use(request, fake, listener):
    """Does something with the service of a client, once for each colour: by the first function, or the second awaited."""

    def used(blocking, asynchronous, sheet=SHEET):
        options = {"transport": fake, "listeners": (listener,)}
        sheet = Sheet.parse(sheet)
        if request.param == "blocking":
            with Client(sheet, **options) as client:
                return blocking(client.service("shop"))

        async def main():
            async with AsyncClient(sheet, **options) as client:
                return await asynchronous(client.service("shop"))

        return run(main(), request.param)

    return used


def do(use, method, *arguments, **options):
    """The result of one method of the service."""

    def done(shop):
        return getattr(shop, method)(*arguments, **options)

    return use(done, done)


def test_events_of_an_operation_have_its_template_and_when_it_began(use, listener):
    do(use, "call", "get_user", id=7)
    facts = {event[1:6] for event in listener.events}
    assert facts == {("shop", "get_user", "GET", "/users/{id}", START)}
    kinds = [type(event) for event in listener.events]
    assert kinds == [CallBegan, AttemptBegan, AttemptEnded, CallEnded]


def test_an_undeclared_request_has_no_template(use, listener):
    do(use, "post", "/anything/7?q=1", json={})
    assert {event[1:5] for event in listener.events} == {("shop", "post", "POST", "")}
    assert listener.told(CallBegan)[0].url == "https://shop.test/v1/anything/7?q=1"


def test_each_row_of_a_map_is_a_call_of_its_own(use, listener):
    async def in_tasks(shop):
        return [outcome async for outcome in shop.map("get_user", [{"id": number} for number in range(20)])]

    use(lambda shop: list(shop.map("get_user", [{"id": number} for number in range(20)])), in_tasks)
    begun = [event.id for event in listener.told(CallBegan)]
    assert len(set(begun)) == 20
    assert sorted(begun) == sorted(event.id for event in listener.told(CallEnded))


def test_a_download_begins_and_ends(use, listener, tmp_path):
    do(use, "download", "/users/7", tmp_path / "user.json")
    ((begun,), (ended,)) = listener.told(CallBegan), listener.told(CallEnded)
    assert (ended.id, ended.template, ended.error) == (begun.id, "", None)


def test_what_changes_a_breaker_is_named(use, listener, fake):
    fake.on("GET", "/users/7").respond(500)

    def blocking(shop):
        with pytest.raises(ServerError):
            shop.call("get_user", id=7)
        shop.breaker().reset()

    async def asynchronous(shop):
        with pytest.raises(ServerError):
            await shop.call("get_user", id=7)
        shop.breaker().reset()

    use(blocking, asynchronous, with_settings("breaker: {ratio: 99%, samples: 1}"))
    opened, reset = listener.told(BreakerChanged)
    assert opened[:6] == listener.told(CallBegan)[0][:6]
    assert (opened.state, reset.state) == ("open", "closed")
    assert reset[:6] == ("", "shop", "", "", "", START)


def test_a_token_is_of_no_call(use, listener, fake):
    fake.on("POST", "/token").respond(json={"access_token": "t", "token_type": "Bearer"})
    auth = "auth: {oauth2: {token_url: 'https://shop.test/token', client_id: a, client_secret: b}}"

    def called(shop):
        return shop.call("get_user", id=7)

    use(called, called, with_settings(auth))
    (fetched,) = listener.told(TokenFetched)
    assert fetched[:6] == ("", "shop", "", "", "", START)
    assert len({event.id for event in listener.events} - {""}) == 1


def test_began_is_the_time_of_day():
    listener = Listener()
    before = time.time()
    with Client(base_url="https://shop.test", transport=Answering(), listeners=(listener,)) as client:
        client.get("/")
    assert before <= listener.events[0].began <= time.time()


class Answering:
    def __init__(self):
        self.fake = FakeTransport(FrozenClock())
        self.fake.otherwise().respond()

    def send(self, request, limits):
        return self.fake.send(request, limits)


def test_a_listener_with_wants_that_are_none_is_refused():
    listener = Listener()
    listener.wants = CallEnded
    with pytest.raises(UsageError, match="wants: expected event types"):
        Client(base_url="https://shop.test", transport=Answering(), listeners=(listener,))


FORKED = """
import os
from callsheet import Client
from callsheet.testing import FakeTransport

def shown(event):
    print(event.id, flush=True)

fake = FakeTransport()
fake.otherwise().respond()
with Client(base_url="https://shop.test", transport=fake, listeners=(shown,)) as client:
    client.get("/")
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    client.get("/")
    if not child:
        os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_calls_of_forked_processes_have_ids_of_their_own():
    done = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, check=True, timeout=60)
    assert len(set(done.stdout.split())) == 3
