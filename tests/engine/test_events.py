"""Events that belong together: one id and one beginning in all events of a call, and one end for each that began."""

import contextlib
import gc
from dataclasses import replace
from typing import Any, NamedTuple, get_args

import pytest

from callsheet.errors import APIError, BreakerOpen, NoAnswer, NotSent, UsageError
from callsheet.events import AttemptBegan, AttemptEnded, BreakerChanged, CallBegan, CallEnded, Event, by_event
from callsheet.http.headers import Headers
from callsheet.http.response import Response
from callsheet.policies.redirect import Redirect
from callsheet.settings import Redirects
from callsheet.verdicts import AnswerWith, Refuse, Wait
from tests.engine.world import BEGAN, FACTS, SHORT, URL, Answer, Interrupt, Policy


class Listener:
    """One that is told of what it wants."""

    def __init__(self, events, *wants):
        self.events = events
        self.wants = wants

    def __call__(self, event):
        self.events.append(event)


def hears_all(world, plan):
    """The plan under a listener that asks for every event."""
    return replace(plan, listeners=(Listener(world.events, *get_args(Event)),))


def scripted(*script, stop=None, **facts):
    """A call that this script answers."""

    def call(world, plan):
        world.transport.script = list(script)
        world.interrupts_sleep = stop == "asleep"
        world.call(plan, **facts)

    return call


def streamed(end, *pieces, status=200):
    """A call whose body is streamed, and what its caller does with it."""

    def call(world, plan):
        world.transport.script = [Answer(status, pieces=list(pieces))]
        answer = world.stream(plan)
        end(world, answer)

    return call


def dropped(world, answer):
    answer.itself = answer


def under(*policies):
    return lambda world: world.plan(*policies)


def chosen(**settings):
    return lambda world: world.real_plan(**settings)


def with_fallback(function):
    return lambda world: replace(world.real_plan(retry=None), fallback=function)


def broken(*_arguments):
    raise ZeroDivisionError


def raise_it(error):
    raise error


def kept(attempt):
    return AnswerWith(Response(200, request=attempt.request, headers=Headers(), content=b"kept"))


class Unsignable:
    attach = broken


INTERRUPTION = "INTERRUPTION"
"""Stands for KeyboardInterrupt, or the task's CancelledError."""


class End(NamedTuple):
    """A call, the plan it is made under, the error its end is told with, and how many attempts begin and end."""

    call: Any
    plan: Any
    error: str | None
    begun: int = 1
    ended: int = 1


