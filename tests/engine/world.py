"""One fixture, two worlds: every fact of the engine is written once and shown for threads and for tasks.

The clock moves only when somebody sleeps or a scripted answer takes its time, so nothing really waits.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from callsheet.call import Attempt, Call
from callsheet.engine.io import TaskIo, TaskTicket, ThreadIo, ThreadTicket, finish
from callsheet.engine.later import TaskSet, Worker
from callsheet.engine.perform import open_stream, perform
from callsheet.engine.streamed import AsyncStreamedResponse, StreamedResponse
from callsheet.errors import AttemptTimeout
from callsheet.events import WireFacts
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.plan.order import pipeline
from callsheet.plan.plan import Plan
from callsheet.plan.scope import ServiceScope
from callsheet.policies.scope import Own
from callsheet.settings.breaker import Breaker
from callsheet.settings.rate_limit import RateLimit
from callsheet.settings.settings import Settings
from callsheet.settings.timeout import Timeout
from tests.loops import new_runner

URL = "https://shop.test/v1/things"
BEGAN = 1_700_000_000.0
"""The time of day when a world begins."""
FACTS = ("shop", "get_thing", "GET", "/things", BEGAN)
"""What every event begins with after its id, of a call that begins when its world does."""
PATIENCE = 5.0
"""Seconds after which a fact that should have come is a failure."""


def as_it_is(response):
    return response


@dataclass
class Answer:
    """A scripted answer; it takes `takes` seconds of the fake clock, or as long as the limits allow."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    takes: float = 0.0
    pieces: list[Any] | None = None


class Interrupt:
    """Scripted in place of an answer, a piece or a sleep: Ctrl-C there, or the task's cancellation."""


@dataclass
class Gate:
    """Scripted in place of an answer: the attempt is under way until `open`."""

    answer: Answer = field(default_factory=Answer)
    is_entered: bool = False
    ticket: Any = None

    def open(self):
        self.ticket.grant()


class FakeStream:
    def __init__(self, world, pieces):
        self._world = world
        self._pieces = list(pieces)
        self.closed = 0

    def next(self):
        piece = self._pieces.pop(0) if self._pieces else b""
        if isinstance(piece, Exception):
            raise piece
        return piece

    def close(self):
        self.closed += 1


class BlockingStream(FakeStream):
    def read(self):
        return self._world.interrupted_or(self.next())


class TaskStream(FakeStream):
    async def read(self):
        return await self._world.interrupted_or(self.next())


@dataclass
class Transport:
    """Plays a script: answers, errors, delays; and keeps what it was given."""

    world: World
    script: list[Any] = field(default_factory=list)
    sent: list[tuple[Request, Any]] = field(default_factory=list)
    streams: list[FakeStream] = field(default_factory=list)

    @property
    def requests(self):
        return [request for request, _ in self.sent]

    @property
    def limits(self):
        return [limits for _, limits in self.sent]

    def take(self, request, limits):
        self.sent.append((request, limits))
        step = self.script.pop(0) if self.script else Answer()
        return step(request, limits) if inspect.isfunction(step) else step

    def outcome(self, step, request, limits):
        if isinstance(step, BaseException):
            raise step
        self.world.clock += min(step.takes, limits.attempt)
        if step.takes > limits.attempt:
            raise AttemptTimeout("not answered", was_sent=True)
        response = Response(step.status, request=request, headers=Headers(step.headers), content=step.body)
        if step.pieces is not None:
            response.stream = self.world.stream_type(self.world, step.pieces)
            self.streams.append(response.stream)
        return response, WireFacts(total=step.takes)


class BlockingTransport(Transport):
    def send(self, request, limits):
        step = self.take(request, limits)
        if isinstance(step, Gate):
            step.ticket = ThreadTicket()
            step.is_entered = True
            step.ticket.wait(PATIENCE)
            step = step.answer
        return self.outcome(self.world.interrupted_or(step), request, limits)


class TaskTransport(Transport):
    async def send(self, request, limits):
        step = self.take(request, limits)
        if isinstance(step, Gate):
            step.ticket = TaskTicket()
            step.is_entered = True
            await step.ticket.wait(PATIENCE)
            step = step.answer
        return self.outcome(await self.world.interrupted_or(step), request, limits)


