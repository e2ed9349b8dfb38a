"""The breaker as a caller meets it, over real sockets in both colours."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from callsheet import AsyncClient, BreakerChanged, Client, Sheet
from callsheet.errors import BreakerOpen, ServerError
from tests.servers import ScriptedServer, answer, answer_with

WINDOW = 0.15
OPERATIONS = {
    "fine": {"get": "/fine"},
    "dead": {"get": "/dead"},
    "dead_apart": {"get": "/dead", "breaker": {"samples": 5, "window": "1ms", "open": "1m", "max_open": "1m"}},
}
WORKERS = 8


def by_path(request):
    return answer(503 if request.target == "/dead" else 200)


def fail_until_open(service, breaker, operation="dead"):
    while breaker.state == "closed":
        with pytest.raises(ServerError):
            service.call(operation)


def test_a_service_that_fails_opens_it_after_the_window_and_not_before(any_shop):
    breaker = {"samples": 5, "window": WINDOW, "open": "1m", "max_open": "1m"}
    with any_shop(OPERATIONS, script=answer_with(by_path), retry="off", breaker=breaker) as service:
        control, began = service.service.breaker(), time.monotonic()
        fail_until_open(service, control)
        assert time.monotonic() - began >= WINDOW
        assert service.count >= 5
        sent = service.count
        with pytest.raises(BreakerOpen, match="left alone for another"):
            service.call("dead")
        assert (service.count, control.failures) == (sent, 0)


def test_failures_that_are_too_few_do_not_open_it_however_long_they_last(any_shop):
    with any_shop(OPERATIONS, script=answer_with(by_path), retry="off", breaker={"window": "1ms"}) as service:
        for _ in range(19):
            with pytest.raises(ServerError):
                service.call("dead")
        assert (service.service.breaker().state, service.service.breaker().failures) == ("closed", 19)


def test_a_probe_that_succeeds_closes_it(any_shop):
    failing = [True]
    breaker = {"samples": 2, "window": "1ms", "open": "10ms", "max_open": "20ms"}
    script = answer_with(lambda _: answer(503 if failing[0] else 200))
    with any_shop(OPERATIONS, script=script, retry="off", breaker=breaker) as service:
        control = service.service.breaker()
        fail_until_open(service, control)
        sent = service.count
        while service.count < sent + 3:  # probes
            with pytest.raises((BreakerOpen, ServerError)):
                service.call("fine")
        failing[0] = False
        while control.state != "closed":
            try:
                service.call("fine")
            except BreakerOpen:
                continue
        sent = service.count
        for _ in range(3):
            service.call("fine")
        assert service.count == sent + 3


def test_a_dead_operation_among_healthy_ones_opens_only_a_breaker_of_its_own(any_shop):
    breaker = {"samples": 5, "window": "1ms", "open": "1m", "max_open": "1m"}
    with any_shop(OPERATIONS, script=answer_with(by_path), retry="off", breaker=breaker) as service:
        whole, own = service.service.breaker(), service.service.breaker("dead_apart")
        for _ in range(20):
            for _ in range(4):
                with pytest.raises(ServerError):
                    service.call("dead")
            assert (whole.state, whole.failures) == ("closed", 4)
            service.call("fine")
        fail_until_open(service, own, "dead_apart")
        with pytest.raises(BreakerOpen):
            service.call("dead_apart")
        assert (own.state, whole.state, whole.failures) == ("open", "closed", 0)
        service.call("fine")


LATE = {"samples": 2, "window": "1ms", "open": "1m", "max_open": "1m"}


@pytest.fixture
def late():
    """A service that fails, but for one path which it answers once the fixture's event is set; and what listeners hear."""
    may_answer, is_asked, events = Event(), Event(), []

    def choose(request):
        if request.target == "/dead":
            return answer(503)
        is_asked.set()
        may_answer.wait(5)
        return answer(200)

    with ScriptedServer(answer_with(choose)) as server:
        service = {"base_url": server.url, "operations": OPERATIONS, "retry": "off", "breaker": LATE}
        yield Sheet(services={"shop": service}), is_asked, may_answer, events


