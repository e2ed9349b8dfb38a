"""The rule of the breaker, written a second time in the simplest way, under any schedule of many calls at once."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import settings as profile
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from callsheet.http.response import Response
from callsheet.policies.breaker import Breaker
from callsheet.settings.breaker import Breaker as Settings
from callsheet.verdicts import Refuse, Tell
from tests.policies.test_breaker import REQUEST, attempt_at


class Rule:
    """The stated rule: lists instead of counters. `told` are the states that listeners must hear of."""

    def __init__(self, settings: Settings, part: float) -> None:
        self.settings, self.part = settings, part
        self.state = "closed"
        self.failures: list[float] = []
        self.probes: dict[Any, float] = {}
        self.since = self.asked = -math.inf
        self.rounds, self.pause, self.until = 0, 0.0, 0.0
        self.told: list[str] = []

    def change(self, state: str, now: float) -> None:
        self.state, self.since, self.probes, self.failures = state, now, {}, []
        self.told.append(state)

    def close(self, now: float) -> None:
        self.rounds = 0
        self.change("closed", now)

    def open(self, now: float, since: float) -> None:
        self.pause = min(self.settings.max_open, self.settings.open * 2**self.rounds) * self.part
        self.rounds += 1
        self.until = since + self.pause
        self.change("open", now)

    def lets_through(self, attempt: Any, now: float) -> bool:
        if self.state in ("closed", "forced-closed") or attempt in self.probes:
            return True
        if self.state == "forced-open":
            return False
        sent = [probe.began for probe in self.probes if probe.was_sent]
        if sent and now >= min(sent) + self.pause:
            self.open(now, min(sent) + self.pause)
        self.probes = {each: at for each, at in self.probes.items() if each.was_sent or now < at + self.pause}
        if not self.probes and now >= max(self.asked, self.until) + 60:
            self.close(now)
            return True
        self.asked = now
        if self.state == "open" and now >= self.until:
            self.change("half-open", now)
        if self.state == "open" or len(self.probes) >= self.settings.probes:
            return False
        self.probes[attempt] = now
        return True

    def hears(self, attempt: Any, now: float, *, works: bool) -> None:
        if self.state.startswith("forced"):
            return
        if works:
            self.failures, self.rounds = [], 0
            if self.state != "closed":
                self.close(now)
        elif attempt.began >= self.since and self.state == "closed":
            self.failures = [*self.counted(now), now]
            last = self.failures[-self.settings.samples :]
            is_long = now >= self.failures[0] + self.settings.window
            if is_long and len(last) == self.settings.samples and now <= last[0] + 60:
                self.open(now, now)
        elif attempt.began >= self.since and attempt in self.probes:
            self.open(now, now)

    def counted(self, now: float) -> list[float]:
        return self.failures if self.failures and now <= self.failures[-1] + 60 else []


class Schedules(RuleBasedStateMachine):
    """Attempts that ask, wait, are sent, end late or are cut off; forced states; time that stands still or jumps.

    Times are eighths of a second, which are exact in floats.
    """

    @initialize(
        samples=st.integers(1, 3), probes=st.integers(1, 3), window=st.sampled_from([0.125, 0.5, 70.0]),
        pauses=st.sampled_from([(0.5, 0.5), (1.0, 5.0), (4.0, 8.0)]), drawn=st.sampled_from([0.0, 1.0]),
        is_open=st.booleans(),
    )  # fmt: skip
    def begin(
        self, samples: int, probes: int, window: float, pauses: tuple[float, float], drawn: float, is_open: bool
    ) -> None:
        settings = Settings(samples=samples, probes=probes, window=window, open=pauses[0], max_open=pauses[1])
        self.breaker, self.rule = Breaker(settings, lambda: drawn), Rule(settings, 0.8 + 0.2 * drawn)
        self.now = 1000.0
        self.waiting: list[Any] = []
        self.sent: list[Any] = []
        self.told: list[str] = []
        if is_open:
            for _ in range(samples + 1):
                self.ask(is_new=True, is_sent=True, index=0)
                self.time_passes(eighths=4)
                self.answered(503, 0, is_stream=False)

    def hear(self, verdict: Any) -> Any:
        while isinstance(verdict, Tell):
            self.told.append(verdict.event.state)
            verdict = verdict.then
        return verdict

    @rule(eighths=st.sampled_from([0, 1, 4, 8, 12, 16, 32, 40, 479, 480, 481]))
    def time_passes(self, eighths: int) -> None:
        self.now += eighths / 8

    @rule(is_new=st.booleans(), is_sent=st.booleans(), index=st.integers(0, 99))
    def ask(self, is_new: bool, is_sent: bool, index: int) -> None:
        is_new = is_new or not self.waiting
        attempt = attempt_at(self.now) if is_new else self.waiting.pop(index % len(self.waiting))
        verdict = self.hear(self.breaker.before(attempt, self.now))
        assert isinstance(verdict, Refuse) is not self.rule.lets_through(attempt, self.now)
        if isinstance(verdict, Refuse):
            self.gone(attempt)
        elif is_sent:
            attempt.began, attempt.was_sent = self.now, True
            self.sent.append(attempt)
        else:
            self.waiting.append(attempt)

    @rule(status=st.sampled_from([503, 503, 503, 503, 429, 200]), index=st.integers(0, 99), is_stream=st.booleans())
    def answered(self, status: int, index: int, is_stream: bool) -> None:
        if not self.sent:
            return
        attempt = self.sent.pop(index % len(self.sent))
        attempt.outcome = Response(status, request=REQUEST)
        assert self.hear(self.breaker.after(attempt, self.now)) is None
        if status != 429:
            self.rule.hears(attempt, self.now, works=status == 200)
        if not is_stream:
            self.gone(attempt)

    @rule(index=st.integers(0, 99))
    def cut_off(self, index: int) -> None:
        attempts = self.sent or self.waiting
        if attempts:
            self.gone(attempts.pop(index % len(attempts)))

    @rule(state=st.sampled_from(["forced-open", "forced-closed", "closed", "closed"]))
    def force(self, state: Any) -> None:
        self.breaker.force(state, self.now)
        self.rule.rounds = 0
        self.rule.change(state, self.now)
        self.told.append(state)  # who forces it tells that

    def gone(self, attempt: Any) -> None:
        if self.breaker in attempt.held:
            self.breaker.let_go(attempt, True)
        self.rule.probes.pop(attempt, None)

    @invariant()
    def both_say_the_same(self) -> None:
        if hasattr(self, "rule"):
            count = len(self.rule.counted(self.now))
            assert (self.breaker.state, self.breaker.counted(self.now)) == (self.rule.state, (count, count))
            assert list(self.breaker.probing) == list(self.rule.probes)
            assert self.told == self.rule.told


TestSchedules = Schedules.TestCase
TestSchedules.settings = profile(max_examples=150, stateful_step_count=40, deadline=None)
