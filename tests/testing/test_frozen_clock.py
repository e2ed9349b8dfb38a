"""Time that does not pass: threads and tasks wait in the right order, and no test waits at all."""

import asyncio
import threading
import time
from datetime import UTC, datetime

import pytest

import callsheet
from callsheet import AsyncClient, Client, Sheet
from callsheet.errors import DeadlinePassed, LimitReached, RateLimited, ServerError, UsageError
from callsheet.testing import FakeTransport, FrozenClock

START = 1_767_225_600.0
SHOP = {"shop": {"base_url": "https://shop.test/v1", "operations": {"get": {"get": "/users/{id}"}}}}


@pytest.fixture
def clock():
    return FrozenClock()


@pytest.fixture
def at_once():
    """The test takes no real time, whatever it waits for."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < 5.0


def test_a_sleep_takes_no_time(clock, at_once):
    clock.sleep(3600.0)
    assert (clock.now(), clock.wall()) == (3600.0, 1_767_225_600.0 + 3600.0)


def test_a_retry_test_takes_no_real_time(clock, at_once):
    fake = FakeTransport(clock)
    fake.on("GET", "/users/{id}").respond(503, headers={"Retry-After": "9"}).respond(200, json={"id": 7})
    with Client(Sheet(services=SHOP), transport=fake, clock=clock) as client:
        answer = client.service("shop").call("get", id="7")
    assert (answer.json(), answer.attempts, answer.elapsed, clock.now()) == ({"id": 7}, 2, 9.0, 9.0)


def test_a_retry_after_that_is_a_date_goes_by_the_clock(clock, at_once):
    fake = FakeTransport(clock)
    fake.on("GET", "/x").respond(429, headers={"Retry-After": "Thu, 01 Jan 2026 00:00:20 GMT"}).respond()
    with Client(base_url="https://a.test", transport=fake, clock=clock) as client:
        client.get("/x")
    assert clock.now() == 20.0


def test_the_deadline_passes_by_the_clock(clock, at_once):
    fake = FakeTransport(clock)
    fake.on("GET", "/x").respond(delay=3600.0)
    with Client(base_url="https://a.test", transport=fake, clock=clock, retry="off") as client:
        with pytest.raises(callsheet.AttemptTimeout):
            client.get("/x")
        assert clock.now() == 10.0
        with callsheet.deadline(2.0, now=clock.now), pytest.raises(DeadlinePassed):
            client.get("/x")
        assert clock.now() == 12.0


def test_threads_wait_beside_each_other(clock, at_once):
    fake = FakeTransport(clock)
    for number in range(8):
        fake.on("GET", f"/users/{number}").respond(json=number, delay=float(number))
    with Client(Sheet(services=SHOP), transport=fake, clock=clock) as client:
        rows = [{"id": str(number)} for number in range(8)]
        outcomes = list(client.service("shop").map("get", rows, concurrency=8))
    assert [outcome.value.json() for outcome in outcomes] == list(range(8))
    assert clock.now() <= 8.0  # one after another it would be 28


def test_a_slot_is_waited_for_by_the_clock(clock, at_once):
    fake = FakeTransport(clock)
    fake.on("GET", "/x").respond(delay=4.0)
    with Client(base_url="https://a.test", transport=fake, clock=clock, concurrency=1, timeout=6) as client:
        errors, together = [], threading.Barrier(3)

        def call():
            together.wait()
            try:
                errors.append(client.get("/x").ok)
            except DeadlinePassed as error:
                errors.append(str(error))

        threads = [threading.Thread(target=call) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors.count(True) == 1
    assert sum("not done within 6 s (timeout.total)" in str(error) for error in errors) == 2
    assert clock.now() == 6.0


def test_the_clock_can_be_moved_by_hand(clock):
    clock.advance(5.0)
    clock.advance(0)
    assert (clock.now(), clock.wall()) == (5.0, START + 5.0)
    for seconds in (-1, float("nan")):
        with pytest.raises(ValueError, match="advance: expected a number of seconds, 0 or more, found"):
            clock.advance(seconds)


def test_who_waits_for_less_than_the_clock_is_moved_goes_on(clock, in_loop):
    async def steps():
        order = []

        async def one(seconds):
            await clock.asleep(seconds)
            order.append((seconds, clock.now()))

        tasks = [asyncio.create_task(one(seconds)) for seconds in (2.0, 1.0, 30.0)]
        await asyncio.sleep(0)
        clock.advance(10.0)
        await asyncio.gather(*tasks)
        return order

    assert in_loop(steps()) == [(1.0, 10.0), (2.0, 10.0), (30.0, 30.0)]


@pytest.mark.parametrize(
    "start",
    [1_783_080_000, "2026-07-03T12:00:00Z", "2026-07-03T14:00:00+02:00", datetime(2026, 7, 3, 12, tzinfo=UTC)],
)
def test_the_time_of_day_begins_where_it_is_told(start):
    clock = FrozenClock(start)
    clock.sleep(90.5)
    assert clock.wall() == 1_783_080_090.5
    assert repr(clock) == "<FrozenClock at 90.5 s, 2026-07-03 12:01:30 UTC>"


@pytest.mark.parametrize("start", ["2026-07-03T12:00:00", "2026-07-03", datetime(2026, 7, 3)])  # noqa: DTZ001
def test_a_time_of_day_without_an_offset_is_refused(start):
    with pytest.raises(ValueError, match=r"has no offset from UTC; write it, as in `2026-01-01T00:00:00\+00:00`"):
        FrozenClock(start)


def test_tasks_wait_beside_each_other(clock, at_once, in_loop):
    async def order():
        done = []

        async def one(seconds):
            await clock.asleep(seconds)
            done.append((seconds, clock.now()))

        await asyncio.gather(*(one(seconds) for seconds in (3.0, 1.0, 2.0, 1.0)))
        return done

    assert in_loop(order()) == [(1.0, 1.0), (1.0, 1.0), (2.0, 2.0), (3.0, 3.0)]


def test_the_clock_stands_while_a_task_is_at_work(clock, in_loop):
    async def times():
        sleeper = asyncio.create_task(clock.asleep(10.0))
        seen = []
        for _ in range(100):
            await asyncio.sleep(0)
            seen.append(clock.now())
        await sleeper
        return seen

    assert set(in_loop(times())) == {0.0}


def test_fifty_calls_with_delays_and_retries_end_when_each_would(clock, at_once, in_loop):
    async def elapsed():
        fake = FakeTransport(clock)
        for number in range(50):
            route = fake.on("GET", f"/users/{number}").respond(503, delay=1.0, headers={"Retry-After": "5"})
            route.respond(json=number, delay=number / 100)
        async with AsyncClient(
            Sheet(services=SHOP), transport=fake, clock=clock, retry={"budget": {"floor": 100}}, breaker="off"
        ) as client:
            shop = client.service("shop")
            return await asyncio.gather(*(shop.call("get", id=str(number)) for number in range(50)))

    answers = in_loop(elapsed())
    assert [answer.elapsed for answer in answers] == [pytest.approx(6.0 + number / 100) for number in range(50)]
    assert clock.now() == pytest.approx(6.49)


def test_a_cancelled_wait_is_forgotten(clock, in_loop):
    async def steps():
        sleeper = asyncio.create_task(clock.asleep(1000.0))
        await asyncio.sleep(0)
        sleeper.cancel()
        await asyncio.gather(sleeper, return_exceptions=True)
        await clock.asleep(1.0)

    in_loop(steps())
    assert clock.now() == 1.0


def test_a_limit_is_waited_for_by_the_clock(clock, at_once, in_loop):
    async def steps():
        fake = FakeTransport(clock)
        fake.on("GET", "/x").respond()
        async with AsyncClient(base_url="https://a.test", transport=fake, clock=clock, rate_limit="10/s") as client:
            return await asyncio.gather(*(client.get("/x") for _ in range(25)))

    answers = in_loop(steps())
    assert sorted(round(answer.elapsed) for answer in answers) == [0] * 10 + [1] * 10 + [2] * 5


def test_one_429_holds_up_all_tasks(clock, at_once, in_loop):
    async def steps():
        fake = FakeTransport(clock)
        fake.on("GET", "/x").respond(429, headers={"Retry-After": "40"}).respond()
        async with AsyncClient(base_url="https://a.test", transport=fake, clock=clock) as client:
            first = await asyncio.gather(client.get("/x"), return_exceptions=True)
            others = await asyncio.gather(*(client.get("/x") for _ in range(3)), return_exceptions=True)
            patient = await client.get("/x", timeout={"total": 60})
        return first + others, patient

    errors, patient = in_loop(steps())
    assert [type(error) for error in errors] == [RateLimited] + [LimitReached] * 3
    assert patient.elapsed == pytest.approx(40.0)


def test_what_an_error_says_of_a_date_goes_by_the_clock(clock):
    fake = FakeTransport(clock)
    fake.on("GET", "/x").respond(429, headers={"Retry-After": "Thu, 01 Jan 2026 00:00:40 GMT"})
    with Client(base_url="https://a.test", transport=fake, retry="off", rate_limit={"learn": False}) as client:
        with pytest.raises(RateLimited) as caught:
            client.get("/x")
        assert caught.value.retry_after == 40.0
        clock.advance(15.0)
        with pytest.raises(RateLimited) as caught, client.stream("GET", "/x", timeout=60):
            pass
        assert caught.value.retry_after == 25.0


def test_a_client_goes_by_the_clock_of_its_transport(at_once):
    fake = FakeTransport()
    fake.on("GET", "/x").respond(503, headers={"Retry-After": "9"}).respond()
    with Client(base_url="https://a.test", transport=fake) as client:
        assert client.get("/x").elapsed == fake.clock.now() == 9.0


def test_a_transport_goes_by_the_clock_of_its_client(clock):
    fake = FakeTransport()
    fake.on("GET", "/x").respond(delay=3.0)
    with Client(base_url="https://a.test", transport=fake, clock=clock) as client:
        client.get("/x")
    assert fake.clock is clock
    assert clock.now() == 3.0


def test_two_clocks_are_refused(clock):
    with pytest.raises(UsageError, match="the client has one clock and its transport another"):
        Client(base_url="https://a.test", transport=FakeTransport(FrozenClock()), clock=clock)


def test_a_clock_needs_a_transport_that_goes_by_it(clock):
    with pytest.raises(UsageError, match="needs a transport that goes by it, such as a FakeTransport"):
        Client(base_url="https://a.test", clock=clock)


def outage(clock, seconds, rate, **settings):
    """Calls at a rate to a service that answers nothing but 503; how many there were, and what the service saw."""

    async def steps():
        fake = FakeTransport(clock)
        fake.on("GET", "/x").respond(503, delay=0.02)
        async with AsyncClient(base_url="https://a.test", transport=fake, clock=clock, **settings) as client:
            calls = []
            for _ in range(seconds * rate):
                calls.append(asyncio.create_task(client.get("/x")))
                await clock.asleep(1.0 / rate)
            errors = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(error, ServerError | callsheet.BreakerOpen) for error in errors)
        return len(errors), len(fake.calls)

    return asyncio.run(steps())


def test_in_an_outage_the_service_sees_a_fifth_more_and_the_floor(clock):
    """100 % failures at 1,000 calls/s: breaker and limits off, then everything on."""
    seconds, rate = 4, 1000
    calls, seen = outage(clock, seconds, rate, breaker="off", rate_limit={"learn": False})
    protected = outage(FrozenClock(), seconds, rate)[1]
    print(f"\n{calls} calls, nothing but 503: {seen} requests (x{seen / calls:.2f}); everything on: {protected}")  # noqa: T201
    assert calls < seen <= 1.2 * calls + 10 * (seconds + 10)
    # Until nothing has worked for two seconds, and some probes.
    assert protected <= 1.2 * 2 * rate + 10 * (2 + 10) + 10
