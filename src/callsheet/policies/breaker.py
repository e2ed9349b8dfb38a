"""Leave a service alone while nothing works, and find out gently when it is back.

Calls to a service that is down cost their callers the wait and the service the chance to recover. An open breaker refuses
them at once; after a while a few attempts, the probes, show whether it may close (Nygard, "Release It!", 2007).

Theory of operation. While some attempts still succeed, retries help callers more than refusals do: a breaker that opens at a
share of failures turns a service that fails every second call into one that fails nearly always. So `Breaker` opens only
after a row of failures without any success between, and any success closes it. `ShareBreaker` is for sheets that say
`ratio` below 100%. Both are told outcomes late and in any order, from many threads; each says which of them still count.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Literal

from callsheet.arithmetic.rolling_window import RollingWindow
from callsheet.call import Attempt
from callsheet.errors import AttemptTimeout, BreakerOpen, ConnectTimeout, DeadlinePassed, ResponseError, TransportError
from callsheet.events import NO_CALL, BreakerChanged
from callsheet.http.response import Response
from callsheet.policies.scope import Own, Scope
from callsheet.settings.breaker import LEAST_PART, RECENT
from callsheet.settings.breaker import Breaker as BreakerSettings
from callsheet.settings.settings import Settings
from callsheet.verdicts import Refuse, Tell

State = Literal["closed", "open", "half-open", "forced-open", "forced-closed"]
"""`closed` lets calls through, `open` refuses them, `half-open` lets a few probes through; the last two were set by hand."""
SAYS_NOTHING = frozenset({407, 429})
"""Statuses of a proxy that wants credentials, and of a limit, which has its own policy."""
CLOSED = frozenset({"closed", "forced-closed"})
FORCED = frozenset({"forced-open", "forced-closed"})
NEARLY = 0.9
"""An attempt that had this share of the time it is granted was cut off by the service's slowness, not by its caller."""


class AnyBreaker(ABC):
    """What both kinds of breaker do; one serves all operations of a service, or one that has its own."""

    name = "breaker"

    def __init__(self, settings: BreakerSettings) -> None:
        self.settings = settings
        self.state: State = "closed"
        self.since = float("-inf")
        """When the state began."""
        self.until = 0.0
        """When an open breaker lets probes through."""
        self.openings = 0
        """How often it opened since it was last closed."""
        self.probing: dict[Attempt, float] = {}
        """The probes of this half-open state that are under way, and when each was let through."""
        self.proven = 0
        """Probes of this half-open state that went well, where it takes several to close it."""
        self.lock = threading.Lock()

    def before(self, attempt: Attempt, now: float) -> Refuse | Tell | None:
        """Nothing while closed; else a refusal, or a place among the probes.

        An attempt that had to wait is asked about once more before it is sent. It may go on only if it is still a probe.
        """
        if self.state in CLOSED or attempt in self.probing:
            return None
        with self.lock:
            if self.state == "forced-open":
                return Refuse(BreakerOpen("the breaker was forced open; nothing was sent"), by=self.name)
            return self._permission(attempt, now)

    def let_go(self, attempt: Attempt, sent: bool) -> None:  # noqa: FBT001 the questions are asked by position
        """Give the attempt's place among the probes to another; nothing if the breaker has changed its state meanwhile."""
        with self.lock:
            self.probing.pop(attempt, None)

    def force(self, state: State, now: float) -> None:
        """Hold it open or closed whatever happens, or have it begin anew, closed."""
        with self.lock:
            self.openings = 0
            self._become(state, now)

    def forget(self) -> None:
        """Count from nothing in a forked child: the probes under way are its parent's, and what was just being counted is half done."""
        self.lock = threading.Lock()
        self.probing.clear()
        self._clear()

    def counted(self, now: float) -> tuple[int, int]:
        """Failures that are counted now, and all samples."""
        with self.lock:
            return self._counted(now)

    def _permission(self, attempt: Attempt, now: float) -> Refuse | Tell | None:
        """The answer to `before`, unless it was forced open."""
        changed = None
        if self.state == "open":
            if now < self.until:
                return self._refused(now)
            self._become("half-open", now)
            changed = Tell(self._changed(now, "half-open"))
        if self.state == "half-open":
            if len(self.probing) + self.proven >= self.settings.probes:
                return self._refused_while_probing()
            self._let_through(attempt, now)
        return changed

    def _become(self, state: State, now: float) -> None:
        self.state = state
        self.since = now
        self.probing.clear()
        self._clear()

    def _opened(self, now: float, since: float | None = None) -> BreakerChanged:
        """Open it; the pause is counted from `since`, if that is earlier."""
        seconds = self._pause()
        self.openings += 1
        changed = self._changed(now, "open", seconds)
        self.until = (now if since is None else since) + seconds
        self._become("open", now)
        return changed

    def _changed(self, now: float, state: State, seconds: float = 0.0) -> BreakerChanged:
        return BreakerChanged(*NO_CALL, state, *self._counted(now), seconds)

    def _let_through(self, attempt: Attempt, now: float) -> None:
        attempt.held[self] = None  # first, so that an interrupt between the two lines leaves no place taken for ever
        self.probing[attempt] = now

    def _refused(self, now: float) -> Refuse:
        left = self.until - now
        message = (
            f"the service has been failing, and is left alone for another {left:.1f} s (breaker); nothing was sent"
        )
        return Refuse(BreakerOpen(message, retry_after=left), by=self.name)

    def _refused_while_probing(self) -> Refuse:
        message = "the service has been failing, and a few attempts try it out (breaker.probes); nothing was sent"
        return Refuse(BreakerOpen(message), by=self.name)

    @abstractmethod
    def after(self, attempt: Attempt, now: float) -> Tell | None:
        """Count the outcome, and open or close by it."""

    @abstractmethod
    def _pause(self) -> float:
        """Seconds for which it stays open now."""

    @abstractmethod
    def _counted(self, now: float) -> tuple[int, int]: ...

    @abstractmethod
    def _clear(self) -> None:
        """Count from nothing again."""