READ, CLOSE = (lambda world, answer: world.read(answer)), (lambda world, answer: world.close(answer))
FAILED = scripted(Answer(503), typed=True)
ENDS = {
    "an answer": End(scripted(), chosen(), None),
    "an error status": End(scripted(Answer(404)), chosen(), "NotFound"),
    "an error status that is no error": End(scripted(Answer(404), raises=False), chosen(), None),
    "an answer at the third attempt": End(scripted(Answer(503), NotSent("gone")), chosen(), None, 3, 3),
    "nothing that could be sent": End(scripted(NotSent("gone")), chosen(retry=None), "NotSent"),
    "no answer": End(scripted(NoAnswer("gone")), chosen(retry=None), "NoAnswer"),
    "a misuse of the transport": End(scripted(UsageError("it is closed")), chosen(), "UsageError"),
    "an answer that cannot be read": End(scripted(Answer(body=b"{"), typed=True), chosen(), "DecodeError"),
    "a defect in the transport": End(scripted(ZeroDivisionError()), chosen(), "ZeroDivisionError", 1, 0),
    "its deadline, in an attempt": End(scripted(Answer(takes=60.0), timeout=SHORT), chosen(), "DeadlinePassed"),
    "its deadline, before a wait": End(
        scripted(), under(Policy("limit", [], before=lambda _: Wait(99.0, "a turn"))), "DeadlinePassed", 0, 0
    ),
    "a policy that refuses": End(
        scripted(), under(Policy("breaker", [], before=lambda _: Refuse(BreakerOpen(), "breaker"))), "BreakerOpen", 0, 0
    ),
    "a policy that answers": End(scripted(), under(Policy("cache", [], before=kept)), None, 0, 0),
    "a policy that fails before": End(scripted(), under(Policy("bug", [], before=broken)), "ZeroDivisionError", 0, 0),
    "a policy that fails after": End(scripted(), under(Policy("bug", [], after=broken)), "ZeroDivisionError", 1, 0),
    "a request that cannot be signed": End(scripted(), under(Unsignable()), "ZeroDivisionError", 0, 0),
    "an interruption while it is sent": End(scripted(Interrupt), chosen(), INTERRUPTION, 1, 0),
    "an interruption between attempts": End(scripted(Answer(503), stop="asleep"), chosen(), INTERRUPTION),
    "a fallback": End(FAILED, with_fallback(lambda error: "instead"), "ServerError"),
    "a fallback that raises the error": End(FAILED, with_fallback(raise_it), "ServerError"),
    "a fallback that fails": End(FAILED, with_fallback(broken), "ZeroDivisionError"),
    "a stream that is read": End(streamed(READ, b"one"), chosen(), None),
    "a stream that is closed": End(streamed(CLOSE, b"one"), chosen(), None),
    "a stream that is dropped": End(streamed(dropped, b"one"), chosen(), None),
    "a stream that breaks off": End(streamed(READ, b"one", NoAnswer("gone")), chosen(), "NoAnswer"),
    "a stream that is interrupted": End(streamed(READ, Interrupt), chosen(), INTERRUPTION),
    "a stream of an error": End(streamed(dropped, b"one", status=404), chosen(), "NotFound"),
    "an interruption while that is read": End(streamed(dropped, Interrupt, status=404), chosen(), INTERRUPTION),
}


@pytest.mark.parametrize("name", ENDS)
def test_all_events_of_a_call_have_its_id_and_it_ends_once(world, name):
    end = ENDS[name]
    plan = hears_all(world, end.plan(world))
    with contextlib.suppress(APIError, ZeroDivisionError, world.interruption):
        end.call(world, plan)
    gc.collect()
    world.interrupts_sleep = False
    world.call(world.plan(listeners=()))  # which ends what was dropped
    told = [type(event) for event in world.events]
    assert (told[0], told[-1]) == (CallBegan, CallEnded)
    assert (told.count(CallBegan), told.count(CallEnded)) == (1, 1)
    assert (told.count(AttemptBegan), told.count(AttemptEnded)) == (end.begun, end.ended)
    assert {event[:6] for event in world.events} == {(world.events[0].id, *FACTS)}
    expected = world.interruption.__name__ if end.error is INTERRUPTION else end.error
    assert world.events[-1].error == expected
    assert world.events[-1].fell_back is (name == "a fallback")


def test_calls_have_ids_of_their_own(world):
    plan = hears_all(world, world.real_plan())
    for _ in range(100):
        world.call(plan)
    ids = [event.id for event in world.told(CallBegan)]
    assert len(set(ids)) == 100
    assert all(len(each) == 16 and int(each, 16) >= 0 for each in ids)
    assert ids == [event.id for event in world.told(CallEnded)]


def test_a_call_of_which_nobody_is_told_has_no_id(world):
    plan = world.plan(listeners=(Listener(world.events, BreakerChanged),))
    call = world.new_call(plan)
    world.run(world.perform(plan, call=call))
    assert (call.facts, world.events) == (None, [])


def test_a_call_began_when_it_did_however_late_that_is_told(world):
    plan = replace(world.real_plan(), listeners=(Listener(world.events, CallEnded),))
    world.clock += 5.0
    world.transport.script = [Answer(503, takes=2.0), Answer()]
    world.call(plan)
    (event,) = world.events
    assert event.began == pytest.approx(BEGAN + 5.0)
    assert event.elapsed == pytest.approx(2.5)


