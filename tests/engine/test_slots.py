"""The queue for a slot, with real waiters."""

import threading

import pytest

from callsheet.engine.io import TaskTicket
from callsheet.errors import DeadlinePassed, LimitReached
from callsheet.policies.slot import Slot
from callsheet.settings.concurrency import Concurrency
from tests.engine.world import SHORT, Answer, Gate, TaskWorld


def test_no_more_attempts_are_in_flight_than_the_limit(world):
    slot = Slot(Concurrency(limit=2))
    gates = [Gate(), Gate(), Gate()]
    world.transport.script = list(gates)
    calls = [world.start(world.perform(world.real_plan(slot))) for _ in range(3)]
    world.until(lambda: slot.waiting)
    world.until(lambda: gates[1].is_entered)
    assert not gates[2].is_entered
    gates[0].open()
    world.until(lambda: gates[2].is_entered)
    gates[1].open()
    gates[2].open()
    assert all(call.result().ok for call in calls)
    assert (slot.in_flight, len(slot.waiting)) == (0, 0)


def test_the_queue_is_first_come_first_served(world):
    slot = Slot(Concurrency(limit=1))
    gate = Gate()
    world.transport.script = [gate]
    plan = world.real_plan(slot)
    calls = [world.start(world.perform(plan))]
    world.until(lambda: gate.is_entered)
    for number in range(1, 6):
        facts = {"is_repeatable": number == 3}
        calls.append(world.start(world.perform(plan, method=f"M{number}", **facts)))
        world.until(lambda: len(slot.waiting) == number)  # noqa: B023 used before the next round
    gate.open()
    for call in calls:
        call.result()
    assert [request.method for request in world.transport.requests] == ["GET", "M1", "M2", "M3", "M4", "M5"]


def test_a_wait_for_a_slot_ends_at_the_deadline(world):
    slot = Slot(Concurrency(limit=1))
    gate = Gate()
    world.transport.script = [gate]
    plan = world.real_plan(slot)
    first = world.start(world.perform(plan))
    world.until(lambda: gate.is_entered)
    with pytest.raises(
        DeadlinePassed,
        match=r"while waiting for one of 1 slots \(concurrency.limit\), held: 1 by \S+ \(the longest for",
    ) as caught:
        world.call(plan, timeout=SHORT)
    assert (caught.value.attempts, caught.value.was_sent, caught.value.stopped_by) == (0, False, "deadline")
    assert len(slot.waiting) == 0
    gate.open()
    first.result()
    assert slot.in_flight == 0


def test_a_full_queue_refuses_at_once(world):
    slot = Slot(Concurrency(limit=1, queue=0))
    gate = Gate()
    world.transport.script = [gate]
    plan = world.real_plan(slot)
    first = world.start(world.perform(plan))
    world.until(lambda: gate.is_entered)
    with pytest.raises(LimitReached, match="1 attempts are in flight and 0 wait"):
        world.call(plan)
    gate.open()
    assert first.result().ok


def test_a_slot_is_given_back_before_the_pause(world):
    slot = Slot(Concurrency(limit=1))
    seen = []
    world.io.sleep, sleep = lambda seconds: (seen.append(slot.in_flight), sleep(seconds))[1], world.io.sleep
    world.transport.script = [Answer(503)]
    world.call(world.real_plan(slot))
    assert seen == [0]


def test_a_ticket_may_be_granted_from_another_thread():
    with TaskWorld() as world:

        async def main():
            ticket = TaskTicket()
            thread = threading.Thread(target=ticket.grant)
            thread.start()
            granted = await ticket.wait(5.0)
            thread.join()
            return granted

        assert world.run(main()) is True


def test_a_ticket_that_nobody_grants_says_so():
    with TaskWorld() as world:

        async def main():
            return await TaskTicket().wait(0.001)

        assert world.run(main()) is False


def test_granting_to_a_loop_that_is_gone_harms_nobody():
    with TaskWorld() as world:

        async def main():
            return TaskTicket()

        ticket = world.run(main())
    thread = threading.Thread(target=ticket.grant)
    thread.start()
    thread.join()
    assert ticket.is_granted


def test_an_operations_own_slots_are_taken_before_the_services():
    """Who queues for one slow operation must not hold the slots that all operations share."""
    from callsheet import Sheet
    from callsheet.plan.service import ServicePlans

    slow = {"get": "/slow", "concurrency": {"limit": 1}}
    sheet = Sheet(services={"shop": {"base_url": "https://shop.test", "operations": {"slow": slow}}})
    plans = ServicePlans(sheet.services["shop"], {}, ())
    slots = [policy for policy in plans.plan("slow").policies if isinstance(policy, Slot)]
    assert [slot.limit for slot in slots] == [1, 100]
