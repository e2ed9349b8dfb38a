"""THE list of policies: asked before an attempt from top to bottom, told its outcome in the same order.

To add a policy: write it in `policies/`, give its settings a record in `settings/`, and put a line here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from callsheet.auth.constant import constant_credential
from callsheet.http.request import Origin
from callsheet.plan.elsewhere import EVERYWHERE, AtHome, AttachedAtHome, allowed_by, home_of
from callsheet.policies.breaker import Breaker
from callsheet.policies.cookies import Cookies
from callsheet.policies.credential import Credential, Tokens
from callsheet.policies.deadline import Deadline
from callsheet.policies.deadline_header import DeadlineHeader
from callsheet.policies.error_rules import ErrorRules
from callsheet.policies.python_auth import PythonAuth
from callsheet.policies.rate_limit import Limits, RateLimit, SharedRateLimit, SharedStore
from callsheet.policies.read_anew import ReadAnew
from callsheet.policies.redirect import Redirect
from callsheet.policies.retry import Retry
from callsheet.policies.retry_budget import RetryBudget
from callsheet.policies.service_limit import ServiceLimit, ServiceWord
from callsheet.policies.sign import ReadyToSign, Sign, Signer
from callsheet.policies.slot import Slot
from callsheet.secret import Secret
from callsheet.settings.settings import Settings


class Shared(NamedTuple):
    """What the operations of one service share: its slots, chance, the time of day, and what policies remember."""

    slots: tuple[Slot, ...]
    pick: Callable[[], float]
    wall_clock: Callable[[], float]
    cookies: Cookies | None = None
    breaker: Breaker | None = None
    budget: RetryBudget | None = None
    limits: tuple[Limits, ...] = ()
    word: ServiceWord | None = None
    service: str = ""
    store: SharedStore | None = None
    tokens: Tokens | None = None
    python_auth: PythonAuth | None = None
    signer: Signer | None = None


class Line(NamedTuple):
    """One policy's place. `make` gives the policies that are on under these settings, none if it is off."""

    name: str
    asked: Literal["once per call", "per attempt"]
    why: str
    make: Callable[[Settings, Shared], tuple[Any, ...]]


def _retry(settings: Settings, shared: Shared) -> tuple[Any, ...]:
    return () if settings.retry is None else (Retry(settings.retry, shared.pick, shared.wall_clock),)


def _breaker(settings: Settings, shared: Shared) -> tuple[Any, ...]:
    return () if shared.breaker is None else (shared.breaker,)


def _auth(settings: Settings, shared: Shared) -> tuple[Any, ...]:
    if shared.python_auth is not None:
        return (shared.python_auth,)
    return () if shared.tokens is None else (Credential(shared.tokens),)


def _ready_to_sign(settings: Settings, shared: Shared) -> tuple[Any, ...]:
    return (ReadyToSign(shared.signer),) if shared.signer is not None and shared.signer.prepares else ()


def _sign(settings: Settings, shared: Shared) -> tuple[Any, ...]:
    return () if shared.signer is None else (Sign(shared.signer, shared.wall_clock),)


def _read_anew(settings: Settings) -> tuple[Any, ...]:
    fields = (*settings.headers.values(), *(value for _, value in constant_credential(settings.auth).headers))
    varies = any(isinstance(value, Secret) and not value.is_constant for value in fields)
    return (ReadAnew(),) if varies else ()


def _rate_limit(settings: Settings, shared: Shared) -> tuple[Any, ...]:
    if shared.store is None:
        return tuple(RateLimit(limits, settings.rate_limit) for limits in shared.limits)
    service, store = shared.service, shared.store
    return tuple(SharedRateLimit(each, settings.rate_limit, service=service, store=store) for each in shared.limits)


def _service_limit(settings: Settings, shared: Shared) -> tuple[Any, ...]:
    if shared.word is None or not settings.rate_limit.learn:
        return ()
    # Where no rate is declared nobody asks the store for a turn, and what it held up would not be noticed.
    store = shared.store.store if shared.store and shared.limits else None
    return (ServiceLimit(shared.word, settings.rate_limit, shared.wall_clock, store=store),)


def _deadline_header(settings: Settings, shared: Shared) -> tuple[Any, ...]:
    return () if settings.deadline_header is None else (DeadlineHeader(settings.deadline_header),)


def _budget(settings: Settings, shared: Shared) -> tuple[Any, ...]:
    return () if settings.retry is None or shared.budget is None else (shared.budget,)


def _cookies(settings: Settings, shared: Shared) -> tuple[Any, ...]:
    return (shared.cookies,) if settings.cookies and shared.cookies is not None else ()