def states(events):
    return [event.state for event in events if isinstance(event, BreakerChanged)]


def test_a_success_that_began_before_it_opened_closes_it(late):
    sheet, is_asked, may_answer, events = late
    with Client(sheet, listeners=(events.append,)) as client, ThreadPoolExecutor(1) as threads:
        shop = client.service("shop")
        slow = threads.submit(shop.call, "fine")
        assert is_asked.wait(5)
        fail_until_open(shop, shop.breaker())
        may_answer.set()
        slow.result(5)
        assert shop.breaker().state == "closed"
    assert states(events) == ["open", "closed"]


def test_a_success_of_a_task_that_began_before_it_opened_closes_it(late):
    sheet, is_asked, may_answer, events = late

    async def calls():
        async with AsyncClient(sheet, listeners=(events.append,)) as client:
            shop = client.service("shop")
            slow = asyncio.create_task(shop.call("fine"))
            assert await asyncio.to_thread(is_asked.wait, 5)
            while shop.breaker().state == "closed":
                with pytest.raises(ServerError):
                    await shop.call("dead")
            may_answer.set()
            await slow
            assert shop.breaker().state == "closed"

    asyncio.run(calls())
    assert states(events) == ["open", "closed"]


CROWD = {"samples": 20, "window": "1ms", "open": "1ms", "max_open": "5ms", "probes": 2}


def crowd_of(script):
    """The server, and a sheet for the calls of many at once."""
    server = ScriptedServer(script)
    service = {"base_url": server.url, "operations": OPERATIONS, "retry": "off", "breaker": CROWD}
    return server, Sheet(services={"shop": service})


def test_threads_at_once_find_a_service_that_is_back():
    failing = Event()
    server, sheet = crowd_of(answer_with(lambda _: answer(503 if failing.is_set() else 200)))
    with server, Client(sheet) as client, ThreadPoolExecutor(WORKERS) as threads:
        shop = client.service("shop")
        breaker = shop.breaker()

        def call_until(fact):
            while not fact():
                try:
                    shop.call("fine")
                except (BreakerOpen, ServerError):
                    continue

        for _ in range(5):
            failing.set()
            list(threads.map(call_until, [lambda: breaker.state != "closed"] * WORKERS))
            failing.clear()
            list(threads.map(call_until, [lambda: breaker.state == "closed"] * WORKERS))
        shop.call("fine")
        assert (breaker.state, breaker.failures) == ("closed", 0)


def test_tasks_at_once_find_a_service_that_is_back():
    failing = Event()
    server, sheet = crowd_of(answer_with(lambda _: answer(503 if failing.is_set() else 200)))

    async def calls():
        async with AsyncClient(sheet) as client:
            shop = client.service("shop")
            breaker = shop.breaker()

            async def call_until(fact):
                while not fact():
                    try:
                        await shop.call("fine")
                    except BreakerOpen:
                        await asyncio.sleep(0)
                    except ServerError:
                        continue

            for _ in range(5):
                failing.set()
                await asyncio.gather(*(call_until(lambda: breaker.state != "closed") for _ in range(WORKERS)))
                failing.clear()
                await asyncio.gather(*(call_until(lambda: breaker.state == "closed") for _ in range(WORKERS)))
            await shop.call("fine")
            assert (breaker.state, breaker.failures) == ("closed", 0)

    with server:
        asyncio.run(calls())


def test_a_service_that_fails_every_second_request_is_never_refused_to_many_at_once():
    server, sheet = crowd_of(lambda number: answer(503 if number % 2 else 200))
    with server, Client(sheet) as client, ThreadPoolExecutor(WORKERS) as threads:
        shop = client.service("shop")

        def call(_):
            try:
                return shop.call("fine")
            except ServerError as error:
                return error

        found = list(threads.map(call, range(400)))
        assert len(server.requests) == 400
    assert sum(isinstance(each, ServerError) for each in found) == 200
