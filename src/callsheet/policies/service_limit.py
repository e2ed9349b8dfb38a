"""Heed what a service says about its own limits.

A 429 is meant for all of a service's callers, not only for the one that happened to get it: whoever else goes on asking
makes it worse. And many services say how much is left before they refuse.
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

TOO_MANY_REQUESTS = 429
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 20.0
"""Seconds for which a 429 that names no time holds the service up, doubled while it goes on answering so."""
LONGEST_HOLD = 3600.0
"""Seconds after which an answer is asked for again, whatever was said: one absurd answer must not lock us out for ever."""
SAME_WINDOW = 2.0
"""Seconds by which two answers may differ that speak of the same window: both were rounded, and one was longer on its way."""


class LearnedLimit:
    """What the service said last: nothing until `held`, and `remaining` more requests until `resets`.

    One serves all operations of a service.
    """

    def __init__(self) -> None:
        self.held = -math.inf
        self.resets = -math.inf
        self.remaining = 0
        self.refusals = 0
        self.until = -math.inf
        """When neither holds any more."""
        self.lock = threading.Lock()

    def take(self, now: float) -> float:
        """Spend one request; 0.0 if it may go now, else the seconds until it may."""
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
        """One that was taken of the window that ends then was not sent."""
        with self.lock:
            if resets == self.resets:
                self.remaining += 1

    def heed(self, told: ToldLimit, now: float) -> bool:
        """Remember a rest, and say whether it is news that nothing is left.

        A later window replaces an earlier one, of the same window the smaller rest counts. What a 429 said holds whatever
        other answers say, which may have been on their way before it.
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
        """A 429 to a request sent at `sent`: hold everything up for as long as it says.

        Gives the seconds if that is news: each of many in flight at once gets its own 429, and together they are one.
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
        """Begin anew in a forked child."""
        self.lock = threading.Lock()


class ServiceLimit:
    """Hold up every call of a service that said how much more it takes, until it takes more.

    With a `store`, which answers Hold, a 429 holds up those who share it, too.
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
        """Nothing unless the service said to wait."""
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
        """What was taken and not sent may be taken by another."""
        if not sent:
            self.learned.give_back(attempt.held[self])

    def after(self, attempt: Attempt, now: float) -> Tell | Ask | None:
        """Heed a 429, and what any answer says about limits."""
        answer = attempt.outcome
        if not isinstance(answer, Response):
            return None
        is_throttled = (
            answer.status_code == TOO_MANY_REQUESTS if attempt.meaning is None else attempt.meaning == "rate_limited"
        )
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
    """What heeds the limits that the service tells, one memory of them for all its operations."""
    if not settings.rate_limit.learn:
        return ()
    learned = scope.one(("rate_limit.learn",), LearnedLimit)
    # A store holds calls up when they ask it for a turn, which they do only where a rate is declared.
    asks_store = any(each.rate_limit.rates for each in (settings, *scope.settings))
    store = scope.store.store if scope.store and asks_store else None
    return (ServiceLimit(learned, settings.rate_limit, scope.wall_clock, store=store),)
