"""THE list of policies: asked before an attempt from top to bottom, told its outcome in the same order.

To add a policy: write it in `policies/`, give its settings a record in `settings/`, and put a line here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from callsheet.policies.cookies import Cookies
from callsheet.policies.deadline import Deadline
from callsheet.policies.error_rules import ErrorRules
from callsheet.policies.redirect import Redirect
from callsheet.policies.retry import Retry
from callsheet.policies.slot import Slot
from callsheet.settings.settings import Settings


class Shared(NamedTuple):
    """What the operations of one service share: its slots, chance, the time of day, and its jar of cookies."""

    slots: tuple[Slot, ...]
    pick: Callable[[], float]
    wall_clock: Callable[[], float]
    cookies: Cookies | None = None


class Line(NamedTuple):
    """One policy's place. `make` gives the policies that are on under these settings, none if it is off."""

    name: str
    asked: Literal["once per call", "per attempt"]
    why: str
    make: Callable[[Settings, Shared], tuple[Any, ...]]


def _retry(settings: Settings, shared: Shared) -> tuple[Any, ...]:
    return () if settings.retry is None else (Retry(settings.retry, shared.pick, shared.wall_clock),)


def _cookies(settings: Settings, shared: Shared) -> tuple[Any, ...]:
    return (shared.cookies,) if settings.cookies and shared.cookies is not None else ()


def _redirect(settings: Settings, shared: Shared) -> tuple[Any, ...]:
    return () if settings.redirects is None else (Redirect(settings.redirects),)


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
        "concurrency",
        "per attempt",
        "bounded in flight; held until the answer is complete or closed",
        lambda settings, shared: shared.slots,
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
        "asked last: whether to try again is decided when everybody has said what the outcome means",
        _retry,
    ),
)


class Pipeline(NamedTuple):
    """The policies that are on, by question."""

    policies: tuple[Any, ...]
    before_call: tuple[Any, ...]
    before_attempt: tuple[Any, ...]
    after: tuple[Any, ...]
    ended: tuple[Any, ...]


def pipeline(settings: Settings, shared: Shared) -> Pipeline:
    """The policies of one operation, in order, what is off left out."""
    lines = [(line.asked, policy) for line in ORDER for policy in line.make(settings, shared)]
    policies = tuple(policy for _, policy in lines)
    return Pipeline(
        policies,
        before_call=tuple(policy.before for policy in policies if hasattr(policy, "before")),
        before_attempt=tuple(
            policy.before for asked, policy in lines if asked == "per attempt" and hasattr(policy, "before")
        ),
        after=tuple(policy.after for policy in policies if hasattr(policy, "after")),
        ended=tuple(policy.ended for policy in policies if hasattr(policy, "ended")),
    )
