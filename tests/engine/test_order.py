"""Who is asked what, when, and how often."""

from contextlib import suppress

import pytest

from callsheet.errors import APIError, BreakerOpen, LimitReached, NoAnswer
from callsheet.events import AttemptEnded, CallEnded
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.plan.order import ORDER
from callsheet.verdicts import AnswerWith, Change, GiveUp, Refuse, Resend, TryAgain, Wait, WaitFor
from tests.engine.world import URL, Answer, Interrupt, Policy


@pytest.fixture
def log():
    return []


def questions(log, *kinds):
    return [entry[:2] for entry in log if entry[0] in kinds]


def test_the_list_of_policies_is_the_documented_one():
    assert [line.name for line in ORDER] == [
        "deadline",
        "cache",
        "errors",
        "cache.store",
        "breaker",
        "auth.token",
        "sign.ready",
        "concurrency",
        "rate_limit.learn",
        "rate_limit",
        "cookies",
        "redirects",
        "retry",
        "retry.budget",
        "deadline_header",
        "sign",
    ]
    assert all(line.why for line in ORDER)


def test_before_and_after_are_asked_from_top_to_bottom(world, log):
    world.call(world.plan(Policy("one", log), Policy("two", log)))
    assert [entry[:2] for entry in log] == [
        ("before", "one"),
        ("before", "two"),
        ("after", "one"),
        ("after", "two"),
        ("ended", "one"),
        ("ended", "two"),
    ]


def test_a_wait_has_the_whole_pass_made_once_more(world, log):
    waits = Policy("waits", log, before=[Wait(2.0, "a turn")])
    world.call(world.plan(Policy("first", log), waits, Policy("last", log)))
    assert questions(log, "before") == [("before", name) for name in ("first", "waits", "last") * 2]
    assert world.pauses == [2.0]
    assert len(world.transport.sent) == 1


def test_a_wait_may_have_a_further_verdict_which_is_carried_out_before_others_are_asked(world, log):
    began, heard = world.clock, []
    verdicts = iter([Wait(3.0, "a turn", lambda now: heard.append(now - began))])
    first = Wait(2.0, "a turn", lambda now: heard.append(now - began) or next(verdicts))
    other = Policy("other", log, before=lambda _: heard.append("other"))
    world.call(world.plan(Policy("waits", log, before=[first]), other))
    assert heard == [2.0, 5.0, "other", "other"]


def test_a_policy_that_opened_while_another_waited_is_seen(world, log):
    def open_after_the_wait(attempt):
        return Refuse(BreakerOpen("open"), by="breaker") if world.pauses else None

    breaker = Policy("breaker", log, before=open_after_the_wait)
    with pytest.raises(BreakerOpen):
        world.call(world.plan(breaker, Policy("limit", log, before=[Wait(1.0, "a turn")])))
    assert world.transport.sent == []


def test_what_is_asked_once_per_call_is_not_asked_again(world, log):
    once = Policy("once", log)
    again = Policy("again", log, before=[Wait(1.0, "a turn")], after=[TryAgain(0.0)])
    world.call(world.plan(once, again, once=[once]))
    assert questions(log, "before") == [("before", "once"), *[("before", "again")] * 3]
    assert questions(log, "after") == [("after", "once"), ("after", "again")] * 2


def test_the_first_try_again_wins_and_the_rest_are_told(world, log):
    plan = world.plan(
        Policy("soon", log, after=[TryAgain(1.0)]),
        Policy("late", log, after=[TryAgain(9.0)]),
        Policy("listens", log),
    )
    world.call(plan)
    assert world.pauses == [1.0]
    assert questions(log, "after")[:3] == [("after", "soon"), ("after", "late"), ("after", "listens")]