class Breaker(AnyBreaker):
    """Opens at failures in a row that no success interrupted, and closes at any success.

    It is open for a part of the pause from 0.8 to 1.0, which `pick` draws: a thousand processes must not probe together.
    """

    def __init__(self, settings: BreakerSettings, pick: Callable[[], float] = lambda: 1.0) -> None:
        super().__init__(settings)
        self.pick = pick
        self.row = 0
        """Failures since the last success."""
        self.first = 0.0
        """When the first of them ended."""
        self.last = deque[float](maxlen=settings.samples)
        """When each of the newest `samples` of them ended."""
        self.pause = 0.0
        """Seconds for which it was open last: a probe has as long to get the headers of an answer."""
        self.asked = 0.0
        """When an attempt was last asked about while it was not closed."""

    def after(self, attempt: Attempt, now: float) -> Tell | None:
        """Count a failure that began in this state, or end all counting at a success, whenever it began."""
        has_failed = failed(attempt)
        if has_failed is None or (not has_failed and not self.row and self.state in CLOSED):
            return None  # without the lock: most calls end here
        with self.lock:
            if self.state in FORCED:
                return None
            if not has_failed:
                return self._worked(now)
            if attempt.began < self.since:
                return None
            if self.state == "half-open":
                return Tell(self._opened(now)) if attempt in self.probing else None
            return self._failed(now) if self.state == "closed" else None

    def _worked(self, now: float) -> Tell | None:
        was = self.state
        self.openings = 0
        self._clear()
        if was == "closed":
            return None
        self._become("closed", now)
        return Tell(self._changed(now, "closed"))

    def _failed(self, now: float) -> Tell | None:
        if self.row and now - self.last[-1] > RECENT:
            self._clear()
        if not self.row:
            self.first = now
        self.last.append(now)  # before `row` says that there is one: an interrupt may come between
        self.row += 1
        is_long_enough = self.row >= self.settings.samples and now - self.first >= self.settings.window
        return Tell(self._opened(now)) if is_long_enough and now - self.last[0] <= RECENT else None

    def _permission(self, attempt: Attempt, now: float) -> Refuse | Tell | None:
        ended = self._late_probe(now)
        verdict: Refuse | Tell | None
        if self._is_forgotten(now):
            self.openings = 0
            self._become("closed", now)
            verdict = Tell(self._changed(now, "closed"))
        else:
            self.asked = now
            verdict = super()._permission(attempt, now)
        return verdict if ended is None else Tell(ended, verdict)

    def _late_probe(self, now: float) -> BreakerChanged | None:
        """End the round if a probe has been without headers for the length of the pause.

        A probe that waits so long to be sent, for a slot or a turn, says nothing of the service: another may have its place.
        """
        sent = [probe.began for probe in self.probing if probe.was_sent]
        if sent and now - min(sent) >= self.pause:
            return self._opened(now, since=min(sent) + self.pause)
        for probe, let_through in list(self.probing.items()):
            if not probe.was_sent and now - let_through >= self.pause:
                del self.probing[probe]
        return None

    def _is_forgotten(self, now: float) -> bool:
        """Whether no attempt was asked about for so long that what is known says nothing any more."""
        return self.state not in CLOSED and not self.probing and now - max(self.asked, self.until) >= RECENT

    def _pause(self) -> float:
        self.pause = open_for(self.settings, self.openings) * (LEAST_PART + (1.0 - LEAST_PART) * self.pick())
        return self.pause

    def _counted(self, now: float) -> tuple[int, int]:
        is_recent = self.row and now - self.last[-1] <= RECENT
        return (self.row, self.row) if is_recent else (0, 0)

    def _clear(self) -> None:
        self.row = 0
        self.last.clear()


