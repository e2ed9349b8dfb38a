"""THE list of policies: asked before an attempt from top to bottom, told its outcome in the same order.

To add a policy: write it in `policies/` with a function that makes it, give its settings a record in `settings/`, and put a
line here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from callsheet.call import Attempt, Call
from callsheet.errors import APIError
from callsheet.http.request import Origin, Request
from callsheet.plan.plan import Asked, Attach, Interpreter
from callsheet.policies import (
    breaker,
    cache,
    cookies,
    credential,
    deadline,
    deadline_header,
    error_rules,
    python_auth,
    rate_limit,
    read_anew,
    redirect,
    retry,
    retry_budget,
    service_limit,
    sign,
    slot,
)
from callsheet.policies.scope import Factory, Own, Scope
from callsheet.settings.settings import Settings
from callsheet.verdicts import Tell


class PolicyLine(NamedTuple):
    """One policy's place. `make` are functions that give the policies which are on under some settings, none if it is off.

    Unless a line is for `all_origins`, its policies are asked only about requests to the service's own origin: what they put
    into one may prove who we are, and so a new line stays at home. What is `made_first`, because making it may take long, is
    made with the service. `remark` says what `explain` tells of the line under some settings, in place of the reason.
    """

    name: str
    why: str
    make: tuple[Factory, ...]
    asked: Literal["once per call", "per attempt"] = "per attempt"
    all_origins: bool = False
    made_first: bool = False
    remark: Callable[[Settings, Own], str] | None = None


def _cache(settings: Settings, scope: Scope, own: Own) -> tuple[Any, ...]:
    return cache.make(settings, scope, own, next(iter(cookies.make(settings, scope, own)), None))


def _cache_store(settings: Settings, scope: Scope, own: Own) -> tuple[Any, ...]:
    return cache.make_store(settings, scope, own, next(iter(cookies.make(settings, scope, own)), None))


ORDER = (
    PolicyLine(
        "deadline",
        "everything below spends from it: waits, attempts, reading the body",
        (deadline.make,),
        all_origins=True,
    ),
    PolicyLine(
        "cache",
        "a stored answer needs nothing of what is below; told first, so that a 304 is the stored answer to all that judge it",
        (_cache,),
        remark=cache.why_never,
    ),
    PolicyLine(
        "errors",
        "told before all that act on what an answer means: it says so where the status does not",
        (error_rules.make,),
        all_origins=True,
    ),
    PolicyLine(
        "cache.store",
        "told when it is known what an answer means, since no failure is kept; and what a call may have changed is dropped",
        (_cache_store,),
    ),
    PolicyLine(
        "breaker",
        "nobody queues for a service that is down; told before retry, which may ask for an attempt that it then refuses",
        (breaker.make,),
        all_origins=True,
    ),
    PolicyLine(
        "auth.token",
        "a token that has to be made is at hand before a slot or a turn is taken; put in when nothing waits any more",
        (read_anew.make, python_auth.make, credential.make),
    ),
    PolicyLine(
        "sign.ready",
        "what a signature needs is at hand, or the request refused, before a slot or a turn is taken",
        (sign.make_ready,),
        made_first=True,
    ),
    PolicyLine(
        "concurrency",
        "bounded in flight; held until the answer is complete or closed",
        (slot.make,),
        all_origins=True,
    ),
    PolicyLine(
        "rate_limit.learn",
        "what the service said holds for whoever has a slot; told of a 429 before retry plans a pause",
        (service_limit.make,),
        all_origins=True,
    ),
    PolicyLine(
        "rate_limit",
        "a retry is a request, too; reserved last of all that waits, so that the rate on the wire is the declared one",
        (rate_limit.make,),
        all_origins=True,
    ),
    PolicyLine(
        "cookies",
        "attached when nothing waits any more, so that the jar is read as it is when the request leaves",
        (cookies.make,),
    ),
    PolicyLine(
        "redirects",
        "told after the jar has taken the answer's cookies, and before retry: a hop is no failure",
        (redirect.make,),
        all_origins=True,
    ),
    PolicyLine(
        "retry",
        "whether to try again is decided when everybody has said what the outcome means",
        (retry.make,),
        all_origins=True,
    ),
    PolicyLine(
        "retry.budget",
        "counts the call when nothing refused it, and takes back a retry that the service's budget does not cover",
        (retry_budget.make,),
        asked="once per call",
        all_origins=True,
    ),
    PolicyLine(
        "deadline_header",
        "the time left, told when nothing waits any more",
        (deadline_header.make,),
    ),
    PolicyLine(
        "sign",
        "last, over what all others have put in, with a fresh time and nonce for each attempt",
        (sign.make,),
    ),
)


class Pipeline(NamedTuple):
    """The policies that are on, in order, and by question. See Plan, which takes them over, for each."""

    policies: tuple[Any, ...]
    before_call: tuple[Asked, ...]
    before_attempt: tuple[Asked, ...]
    after: tuple[Asked, ...]
    attach: tuple[Attach, ...]
    previews: tuple[Callable[[Request], Request], ...]
    ended: tuple[Callable[[Call], None], ...]
    interpreter: Interpreter | None
    reads_early: bool
    instead: Callable[[Call, APIError], Tell | None] | None


class PipelineStep(NamedTuple):
    """One line of ORDER under some settings: what `explain` shows of it."""

    name: str
    on: bool
    asked: Literal["once per call", "per attempt"]
    why: str


def steps(settings: Settings, scope: Scope, own: Own) -> tuple[PipelineStep, ...]:
    """Every line of ORDER, and whether it is on."""
    return tuple(
        PipelineStep(line.name, bool(_made(line, settings, scope, own)), line.asked, _told(line, settings, own))
        for line in ORDER
    )


def _told(line: PolicyLine, settings: Settings, own: Own) -> str:
    return (line.remark(settings, own) if line.remark is not None else "") or line.why


def make_first(settings: Settings, scope: Scope) -> None:
    """Make what takes long to make now, so that no call has to wait for it. Raises UsageError for a missing library."""
    for line in ORDER:
        if line.made_first:
            _made(line, settings, scope, Own())


def breaker_of(settings: Settings, scope: Scope, own: Own) -> Any | None:
    """The breaker that calls under these settings are asked by; None where it is off."""
    return next(iter(breaker.make(settings, scope, own)), None)


def pipeline(settings: Settings, scope: Scope, own: Own) -> Pipeline:
    """The policies of one operation, in order, what is off left out."""
    lines = [(line, policy) for line in ORDER for policy in _made(line, settings, scope, own)]
    policies = tuple(policy for _, policy in lines)
    home = settings.origin if settings.allow_origins else None
    before = _asks(lines, "before", home, asked_at)
    return Pipeline(
        policies,
        before_call=tuple(ask for _, ask in before),
        before_attempt=tuple(ask for line, ask in before if line.asked == "per attempt"),
        after=tuple(ask for _, ask in _asks(lines, "after", home, asked_at)),
        attach=(*(ask for _, ask in _asks(lines, "attach", home, attached_at)), *_leave_out(scope.left_out)),
        previews=tuple(ask for _, ask in _asks(lines, "preview", home, previewed_at)),
        ended=tuple(policy.ended for policy in policies if hasattr(policy, "ended")),
        interpreter=next((policy for policy in policies if hasattr(policy, "interpret")), None),
        reads_early=any(getattr(policy, "reads_answers", False) for policy in policies),
        instead=next((policy.instead for policy in policies if hasattr(policy, "instead")), None),
    )


def _made(line: PolicyLine, settings: Settings, scope: Scope, own: Own) -> tuple[Any, ...]:
    return tuple(policy for make in line.make for policy in make(settings, scope, own))


def _asks(
    lines: list[tuple[PolicyLine, Any]], question: str, home: Origin | None, only_at: Callable[[Origin, Any], Any]
) -> list[tuple[PolicyLine, Any]]:
    """Who is asked this. Where requests may go to other origins than `home`, some are asked only about those to it."""
    asks = [(line, getattr(policy, question)) for line, policy in lines if hasattr(policy, question)]
    if home is None:
        return asks
    return [(line, ask if line.all_origins else only_at(home, ask)) for line, ask in asks]


def _leave_out(names: frozenset[str]) -> tuple[Attach, ...]:
    """What takes these header fields out of a request, after all policies have put in theirs."""
    return (lambda attempt, now: attempt.request.with_headers(attempt.request.headers.without(names)),) if names else ()


def asked_at(home: Origin, ask: Asked) -> Asked:
    """The question about requests to `home`; about any other the policy says nothing."""
    return lambda attempt, now: ask(attempt, now) if attempt.request.origin == home else None


def attached_at(home: Origin, attach: Attach) -> Attach:
    """What is put into requests to `home`; any other stays as it is."""

    def attached(attempt: Attempt, now: float) -> Request:
        return attach(attempt, now) if attempt.request.origin == home else attempt.request

    return attached


def previewed_at(home: Origin, preview: Callable[[Request], Request]) -> Callable[[Request], Request]:
    """The preview of requests to `home`; any other is shown as it is."""
    return lambda request: preview(request) if request.origin == home else request
