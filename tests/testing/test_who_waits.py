"""When a frozen clock jumps: all who use it wait, be they threads, tasks or both; and it never stands for ever."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from callsheet import AsyncClient, Client
from callsheet.testing import FakeTransport, FrozenClock
from callsheet.testing.idle_threads import PATIENCE
from callsheet.testing.waiting_tasks import IdleWatch

PATIENT = 5.0
"""Real seconds after which something hangs."""


@pytest.fixture
def clock():
    return FrozenClock()


class Others:
    """Threads beside the test's own."""

    def __init__(self):
        self.threads = []
        self.log = []

    def start(self, work, *arguments):
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()

    def join(self):
        for thread in self.threads:
            thread.join(PATIENT)
            assert not thread.is_alive(), "it hangs"


@pytest.fixture
def others():
    threads = Others()
    yield threads
    threads.join()


def test_fifty_threads_with_delays_go_on_when_each_would(clock):
    fake = FakeTransport(clock)
    for number in range(50):
        route = fake.on("GET", f"/users/{number}").respond(503, delay=number / 10, headers={"Retry-After": "5"})
        route.respond(json=number, delay=1.0)
    settings = {"retry": {"budget": {"floor": 100}}, "breaker": "off", "rate_limit": {"learn": False}}
    together = threading.Barrier(50)

    with Client(base_url="https://a.test", transport=fake, **settings) as client, ThreadPoolExecutor(50) as pool:

        def call(number):
            together.wait()
            return client.get(f"/users/{number}").elapsed, clock.now()

        ends = list(pool.map(call, range(50)))
    assert [elapsed for elapsed, _ in ends] == [pytest.approx(6.0 + number / 10) for number in range(50)]
    assert [at for _, at in ends] == [pytest.approx(6.0 + number / 10) for number in range(50)]
    sent = [(call.path, call.at) for call in fake.calls]
    assert sorted(sent, key=lambda each: each[1]) == sent


def test_threads_take_turns_in_the_order_of_their_time(clock, others):
    begun = threading.Barrier(3)

    def tick(name, seconds):
        begun.wait()
        for _ in range(4):
            clock.sleep(seconds)
            others.log.append((clock.now(), name))

    for name, seconds in (("two", 2.0), ("three", 3.0), ("five", 5.0)):
        others.start(tick, name, seconds)
    others.join()
    expected = [(2.0 * n, "two") for n in (1, 2, 3, 4)] + [(3.0 * n, "three") for n in (1, 2, 3, 4)]
    expected += [(5.0 * n, "five") for n in (1, 2, 3, 4)]
    assert sorted(others.log) == sorted(expected)
    assert [at for at, _ in others.log] == sorted(at for at, _ in expected)


def test_the_clock_stands_while_a_thread_that_uses_it_computes(clock, others):
    clock.now()
    others.start(clock.sleep, 10.0)
    ends = time.monotonic() + 0.1
    seen = set()
    while time.monotonic() < ends:
        seen.add(clock.now())
    assert seen == {0.0}


def test_the_clock_stands_while_a_request_is_under_way_outside_of_it(clock, others):
    others.start(clock.sleep, 10.0)
    with clock.under_way():
        time.sleep(0.05)
        assert clock.now() == 0.0


def test_and_while_an_app_in_this_process_takes_its_time(clock, in_loop):
    class App:
        async def send(self, request, limits):
            await asyncio.sleep(0.05)
            return await fake.asynchronous.send(request, limits)

        async def aclose(self):
            pass

    fake = FakeTransport(clock)
    fake.on("GET", "/x").respond()

    async def steps():
        async with AsyncClient(base_url="https://a.test", transport=App(), clock=clock) as client:
            sleeper = asyncio.create_task(clock.asleep(10.0))
            answer = await client.get("/x")
            await sleeper
            return answer.elapsed

    assert in_loop(steps()) == 0.0


def test_work_that_waits_for_who_waits_here_does_not_hang(clock, others):
    over = threading.Event()
    others.start(lambda: (clock.sleep(10.0), over.set()))
    began = time.monotonic()
    with clock.under_way():
        assert over.wait(PATIENT)
    assert PATIENCE / 2 < time.monotonic() - began < PATIENT


def test_nor_does_a_task_that_does(clock, in_loop):
    async def steps():
        over = asyncio.Event()

        async def other():
            await clock.asleep(10.0)
            over.set()

        task = asyncio.create_task(other())
        with clock.under_way():
            async with asyncio.timeout(PATIENT):
                await over.wait()
        await task

    in_loop(steps())
    assert clock.now() == 10.0


def test_nor_a_loop_that_never_rests(clock, in_loop):
    async def steps():
        is_over = False

        async def busy():
            while not is_over:  # noqa: ASYNC110 it is the point
                await asyncio.sleep(0)

        task = asyncio.create_task(busy())
        async with asyncio.timeout(PATIENT):
            await clock.asleep(10.0)
        is_over = True
        await task

    in_loop(steps())
    assert clock.now() == 10.0


def test_a_task_that_computes_for_long_is_not_taken_to_hang(clock, in_loop):
    async def steps():
        sleeper = asyncio.create_task(clock.asleep(10.0))
        for _ in range(3):
            await asyncio.sleep(0)
            time.sleep(PATIENCE)  # noqa: ASYNC251 it is the point
            assert clock.now() == 0.0
        await sleeper

    in_loop(steps())


