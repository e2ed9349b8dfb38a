"""Calls in the background: real ones, under all policies, whose answers nobody waits for."""

from callsheet import deadline
from callsheet.events import CallEnded
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.verdicts import AnswerWith, Begin
from tests.engine.world import URL, Answer, Policy

OTHER = Request("GET", f"{URL}/other", Headers())


def begins(**notes):
    return [Begin(OTHER, notes, AnswerWith(Response(200, request=OTHER, headers=Headers(()), content=b"kept")))]


class Noting(Policy):
    def ended(self, call):
        super().ended(call)
        self.notes = call.notes


def ended(log):
    return [entry for entry in log if entry[0] == "ended"]


def test_the_call_has_its_answer_and_the_other_is_made_under_all_policies(world):
    log = []
    policy = Noting("one", log, before=begins(mark="refreshing"))
    answer = world.call(world.plan(policy, Policy("two", log)))
    assert answer.content == b"kept"
    world.until(lambda: len(ended(log)) == 4)
    assert [request.url for request in world.transport.requests] == [OTHER.url]
    assert ("before", "two", 1) in log
    assert policy.notes["mark"] == "refreshing"
    assert {event.url for event in world.told(CallEnded)} == {URL, OTHER.url}


def test_its_failure_is_told_to_listeners_alone(world):
    log = []
    world.transport.script = [Answer(status=500)]
    plan = world.plan(Policy("one", log, before=begins()))
    assert world.call(plan).content == b"kept"
    world.until(lambda: len(ended(log)) == 2)
    assert sorted(event.status for event in world.told(CallEnded)) == [200, 500]


def test_a_deadline_around_the_call_does_not_bound_it(world):
    log = []
    world.transport.script = [Answer(takes=5.0)]
    plan = world.plan(Policy("one", log, before=begins()))
    call = world.new_call(plan)
    call.around, call.within = world.now() + 1.0, 1.0
    with deadline(60.0):
        world.call(plan, call=call)
    world.until(lambda: len(ended(log)) == 2)
    assert [event.error for event in world.told(CallEnded)] == [None, None]


def test_once_closed_it_is_over_before_it_began(world):
    log = []
    plan = world.plan(Policy("one", log, before=begins()))
    world.io.later = lambda work: False
    assert world.call(plan).content == b"kept"
    assert len(ended(log)) == 2
    assert world.transport.requests == []
