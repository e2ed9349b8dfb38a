"""Answers that nobody closed: their slot is given back by whoever comes next, and by who waits for it already."""

import gc
import threading

from callsheet.engine.io import TaskTicket, ThreadTicket
from callsheet.events import CallEnded
from callsheet.policies.slot import Slot
from callsheet.settings.concurrency import Concurrency
from tests.engine.world import Answer, BlockingWorld, Policy


def opened(world, plan):
    world.transport.script = [Answer(pieces=[b"one", b"two"])]
    return world.stream(plan)


def test_a_dropped_answer_gives_its_slot_to_the_next_call(world):
    slot = Slot(Concurrency(limit=1))
    plan = world.real_plan(slot)
    answer = opened(world, plan)
    assert slot.in_flight == 1
    del answer
    gc.collect()
    assert world.call(plan).ok
    assert (slot.in_flight, len(slot.waiting)) == (0, 0)
    assert [event.status for event in world.told(CallEnded)] == [200, 200]


def test_one_in_a_cycle_that_is_collected_while_others_wait_gives_its_slot_to_them(world):
    slot = Slot(Concurrency(limit=1))
    plan = world.real_plan(slot)
    answer = opened(world, plan)
    answer.itself = answer
    del answer
    waiting = world.start(world.perform(plan))
    world.until(lambda: slot.waiting)
    gc.collect()
    assert waiting.result().ok
    assert slot.in_flight == 0


def test_policies_are_told_once_and_by_the_next_call_only(world):
    log = []
    plan = world.plan(Policy("holder", log, holds=True))
    answer = opened(world, plan)
    before = list(log)
    del answer
    gc.collect()
    assert log == before
    world.call(world.plan())
    world.call(world.plan())
    assert log[len(before) :] == [("let_go", "holder", 1, True), ("ended", "holder")]


def test_a_finalizer_may_run_in_the_thread_that_holds_the_lock(world):
    slot = Slot(Concurrency(limit=1))
    plan = world.real_plan(slot)
    answers = [opened(world, plan)]

    def drop():
        with slot.lock:
            answers.clear()
            gc.collect()

    thread = threading.Thread(target=drop, daemon=True)
    thread.start()
    thread.join(5)
    assert not thread.is_alive()
    assert world.call(plan).ok


def test_a_closed_answer_leaves_nothing_to_its_finalizer(world):
    log = []
    answer = opened(world, world.plan(Policy("holder", log, holds=True)))
    world.close(answer)
    told = list(log)
    del answer
    gc.collect()
    world.call(world.plan())
    assert log == told


def test_a_ticket_that_was_waited_for_in_vain_can_be_waited_for_again(world):
    async def waits():
        ticket = ThreadTicket() if isinstance(world, BlockingWorld) else TaskTicket()
        in_time = [await world.io.wait(ticket, 0.001), await world.io.wait(ticket, 0.001)]
        ticket.grant()
        return [*in_time, await world.io.wait(ticket, 0.001)]

    assert world.run(waits()) == [False, False, True]
