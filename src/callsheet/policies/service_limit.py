"""Heed what a service says about its own limits.

A 429 is meant for all calls to a service, not only for the one that received it: other calls that go on make it worse. Many
services also say how many requests they will still take, before they refuse any.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

from callsheet.arithmetic.retry_after import told_pause
from callsheet.arithmetic.shared_window import Hold
from callsheet.arithmetic.told_limit import ToldLimit, told_limit
from callsheet.call import Attempt
from callsheet.errors import LimitReached
from callsheet.events import NO_CALL, LimitLearned
from callsheet.http.response import Response
from callsheet.policies.scope import Own, Scope
from callsheet.settings.rate_limit import RateLimit
from callsheet.settings.settings import Settings
from callsheet.verdicts import Ask, Refuse, Tell, Wait

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 20.0
"""Seconds for which calls wait after a 429 that names no time: the first pause is doubled with each 429 that follows."""
LONGEST_HOLD = 3600.0
"""Seconds that calls wait at most, whatever the service said: one absurd answer must not stop them for ever."""
SAME_WINDOW = 2.0
"""Two answers whose windows end within so many seconds speak of the same window: both are rounded, and one travelled longer."""


class LearnedLimit:
    """What the service said last: no request until `held`, and `remaining` more requests until `resets`.

    One LearnedLimit serves all operations of a service.
    """

    def __init__(self) -> None:
        self.held = -math.inf
        self.resets = -math.inf
        self.remaining = 0
        self.refusals = 0
        self.until = -math.inf
        """When both have passed, so that requests may go again."""
        self.lock = threading.Lock()

    def take(self, now: float) -> float:
        """Take one of the remaining requests: 0.0 if it may be sent now, else the seconds to wait, and none was taken."""
        with self.lock:
            if now < self.held:
                return self.held - now
            if now >= self.resets:
                return 0.0
            if self.remaining > 0:
                self.remaining -= 1
                return 0.0
            return self.resets - now

    def give_back(self, resets: float) -> None:
        """Give back a request that was taken and not sent, if the window that ends at `resets` still counts."""
        with self.lock:
            if resets == self.resets:
                self.remaining += 1

    def heed(self, told: ToldLimit, now: float) -> bool:
        """Remember how many requests remain. True if none does and this was not known before.

        A later window replaces an earlier one; of the same window the smaller count is kept. No answer shortens the wait that
        a 429 asked for: the service may have sent that answer before the 429.
        """
        resets = now + min(told.seconds, LONGEST_HOLD)
        with self.lock:
            was_stopped = now < self.held or (now < self.resets and self.remaining == 0)
            if resets > self.resets + SAME_WINDOW or now >= self.resets:
                self.resets, self.remaining = resets, told.remaining
            else:
                self.remaining = min(self.remaining, told.remaining)
            self.until = max(self.held, self.resets)
            return self.remaining == 0 and not was_stopped and now < self.resets

    def refuse(self, seconds: float | None, sent: float, now: float) -> float | None:
        """Have all calls wait after a 429 to a request sent at `sent`, for `seconds` if the 429 named them.

        Gives the seconds if this was not known before, else None: many requests in flight may each get a 429, and these count
        as one.
        """
        with self.lock:
            known = self.held
            if sent >= self.held:
                self.refusals += 1
            pause = self._pause() if seconds is None else min(seconds, LONGEST_HOLD)
            self.held = max(self.held, now + pause)
            self.until = max(self.held, self.resets)
            return self.held - now if now >= known or self.held > known + SAME_WINDOW else None

    def _pause(self) -> float:
        return float(min(FIRST_PAUSE * 2 ** min(max(self.refusals, 1) - 1, 10), LONGEST_PAUSE))

    def forget(self) -> None:
        """Replace the lock in a forked child, where a thread of the parent may hold it for ever. What was learned stays."""
        self.lock = threading.Lock()


class ServiceLimit:
    """Have every call wait while the service said that it takes no more requests.

    With a `store`, which answers Hold, a 429 also stops the other processes that share the store.
    """

    name = "rate_limit.learn"

    def __init__(
        self, learned: LearnedLimit, settings: RateLimit, wall_clock: Callable[[], float], *, store: Any = None
    ) -> None:
        self.learned = learned
        self.store = store
        self.waits = settings.when_full == "wait"
        self.wall_clock = wall_clock

    def before(self, attempt: Attempt, now: float) -> Wait | Refuse | None:
        """Wait, or refuse, if the service takes no more requests for now; else None."""
        if now >= self.learned.until or self in attempt.held:
            return None
        wait = self.learned.take(now)
        if wait <= 0.0:
            attempt.held[self] = self.learned.resets
            return None
        left = attempt.call.deadline - now
        if not self.waits or wait >= left:
            message = f"the service said to come back in {wait:.3g} s, your call has {left:.3g} s; nothing was sent"
            return Refuse(LimitReached(message, retry_after=wait), by=self.name)
        return Wait(wait, "the service, which said to come back later")

    def let_go(self, attempt: Attempt, sent: bool) -> None:  # noqa: FBT001 the questions are asked by position
        """Give back a request that was not sent, so that another attempt may take it."""
        if not sent:
            self.learned.give_back(attempt.held[self])

    def after(self, attempt: Attempt, now: float) -> Tell | Ask | None:
        """Remember a 429, and what any other answer says about limits."""
        answer = attempt.outcome
        if not isinstance(answer, Response):
            return None
        is_throttled = answer.status_code == 429 if attempt.meaning is None else attempt.meaning == "rate_limited"
        if is_throttled:
            return self._refused(attempt, answer, now)
        if self.learned.refusals and answer.status_code < 400:
            self.learned.refusals = 0
        told = told_limit(answer, self.wall_clock)
        if told is not None and self.learned.heed(told, now):
            return self._tell(answer, told.seconds)
        return None

    def _refused(self, attempt: Attempt, answer: Response, now: float) -> Tell | Ask | None:
        asked = told_pause(answer, self.wall_clock())
        told = told_limit(answer, self.wall_clock) if asked is None else None
        if told is not None and told.remaining == 0:
            asked = told.seconds
        seconds = self.learned.refuse(asked, attempt.began, now)
        if seconds is None:
            return None
        told_of = self._tell(answer, seconds)
        if self.store is None:
            return told_of
        return Ask(self.store, Hold(attempt.call.service, seconds), lambda _: told_of)

    def _tell(self, answer: Response, seconds: float) -> Tell:
        return Tell(LimitLearned(*NO_CALL, 0, seconds, answer.status_code))


def make(settings: Settings, scope: Scope, own: Own) -> tuple[ServiceLimit, ...]:
    """The policy, unless `rate_limit.learn` is off; all operations of the service share what it learned."""
    if not settings.rate_limit.learn:
        return ()
    learned = scope.one(("rate_limit.learn",), LearnedLimit)
    # Other processes notice a Hold when they ask the store for a turn, which they do only if a rate is declared.
    asks_store = any(each.rate_limit.rates for each in (settings, *scope.settings))
    store = scope.store.store if scope.store and asks_store else None
    return (ServiceLimit(learned, settings.rate_limit, scope.wall_clock, store=store),)