def _redirect(settings: Settings, shared: Shared) -> tuple[Any, ...]:
    return () if settings.redirects is None else (Redirect(settings.redirects, allowed_by(settings)),)


def _rules(settings: Settings, shared: Shared) -> tuple[Any, ...]:
    is_on = settings.errors or settings.envelope is not None
    return (ErrorRules(settings.errors, settings.envelope),) if is_on else ()


ORDER = (
    Line(
        "deadline",
        "per attempt",
        "everything below spends from it: waits, attempts, reading the body",
        lambda settings, shared: (Deadline(),),
    ),
    Line(
        "errors",
        "per attempt",
        "told before all that act on what an answer means: it says so where the status does not",
        _rules,
    ),
    Line(
        "breaker",
        "per attempt",
        "nobody queues for a service that is down; told before retry, which may ask for an attempt that it then refuses",
        _breaker,
    ),
    Line(
        "auth.token",
        "per attempt",
        "a token that has to be made is at hand before a slot or a turn is taken; put in when nothing waits any more",
        lambda settings, shared: (*_read_anew(settings), *_auth(settings, shared)),
    ),
    Line(
        "sign.ready",
        "per attempt",
        "what a signature needs is at hand, or the request refused, before a slot or a turn is taken",
        _ready_to_sign,
    ),
    Line(
        "concurrency",
        "per attempt",
        "bounded in flight; held until the answer is complete or closed",
        lambda settings, shared: shared.slots,
    ),
    Line(
        "rate_limit.learn",
        "per attempt",
        "what the service said holds for whoever has a slot; told of a 429 before retry plans a pause",
        _service_limit,
    ),
    Line(
        "rate_limit",
        "per attempt",
        "a retry is a request, too; reserved last of all that waits, so that the rate on the wire is the declared one",
        _rate_limit,
    ),
    Line(
        "cookies",
        "per attempt",
        "attached when nothing waits any more, so that the jar is read as it is when the request leaves",
        _cookies,
    ),
    Line(
        "redirects",
        "per attempt",
        "told after the jar has taken the answer's cookies, and before retry: a hop is no failure",
        _redirect,
    ),
    Line(
        "retry",
        "per attempt",
        "whether to try again is decided when everybody has said what the outcome means",
        _retry,
    ),
    Line(
        "retry.budget",
        "once per call",
        "counts the call when nothing refused it, and takes back a retry that the service's budget does not cover",
        _budget,
    ),
    Line(
        "deadline_header",
        "per attempt",
        "the time left, told when nothing waits any more",
        _deadline_header,
    ),
    Line(
        "sign",
        "per attempt",
        "last, over what all others have put in, with a fresh time and nonce for each attempt",
        _sign,
    ),
)


class Pipeline(NamedTuple):
    """The policies that are on, by question."""

    policies: tuple[Any, ...]
    before_call: tuple[Any, ...]
    before_attempt: tuple[Any, ...]
    after: tuple[Any, ...]
    attach: tuple[Any, ...]
    ended: tuple[Any, ...]


class Step(NamedTuple):
    """One line of ORDER under some settings: what `explain` shows of it."""

    name: str
    on: bool
    asked: Literal["once per call", "per attempt"]
    why: str


def steps(settings: Settings, shared: Shared) -> tuple[Step, ...]:
    """Every line of ORDER, and whether it is on."""
    return tuple(Step(line.name, bool(line.make(settings, shared)), line.asked, line.why) for line in ORDER)


def pipeline(settings: Settings, shared: Shared) -> Pipeline:
    """The policies of one operation, in order, what is off left out."""
    lines = [(line, policy) for line in ORDER for policy in line.make(settings, shared)]
    home = home_of(settings) if settings.allow_origins else None
    before = _asks(lines, "before", home)
    return Pipeline(
        tuple(policy for _, policy in lines),
        before_call=tuple(ask for _, ask in before),
        before_attempt=tuple(ask for line, ask in before if line.asked == "per attempt"),
        after=tuple(ask for _, ask in _asks(lines, "after", home)),
        attach=tuple(ask for _, ask in _asks(lines, "attach", home, AttachedAtHome)),
        ended=tuple(policy.ended for _, policy in lines if hasattr(policy, "ended")),
    )


def _asks(
    lines: list[tuple[Line, Any]], question: str, home: Origin | None, at_home: type[AtHome] = AtHome
) -> list[tuple[Line, Any]]:
    """Who is asked this; with a `home` and other origins beside it, some about requests to it only."""
    asks = [(line, getattr(policy, question)) for line, policy in lines if hasattr(policy, question)]
    if home is None:
        return asks
    return [(line, ask if line.name in EVERYWHERE else at_home(ask, home)) for line, ask in asks]