KEYS = {
    "slot": "concurrency",
    "breaker": "breaker",
    "budget": "retry.budget",
    "limits": "rate_limit",
    "learned": "rate_limit.learn",
}
"""By which first word of a key the policies ask their scope for these."""


class Given(ServiceScope):
    """A scope in which a test puts some of what the calls of a service share."""

    def __init__(self, given, settings, pick):
        super().__init__("shop", settings, pick=pick, wall_clock=lambda: BEGAN)
        by_key = {KEYS[name]: thing for name, thing in given.items() if thing is not None}
        self.one = lambda key, make: by_key.get(key[0]) or self.shared.one(key, make)


class World:
    """What both worlds have in common: a clock, a transport with a script, the events that were told."""

    def __init__(self):
        self.clock = 1000.0
        self.pauses: list[float] = []
        self.interrupts_sleep = False
        self.events: list[Any] = []

    def now(self):
        return self.clock

    def wall(self):
        return BEGAN - 1000.0 + self.clock

    def plan(self, *policies, once=(), listeners=None, settings=None, read=lambda response: response.json()):
        """A plan of these policies in this order; those in `once` are asked once per call."""
        return Plan(
            service="shop",
            operation="get_thing",
            method="GET",
            template="/things",
            settings=settings or Settings("https://shop.test/v1"),
            bind=None,
            read=read,
            policies=policies,
            before_call=tuple(p.before for p in policies if hasattr(p, "before")),
            before_attempt=tuple(p.before for p in policies if hasattr(p, "before") and p not in once),
            after=tuple(p.after for p in policies if hasattr(p, "after")),
            attach=tuple(p.attach for p in policies if hasattr(p, "attach")),
            ended=tuple(p.ended for p in policies if hasattr(p, "ended")),
            interpreter=next((p for p in policies if hasattr(p, "interpret")), None),
            reads_early=any(getattr(p, "reads_answers", False) for p in policies),
            listeners=(self.events.append,) if listeners is None else listeners,
        )

    def real_plan(self, slot=None, pick=lambda: 1.0, shared=None, **chosen):
        """The plan of the policies that are on by default; jitter always picks the whole ceiling.

        `shared` is what plans of one service have in common: breaker, budget, limits, learned.
        """
        given = {"slot": slot, **(shared or {})}
        chosen = {"breaker": Breaker() if "breaker" in given else None} | chosen
        if "limits" in given:
            limits = given["limits"]
            chosen["rate_limit"] = replace(chosen.get("rate_limit", RateLimit()), rates=limits.rates, per=limits.per)
        settings = Settings("https://shop.test/v1", **chosen)
        line = pipeline(settings, Given(given, settings, pick), Own())
        once = [policy for policy in line.policies if getattr(policy, "before", None) not in line.before_attempt]
        return self.plan(*line.policies, once=once, settings=settings)

    def new_call(self, plan, *, method="GET", request=None, timeout=None, **facts):
        request = request or Request(method, URL, Headers(), is_stream=facts.pop("is_stream", False))
        timeout = timeout or plan.settings.timeout
        return Call(request, timeout, self.now(), self.io.new_ticket, service="shop", operation="get_thing", **facts)

    def perform(self, plan, *, raises=True, typed=False, call=None, **facts):
        """The coroutine of a whole call; unless it is `typed`, as an undeclared request is made."""
        if not typed:
            plan = replace(plan, read=as_it_is, read_ignored=as_it_is, fallback=None)
        return self.value(perform(call or self.new_call(plan, **facts), plan, self.io, raises=raises))

    async def value(self, steps):
        return (await steps).value

    def call(self, plan, **facts):
        """The result of a whole call."""
        return self.run(self.perform(plan, **facts))

    def stream(self, plan, *, raises=True, **facts):
        """The open answer of a call that streams."""
        call = self.new_call(plan, is_stream=True, **facts)
        return self.shell(self.run(open_stream(call, plan, self.io, raises=raises)))

    def told(self, kind):
        return [event for event in self.events if type(event) is kind]