def test_the_beginnings_say_what_is_about_to_be_sent(world):
    slow = Policy("limit", [], before=[Wait(1.5, "a turn")])
    world.transport.script = [Answer(takes=2.0)]
    world.call(hears_all(world, world.plan(slow)))
    began, sent, answered, _ = world.events
    assert began == CallBegan(began.id, *FACTS, URL)
    assert sent == AttemptBegan(began.id, *FACTS, "GET", URL, 1, 1.5, 1.5)
    assert (answered.sent_after, answered.waited, answered.elapsed) == (1.5, 1.5, 2.0)


def test_a_further_attempt_says_when_it_was_sent(world):
    world.transport.script = [Answer(503, takes=2.0), Answer()]
    world.call(hears_all(world, world.real_plan()))
    assert [(event.number, event.sent_after) for event in world.told(AttemptBegan)] == [(1, 0.0), (2, 2.5)]


def test_a_redirect_changes_the_request_and_not_the_call(world):
    world.transport.script = [Answer(303, headers={"Location": "/v1/things/7"}), Answer()]
    plan = replace(world.plan(Redirect(Redirects())), method="POST")
    world.call(hears_all(world, plan), method="POST")
    assert {(event.method, event.template) for event in world.events} == {("POST", "/things")}
    requests = [(event.request_method, event.url) for event in world.told(AttemptEnded)]
    assert requests == [("POST", URL), ("GET", f"{URL}/7")]
    (end,) = world.told(CallEnded)
    assert (end.request_method, end.url) == requests[-1]
    assert world.told(CallBegan)[0].url == URL


def test_a_listener_without_wants_is_told_of_no_beginning(world):
    world.call(world.real_plan())
    assert [type(event) for event in world.events] == [AttemptEnded, CallEnded]


def test_each_listener_is_told_what_it_wants(world):
    begun, ended, nothing = [], [], []
    listeners = (Listener(begun, CallBegan), world.events.append, Listener(ended, CallEnded), Listener(nothing))
    world.call(replace(world.real_plan(), listeners=listeners))
    assert [type(event) for event in begun] == [CallBegan]
    assert [type(event) for event in ended] == [CallEnded]
    assert nothing == []
    assert [type(event) for event in world.events] == [AttemptEnded, CallEnded]


def test_the_wire_is_measured_only_for_who_wants_attempts(world):
    world.call(replace(world.plan(), listeners=(Listener(world.events, CallBegan, CallEnded),)))
    world.call(world.plan())
    assert [limits.wants_facts for limits in world.transport.limits] == [False, True]


def test_a_listener_that_raises_at_the_beginning_reaches_no_call(world):
    broken.wants = (CallBegan, AttemptBegan)
    try:
        assert world.call(replace(world.plan(), listeners=(broken,))).ok
    finally:
        del broken.wants


class Watch:
    """Two listeners in one object, as methods."""

    def begun(self, event):
        """The first."""

    begun.wants = (CallBegan,)

    def ended(self, event):
        """The second."""

    ended.wants = frozenset({CallEnded})


def test_a_method_may_say_what_it_wants():
    watch = Watch()
    told = by_event((watch.begun, watch.ended))
    assert (told[CallBegan], told[CallEnded], told[AttemptEnded]) == ((watch.begun,), (watch.ended,), ())


class HasEverything:
    """As a mock has: any attribute that it is asked for."""

    def __getattr__(self, name):
        return HasEverything()

    def __call__(self, event):
        """Nothing."""


def test_an_object_that_has_any_attribute_wants_nothing_in_particular():
    told = by_event((HasEverything(),))
    assert [kind.__name__ for kind, listeners in told.items() if not listeners] == ["CallBegan", "AttemptBegan"]


@pytest.mark.parametrize("wants", [CallEnded, "CallEnded", ("CallEnded",), [int], 7])
def test_wants_must_name_events(wants):
    listener = Listener([])
    listener.wants = wants
    with pytest.raises(UsageError, match=r"wants: expected event types, as in \(CallBegan, CallEnded\), found "):
        by_event((listener,))