def test_threads_and_tasks_share_a_clock(clock, others, in_loop):
    begun = threading.Barrier(2)

    def in_thread():
        begun.wait()
        for _ in range(3):
            clock.sleep(2.0)
            others.log.append((clock.now(), "thread"))

    async def in_task():
        begun.wait()
        for _ in range(2):
            await clock.asleep(3.5)
            others.log.append((clock.now(), "task"))

    others.start(in_thread)
    in_loop(in_task())
    others.join()
    assert others.log == [(2.0, "thread"), (3.5, "task"), (4.0, "thread"), (6.0, "thread"), (7.0, "task")]


def test_two_loops_share_a_clock(clock, others, in_loop):
    begun = threading.Barrier(2)

    async def tick(name, seconds):
        begun.wait()
        for _ in range(2):
            await clock.asleep(seconds)
            others.log.append((clock.now(), name))

    others.start(lambda: in_loop(tick("other", 2.0)))
    in_loop(tick("own", 3.0))
    others.join()
    assert others.log == [(2.0, "other"), (3.0, "own"), (4.0, "other"), (6.0, "own")]


def test_a_ticket_is_granted_across_threads_and_tasks(clock, others, in_loop):
    async def steps():
        ticket, answer = clock.new_task_ticket(), clock.new_ticket()

        def grant():
            clock.sleep(4.0)
            ticket.grant()
            others.log.append(answer.wait(60.0))

        others.start(grant)
        assert not await ticket.wait(0)
        assert await ticket.wait(60.0)
        assert await ticket.wait(60.0)
        assert clock.now() == 4.0
        answer.grant()

    in_loop(steps())
    others.join()
    assert others.log == [True]
    assert clock.now() == 4.0


def test_a_ticket_that_is_not_granted_is_waited_for_until_its_time(clock, in_loop):
    assert not clock.new_ticket().wait(7.0)
    assert not in_loop(clock.new_task_ticket().wait(7.0))
    assert clock.now() == 14.0


def test_a_loop_that_does_not_tell_what_it_has_to_do_is_given_some_turns(clock):
    class Foreign:
        """A loop as uvloop's: the same methods, and nothing else to see."""

        def __init__(self, loop):
            self.call_soon, self.call_later, self._loop = loop.call_soon, loop.call_later, loop

        def __eq__(self, other):
            return other is self._loop

        def __hash__(self):
            return hash(self._loop)

    async def steps():
        loop = asyncio.get_running_loop()
        clock._tasks._watches[loop] = IdleWatch(clock._timeline, Foreign(loop))
        order = []

        async def one(seconds):
            await clock.asleep(seconds)
            for _ in range(10):
                await asyncio.sleep(0)
            order.append(clock.now())

        await asyncio.gather(one(2.0), one(1.0), one(1.5))
        return order

    assert asyncio.run(steps()) == [1.0, 1.5, 2.0]


def test_a_sleep_of_nothing_lets_other_tasks_run(clock, in_loop):
    async def steps():
        order = []
        other = asyncio.create_task(asyncio.sleep(0, order.append("begun")))
        await clock.asleep(0)
        await clock.asleep(-1)
        await other
        return clock.now()

    clock.sleep(0)
    assert in_loop(steps()) == 0.0


def test_who_waits_for_no_moment_does_not_move_the_clock(clock, others):
    ticket = clock.new_ticket()
    others.start(lambda: others.log.append(ticket.wait(float("inf"))))
    clock.sleep(3.0)
    assert clock.now() == 3.0
    ticket.grant()
    others.join()
    assert others.log == [True]


def test_a_task_that_waits_for_no_moment_is_let_go_on(clock, in_loop):
    async def steps():
        ticket = clock.new_task_ticket()
        waiter = asyncio.create_task(ticket.wait(float("inf")))
        await asyncio.sleep(0.07)
        ticket.grant()
        return await waiter

    assert in_loop(steps())
    assert clock.now() == 0.0


def test_a_loop_that_ended_leaves_nothing_behind(clock, in_loop):
    async def cancelled():
        sleeper = asyncio.create_task(clock.asleep(1000.0))
        await asyncio.sleep(0)
        clock.advance(1000.0)
        sleeper.cancel()
        await asyncio.gather(sleeper, return_exceptions=True)

    in_loop(cancelled())
    in_loop(clock.asleep(1.0))
    assert clock.now() == 1001.0
    assert not clock._timeline.is_worked
    assert clock._timeline.waits_at.total() == 0


def test_ctrl_c_ends_a_wait_and_leaves_nothing_behind(clock, others):
    import signal

    class Interrupted(BaseException):
        pass

    def interrupt(*_):
        raise Interrupted

    before = signal.signal(signal.SIGUSR1, interrupt)
    ticket = clock.new_ticket()
    other = clock.new_ticket()
    others.start(lambda: others.log.append(other.wait(float("inf"))))
    main = threading.main_thread().ident
    others.start(lambda: (time.sleep(0.05), signal.pthread_kill(main, signal.SIGUSR1)))
    try:
        with pytest.raises(Interrupted):
            ticket.wait(float("inf"))
    finally:
        signal.signal(signal.SIGUSR1, before)
    clock.sleep(1.0)
    other.grant()
    others.join()
    assert (clock.now(), others.log) == (1.0, [True])