def test_what_is_held_is_let_go_once_per_attempt_and_before_the_pause(world, log):
    holder = Policy("holder", log, holds=True, before=[Wait(1.0, "a turn")], after=[TryAgain(3.0)])
    held_while_pausing = []
    world.io.sleep, sleep = lambda s: (held_while_pausing.append(list(log)), sleep(s))[1], world.io.sleep
    world.call(world.plan(holder))
    assert questions(log, "let_go") == [("let_go", "holder")] * 2
    assert [("let_go", "holder", 1, True) in seen for seen in held_while_pausing] == [False, True]


@pytest.mark.parametrize(
    ("outcome", "sent"),
    [(Answer(), True), (NoAnswer("lost", was_sent=True), True), (LimitReached("full"), False), (Interrupt, True)],
)
def test_let_go_is_told_whether_the_request_may_have_arrived(world, log, outcome, sent):
    world.transport.script = [outcome]
    with suppress(NoAnswer, LimitReached, world.interruption):
        world.call(world.plan(Policy("holder", log, holds=True)))
    assert [entry for entry in log if entry[0] == "let_go"] == [("let_go", "holder", 1, sent)]


def test_a_let_go_that_raises_does_not_keep_the_others_from_theirs(world, log):
    class Broken(Policy):
        def let_go(self, attempt, sent):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        world.call(world.plan(Broken("broken", log, holds=True), Policy("good", log, holds=True)))
    assert ("let_go", "good", 1, True) in log


@pytest.mark.parametrize("outcome", [Answer(), Answer(404), NoAnswer("lost"), Interrupt, ZeroDivisionError()])
def test_a_call_ends_once_however_it_ends(world, log, outcome):
    world.transport.script = [outcome]
    with suppress(APIError, ZeroDivisionError, world.interruption):
        world.call(world.plan(Policy("counts", log)))
    assert questions(log, "ended") == [("ended", "counts")]
    assert len(world.told(CallEnded)) == 1


def test_a_reply_is_the_answer_and_nothing_is_sent(world, log):
    kept = Response(200, request=world.new_call(world.plan()).request, content=b"kept")
    plan = world.plan(Policy("cache", log, before=[AnswerWith(kept)]), Policy("below", log))
    assert world.call(plan).content == b"kept"
    assert world.transport.sent == []
    assert questions(log, "before", "after") == [("before", "cache")]


def test_a_reply_after_an_attempt_replaces_its_outcome(world, log):
    stale = Response(200, request=world.new_call(world.plan()).request, content=b"stale")
    world.transport.script = [NoAnswer("lost", was_sent=True)]
    assert world.call(world.plan(Policy("cache", log, after=[AnswerWith(stale)]))).content == b"stale"


def test_a_refusal_before_the_first_attempt_is_raised(world, log):
    plan = world.plan(Policy("breaker", log, before=[Refuse(BreakerOpen("it is open"), by="breaker")]))
    with pytest.raises(BreakerOpen, match=r"shop\.get_thing: GET /things: it is open") as caught:
        world.call(plan)
    assert (caught.value.attempts, caught.value.was_sent, caught.value.stopped_by) == (0, False, "breaker")


def test_a_refusal_before_a_further_attempt_leaves_the_outcome_as_it_is(world, log):
    breaker = Policy("breaker", log, before=[None, Refuse(BreakerOpen("it is open"), by="breaker")])
    world.transport.script = [NoAnswer("lost", was_sent=True)]
    with pytest.raises(NoAnswer, match="lost; no further attempt: breaker") as caught:
        world.call(world.plan(breaker, Policy("retry", log, after=[TryAgain(1.0)])))
    assert (caught.value.attempts, caught.value.was_sent, caught.value.stopped_by) == (1, True, "breaker")


def test_an_answer_too_stays_when_a_further_attempt_is_refused(world, log):
    breaker = Policy("breaker", log, before=[None, Refuse(BreakerOpen("it is open"), by="breaker")])
    world.transport.script = [Answer(503, b"sorry")]
    plan = world.plan(breaker, Policy("retry", log, after=[TryAgain(1.0)]))
    assert world.call(plan, raises=False).content == b"sorry"
    assert world.told(CallEnded)[0].stopped_by == "breaker"


