"""Slots, without anybody who waits: the queue is told what happens and says who is next."""

import random

from callsheet.policies.slot import Slot
from callsheet.settings.concurrency import Concurrency
from callsheet.verdicts import Refuse, WaitFor
from tests.policies.conftest import NOW


def test_a_free_slot_is_taken_without_a_word(attempt_of):
    slot = Slot(Concurrency(limit=1))
    assert slot.before(attempt_of(), NOW) is None
    assert slot.in_flight == 1


def test_who_holds_a_slot_is_not_asked_for_another(attempt_of):
    slot, attempt = Slot(Concurrency(limit=1)), attempt_of()
    assert [slot.before(attempt, NOW), slot.before(attempt, NOW)] == [None, None]
    assert slot.in_flight == 1


def test_who_finds_none_gets_a_ticket(attempt_of):
    slot = Slot(Concurrency(limit=1))
    slot.before(attempt_of(), NOW)
    verdict = slot.before(attempt_of(), NOW)
    assert isinstance(verdict, WaitFor)
    assert verdict.why(2.5).startswith("one of 1 slots (concurrency.limit), held: 1 by ")
    assert not verdict.ticket.is_granted


def test_a_full_queue_refuses(attempt_of):
    slot = Slot(Concurrency(limit=1, queue=1))
    verdicts = [slot.before(attempt_of(), NOW) for _ in range(3)]
    assert isinstance(verdicts[2], Refuse)
    assert verdicts[2].by == "concurrency"


def test_a_slot_goes_to_the_oldest_waiter_and_not_to_a_newcomer(attempt_of):
    slot = Slot(Concurrency(limit=1))
    attempts = [attempt_of() for _ in range(3)]
    verdicts = [slot.before(attempt, NOW) for attempt in attempts]
    slot.let_go(attempts[0], sent=True)
    assert verdicts[1].ticket.is_granted
    assert isinstance(slot.before(attempt_of(), NOW), WaitFor)
    assert (slot.in_flight, len(slot.waiting)) == (1, 2)


def test_who_gives_up_waiting_leaves_the_queue_and_no_slot(attempt_of):
    slot = Slot(Concurrency(limit=1))
    attempts = [attempt_of() for _ in range(3)]
    verdicts = [slot.before(attempt, NOW) for attempt in attempts]
    slot.let_go(attempts[1], sent=False)
    slot.let_go(attempts[0], sent=True)
    assert verdicts[2].ticket.is_granted
    assert not verdicts[1].ticket.is_granted


def test_nothing_is_lost_or_gained_in_any_order_of_events(attempt_of):
    dice = random.Random(7)
    slot = Slot(Concurrency(limit=3, queue=5))
    present = []
    for _ in range(2000):
        if present and dice.random() < 0.5:
            slot.let_go(present.pop(dice.randrange(len(present))), sent=True)
        else:
            attempt = attempt_of()
            if not isinstance(slot.before(attempt, NOW), Refuse):
                present.append(attempt)
        holding = [a for a in present if a.held[slot] is None or a.held[slot].is_granted]
        assert len(holding) == slot.in_flight <= 3
        assert len(slot.waiting) == len(present) - len(holding)
        assert slot.in_flight == 3 or not slot.waiting


def test_a_forked_child_begins_with_none_in_flight(attempt_of):
    slot = Slot(Concurrency(limit=1))
    slot.before(attempt_of(), NOW)
    slot.before(attempt_of(), NOW)
    slot.forget()
    assert slot.before(attempt_of(), NOW) is None


def test_what_was_taken_before_a_fork_is_not_given_back_in_the_child(attempt_of):
    slot = Slot(Concurrency(limit=1))
    of_parent = attempt_of()
    slot.before(of_parent, NOW)
    slot.forget()
    slot.let_go(of_parent, sent=True)
    assert slot.in_flight == 0
