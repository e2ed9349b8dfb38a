"""Ctrl-C and a task's cancellation, in each state a call can be in: nothing is left behind."""

import asyncio
import threading

import pytest

from callsheet.engine.io import TaskTicket
from callsheet.events import CallEnded
from callsheet.policies.slot import Slot
from callsheet.settings.concurrency import Concurrency
from tests.engine.world import Answer, BlockingWorld, Gate, Interrupt, Policy, TaskWorld


@pytest.fixture
def slot():
    return Slot(Concurrency(limit=1, queue=10))


def nothing_is_held(slot):
    return slot.in_flight == 0 and not slot.waiting


def test_while_sending(world, slot):
    world.transport.script = [Interrupt]
    with pytest.raises(world.interruption):
        world.call(world.real_plan(slot))
    assert nothing_is_held(slot)
    assert len(world.transport.sent) == 1
    assert [event.error for event in world.told(CallEnded)] == [world.interruption.__name__]


def test_while_sleeping(world, slot):
    world.transport.script = [Answer(503)]
    world.interrupts_sleep = True
    with pytest.raises(world.interruption):
        world.call(world.real_plan(slot))
    assert nothing_is_held(slot)
    assert len(world.transport.sent) == 1


def test_while_reading_a_stream(world, slot):
    world.transport.script = [Answer(pieces=[b"one", Interrupt])]
    answer = world.stream(world.real_plan(slot))
    assert slot.in_flight == 1
    with pytest.raises(world.interruption):
        world.read(answer)
    assert nothing_is_held(slot)
    assert world.transport.streams[0].closed == 1
    assert [event.error for event in world.told(CallEnded)] == [world.interruption.__name__]


def test_while_the_error_answer_of_a_stream_is_read(world, slot):
    world.transport.script = [Answer(404, pieces=[b"one", Interrupt])]
    with pytest.raises(world.interruption):
        world.stream(world.real_plan(slot))
    assert nothing_is_held(slot)
    assert len(world.told(CallEnded)) == 1


def test_a_thread_that_waits_for_a_slot_leaves_the_queue(slot):
    class Interrupted:
        is_granted = False

        def wait(self, seconds):
            raise KeyboardInterrupt

    with BlockingWorld() as world:
        gate = Gate()
        world.transport.script = [gate]
        plan = world.real_plan(slot)
        first = world.start(world.perform(plan))
        world.until(lambda: gate.is_entered)
        world.io.new_ticket = Interrupted
        with pytest.raises(KeyboardInterrupt):
            world.call(plan)
        assert len(slot.waiting) == 0
        gate.open()
        assert first.result().ok
        assert nothing_is_held(slot)


def test_a_task_that_waits_for_a_slot_leaves_the_queue(slot):
    with TaskWorld() as world:
        gate = Gate()
        world.transport.script = [gate]
        plan = world.real_plan(slot)
        first, second = world.start(world.perform(plan)), world.start(world.perform(plan))
        world.until(lambda: slot.waiting)
        second.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            second.result()
        assert len(slot.waiting) == 0
        gate.open()
        assert first.result().ok
        assert nothing_is_held(slot)


def test_a_cancellation_that_meets_the_grant_hands_the_slot_on(slot):
    with TaskWorld() as world:
        gate = Gate()
        world.transport.script = [gate]

        class CancelsTheSecond:
            def ended(self, call):  # the slot has just been handed to it
                if len(world.transport.sent) == 1:
                    calls[1].task.cancel()

        plan = world.plan(slot, CancelsTheSecond())
        calls = [world.start(world.perform(plan)) for _ in range(3)]
        world.until(lambda: len(slot.waiting) == 2)
        gate.open()
        with pytest.raises(asyncio.CancelledError):
            calls[1].result()
        assert calls[0].result().ok
        assert calls[2].result().ok
        assert nothing_is_held(slot)


def test_a_ticket_does_not_lose_a_cancellation_that_meets_the_grant():
    async def main():
        ticket = TaskTicket()
        waiter = asyncio.create_task(ticket.wait(5.0))
        await asyncio.sleep(0)
        ticket.grant()
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter

    asyncio.run(main())


def test_cancelling_a_task_while_it_sends_ends_the_call():
    with TaskWorld() as world:
        gate, log = Gate(), []
        world.transport.script = [gate]
        call = world.start(world.perform(world.plan(Policy("holder", log, holds=True))))
        world.until(lambda: gate.is_entered)
        call.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            call.result()
        assert log[-2:] == [("let_go", "holder", 1, True), ("ended", "holder")]


def test_a_leader_that_is_interrupted_hands_over_to_the_oldest_waiter(world):
    """Single flight as a policy would write it: one fills, the others wait, and a leader that fails is replaced."""
    gate = Gate(answer=Interrupt)
    fill = SingleFlight()
    world.transport.script = [gate, Answer(200, b"filled")]
    plan = world.plan(fill)
    leader = world.start(world.perform(plan))
    world.until(lambda: gate.is_entered)
    followers = []
    for number in range(1, 4):
        followers.append(world.start(world.perform(plan)))
        world.until(lambda: len(fill.waiting) == number)  # noqa: B023 used before the next round
    gate.open()
    with pytest.raises(world.interruption):
        leader.result()
    assert [follower.result().content for follower in followers] == [b"filled"] * 3
    assert len(world.transport.sent) == 2
    assert fill.led == [1, 2]


class SingleFlight:
    """One call fills, the others wait for it."""

    def __init__(self):
        self.leader = None
        self.answer = None
        self.waiting = []
        self.led = []
        self.calls = 0
        self.lock = threading.Lock()

    def before(self, attempt, now):
        from callsheet.verdicts import AnswerWith, WaitFor

        with self.lock:
            if self.answer is not None:
                return AnswerWith(self.answer)
            if self.leader is None:
                self.leader = attempt
                attempt.held[self] = None
                self.led.append(len(self.led) + 1)
                return None
            if self.leader is attempt:
                return None
            ticket = attempt.call.new_ticket()
            self.waiting.append(ticket)
        return WaitFor(ticket, "the answer of another call")

    def after(self, attempt, now):
        self.answer = attempt.outcome

    def let_go(self, attempt, sent):
        with self.lock:
            self.leader = None
            woken = self.waiting[:1] if self.answer is None else self.waiting
            self.waiting = self.waiting[len(woken) :]
            for ticket in woken:
                ticket.grant()