class ShareBreaker(AnyBreaker):
    """Opens at a share of failures in a window, and closes when all probes have succeeded.

    What was sent before the state changed says nothing: a hundred attempts that were hanging when it opened do not open it
    again once it has closed.
    """

    def __init__(self, settings: BreakerSettings) -> None:
        super().__init__(settings)
        self.window = RollingWindow(settings.window)

    def after(self, attempt: Attempt, now: float) -> Tell | None:
        """Count the outcome, and open or close by it."""
        has_failed = failed(attempt)
        if has_failed is None or self.state in FORCED:
            return None
        with self.lock:
            if attempt.began < self.since:
                return None
            if self.state == "half-open":
                return self._probed(attempt, now, has_failed=has_failed) if attempt in self.probing else None
            self.window.add(now, has_failed, 1)
            return Tell(self._opened(now)) if has_failed and self._is_too_much() else None

    def _is_too_much(self) -> bool:
        total = self.window.total
        return total >= self.settings.samples and self.window.hits >= self.settings.ratio * total

    def _probed(self, attempt: Attempt, now: float, *, has_failed: bool) -> Tell | None:
        if has_failed:
            return Tell(self._opened(now))
        # Proven at its headers: a stream that stays open must not count twice.
        del self.probing[attempt]
        self.proven += 1
        if self.proven < self.settings.probes:
            return None
        self.openings = 0
        self._become("closed", now)
        return Tell(self._changed(now, "closed"))

    def _pause(self) -> float:
        return open_for(self.settings, self.openings)

    def _counted(self, now: float) -> tuple[int, int]:
        self.window.advance(now)
        return self.window.hits, self.window.total

    def _clear(self) -> None:
        self.proven = 0
        self.window.clear()


def make(settings: Settings, scope: Scope, own: Own) -> tuple[AnyBreaker, ...]:
    """The breaker of the service, or the one that an operation with settings of its own has instead."""
    chosen = settings.breaker
    if chosen is None:
        return ()
    operation = own.operation if "breaker" in own.written else ""
    return (scope.one(("breaker", operation, chosen), lambda: breaker_of(chosen, scope.pick)),)


def breaker_of(settings: BreakerSettings, pick: Callable[[], float]) -> AnyBreaker:
    """The kind of breaker that the `ratio` means."""
    return Breaker(settings, pick) if settings.ratio >= 1.0 else ShareBreaker(settings)


def open_for(settings: BreakerSettings, openings: int) -> float:
    """Seconds that a breaker stays open which opened so often before without closing: doubled each time, up to the most."""
    return min(settings.max_open, settings.open * 2.0 ** min(openings, 62))


def failed(attempt: Attempt) -> bool | None:
    """Whether the service failed in this attempt; None if the attempt says nothing of it.

    A 429, a proxy's 407 and our own refusals say nothing, nor does an attempt that its caller gave less time than the settings grant, or
    one that met the end of a kept connection's idle time.
    """
    outcome = attempt.outcome
    if attempt.meaning is not None:
        return None if attempt.meaning == "rate_limited" else attempt.meaning == "transient"
    if isinstance(outcome, Response):
        return None if outcome.status_code in SAYS_NOTHING else outcome.status_code >= 500
    if isinstance(outcome, AttemptTimeout | ConnectTimeout | DeadlinePassed):
        return True if had_its_time(attempt, is_connecting=isinstance(outcome, ConnectTimeout)) else None
    if isinstance(outcome, ResponseError):
        return False
    if isinstance(outcome, TransportError) and outcome.on_kept_connection:
        return None
    return True if isinstance(outcome, TransportError) and not outcome.is_local else None


def had_its_time(attempt: Attempt, *, is_connecting: bool) -> bool:
    """Whether an attempt had the time that the settings grant, whatever its caller wants."""
    given = attempt.call.timeout
    granted = attempt.call.granted or given
    if is_connecting:
        return min(attempt.allowed, given.connect) >= NEARLY * min(granted.connect, granted.attempt)
    return attempt.allowed >= NEARLY * granted.attempt and given.read >= min(granted.read, granted.attempt)