def test_giving_up_says_who_forbids_another_attempt(world, log):
    world.transport.script = [Answer(503)]
    answer = world.call(world.plan(Policy("budget", log, after=[GiveUp("budget")])), raises=False)
    assert answer.status_code == 503
    assert world.told(CallEnded)[0].stopped_by == "budget"


def test_nobody_has_stopped_a_call_that_went_on(world, log):
    plan = world.plan(Policy("retry", log, after=[GiveUp("body")]), Policy("renewal", log, after=[TryAgain(0.0)]))
    world.call(plan)
    assert world.told(CallEnded)[0].stopped_by is None


def test_an_attempt_of_its_own_connection_is_asked_for_once(world, log):
    world.call(world.plan(Policy("retry", log, after=[TryAgain(0.0, fresh=True), TryAgain(0.0)])))
    assert [limits.fresh for limits in world.transport.limits] == [False, True, False]


def test_a_granted_ticket_ends_the_wait(world, log):
    def take_a_ticket(attempt):
        if attempt.held:
            return None
        ticket = attempt.held[queue] = attempt.call.new_ticket()
        ticket.grant()
        return WaitFor(ticket, "a slot")

    queue = Policy("queue", log, before=take_a_ticket)
    world.call(world.plan(queue))
    assert len(world.transport.sent) == 1
    assert len(world.told(AttemptEnded)) == 1


def other(url, method="GET"):
    return Request(method, url, Headers())


def test_a_change_is_for_one_attempt(world, log):
    signed = other("https://shop.test/signed")
    plan = world.plan(Policy("sign", log, before=[Change(signed)]), Policy("retry", log, after=[TryAgain(0.0)]))
    world.call(plan)
    assert [request.url for request in world.transport.requests] == [signed.url, URL]


def test_a_request_sent_instead_is_the_calls_from_then_on(world, log):
    elsewhere = other("https://shop.test/elsewhere")
    redirect = Policy("redirect", log, after=[Resend(elsewhere)])
    answer = world.call(world.plan(redirect, Policy("retry", log, after=[None, TryAgain(0.0)])))
    assert [request.url for request in world.transport.requests] == [URL, elsewhere.url, elsewhere.url]
    assert (answer.attempts, world.pauses) == (3, [])
    assert world.told(CallEnded)[0].url == elsewhere.url


def test_a_request_sent_instead_is_not_charged_to_retry(world, log):
    redirect = Policy("redirect", log, after=[Resend(other(URL))])
    world.transport.script = [Answer(302), *[Answer(503)] * 4]
    retry = next(policy for policy in world.real_plan().policies if policy.name == "retry")
    assert world.call(world.plan(redirect, retry), raises=False).status_code == 503
    assert len(world.transport.sent) == 4


def test_an_error_shows_the_request_that_failed(world, log):
    elsewhere = other("https://shop.test/elsewhere")
    world.transport.script = [Answer(302), NoAnswer("lost")]
    with pytest.raises(NoAnswer) as caught:
        world.call(world.plan(Policy("redirect", log, after=[Resend(elsewhere)])))
    assert caught.value.request.url == elsewhere.url


def test_a_wait_that_looks_again_asks_nobody_below_before_that(world, log):
    class Granted(Policy):
        def before(self, attempt, now):
            super().before(attempt, now)
            if self not in attempt.call.notes:
                attempt.call.notes[self] = True
                ticket = attempt.call.new_ticket()
                ticket.grant()
                return WaitFor(ticket, "another call", looks_again=True)
            return None

    world.call(world.plan(Policy("first", log), Granted("waits", log), Policy("last", log)))
    asked = [name for kind, name, *_ in log if kind == "before"]
    assert asked == ["first", "waits", "first", "waits", "last", "first", "waits", "last"]