class BlockingWorld(World):
    interruption = KeyboardInterrupt
    stream_type = BlockingStream
    shell = StreamedResponse

    def __init__(self):
        super().__init__()
        self.transport = BlockingTransport(self)
        self.later = Worker()
        self.io = ThreadIo(self.transport, self.later, lambda tls: self.io, self._sleep, self.now, self.wall)

    def __enter__(self):
        self._threads = set(threading.enumerate())
        return self

    def __exit__(self, *_):
        self.later.close()
        assert set(threading.enumerate()) - self._threads == set()

    def _sleep(self, seconds):
        self.pauses.append(seconds)
        self.interrupted_or(Interrupt if self.interrupts_sleep else None)
        self.clock += seconds

    def interrupted_or(self, step):
        if step is Interrupt:
            raise KeyboardInterrupt
        return step

    def run(self, steps):
        return finish(steps)

    def read(self, stream):
        return b"".join(stream.iter_bytes())

    def close(self, stream):
        stream.close()

    def start(self, steps):
        """Run it beside the test."""
        started = Started()
        thread = threading.Thread(target=started.keep, args=(lambda: finish(steps),), daemon=True)
        thread.start()
        started.join = lambda: thread.join(PATIENCE)
        return started

    def until(self, fact: Callable[[], Any]):
        """Let the others run until the fact holds."""
        ends = time.monotonic() + PATIENCE
        while not fact():
            assert time.monotonic() < ends, "it never came to pass"
            time.sleep(0.0005)


class Started:
    def __init__(self):
        self.outcome = None

    def keep(self, work):
        try:
            self.outcome = work()
        except BaseException as error:
            self.outcome = error

    def result(self):
        self.join()
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


class TaskWorld(World):
    loop = "asyncio"
    interruption = asyncio.CancelledError
    stream_type = TaskStream
    shell = AsyncStreamedResponse

    def __init__(self):
        super().__init__()
        self.transport = TaskTransport(self)
        self.later = TaskSet()
        self.io = TaskIo(self.transport, self.later, lambda tls: self.io, self._sleep, self.now, self.wall)

    def __enter__(self):
        self._runner = new_runner(self.loop)
        self._runner.__enter__()
        return self

    def __exit__(self, *_):
        self.run(self.later.aclose())
        left = self.run(self._tasks())
        self._runner.close()
        assert left == set()

    async def _tasks(self):
        return asyncio.all_tasks() - {asyncio.current_task()}

    async def _sleep(self, seconds):
        self.pauses.append(seconds)
        await self.interrupted_or(Interrupt if self.interrupts_sleep else None)
        self.clock += seconds
        await asyncio.sleep(0)

    async def interrupted_or(self, step):
        if step is Interrupt:
            asyncio.current_task().cancel()
        await asyncio.sleep(0)
        return step

    def run(self, steps):
        return self._runner.run(steps)

    def read(self, stream):
        async def pieces():
            return b"".join([piece async for piece in stream.iter_bytes()])

        return self.run(pieces())

    def close(self, stream):
        self.run(stream.aclose())

    def start(self, steps):
        task = self._runner.get_loop().create_task(steps)
        started = Started()
        started.task = task
        started.result = lambda: self.run(asyncio.wait_for(task, PATIENCE))
        return started

    def until(self, fact: Callable[[], Any]):
        async def turns():
            async with asyncio.timeout(PATIENCE):
                while not fact():  # noqa: ASYNC110 the facts are plain ones that no event tells
                    await asyncio.sleep(0)

        self.run(turns())


class Policy:
    """A policy that does what it is told, and keeps what it was asked: `("before", name, attempt)` ..."""

    def __init__(self, name, log, *, before=None, after=None, holds=False):
        self.name = name
        self.log = log
        self._before = list(before) if isinstance(before, list) else before
        self._after = list(after) if isinstance(after, list) else after
        self._holds = holds

    def _answer(self, answers, attempt):
        if isinstance(answers, list):
            return answers.pop(0) if answers else None
        return answers(attempt) if answers else None

    def before(self, attempt: Attempt, now: float):
        self.log.append(("before", self.name, attempt.number))
        if self._holds:
            attempt.held.setdefault(self, None)
        return self._answer(self._before, attempt)

    def after(self, attempt: Attempt, now: float):
        self.log.append(("after", self.name, attempt.number))
        return self._answer(self._after, attempt)

    def let_go(self, attempt: Attempt, sent: bool):
        self.log.append(("let_go", self.name, attempt.number, sent))

    def ended(self, call: Call):
        self.log.append(("ended", self.name))


SHORT = Timeout(connect=0.01, read=0.01, attempt=0.01, total=0.01)
