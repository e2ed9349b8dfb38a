"""Processes that share a limit on a machine without enough processors: every answer and every awakening may come late.

The policy and the script are the real ones; only time is played, so that a minute takes a second.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from types import SimpleNamespace
from typing import Any, NamedTuple

from callsheet.call import Attempt, Call
from callsheet.events import WireFacts
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.policies.rate_limit import Limiters, SharedRateLimit
from callsheet.policies.scope import SharedStore
from callsheet.settings.rate_limit import RateLimit
from callsheet.settings.timeout import Timeout
from callsheet.stores.script import SCRIPT
from callsheet.stores.valkey import ValkeyStore, _place
from callsheet.verdicts import Ask, Refuse, Wait

BEGAN = 1_700_000_000.0
"""What the store's clock shows when the play begins."""
SERVICE = 0.005
"""Seconds that the service takes for an answer."""


class Delays(NamedTuple):
    """How long a question, its answer, an awakening, and a request on its way out take, drawn anew for each."""

    there: Callable[[], float]
    back: Callable[[], float]
    awake: Callable[[], float]
    out: Callable[[], float] = lambda: 0.0


class Machine:
    """Plays what processes do, in the order of time. `sent` are time and units of each request."""

    def __init__(self, valkey: Any, prefix: str) -> None:
        self.client = valkey.client()
        self.script = self.client.register_script(SCRIPT)
        self.store = ValkeyStore(valkey.url, prefix)
        self.now = 0.0
        self.sent: list[tuple[float, int]] = []
        self.refused: list[str] = []
        self.exchanges = 0
        self._ahead: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    def at(self, when: float, work: Callable[[], None]) -> None:
        heapq.heappush(self._ahead, (when, next(self._order), work))

    def run(self, until: float) -> None:
        while self._ahead and self._ahead[0][0] <= until:
            self.now, _, work = heapq.heappop(self._ahead)
            work()

    def answer(self, question: Any) -> Any:
        self.exchanges += 1
        keys, *rest = self.store.arguments(question, round((BEGAN + self.now) * 1_000_000))
        return _place(self.script(rest[:keys], rest[keys:]))


class Process:
    """One of them: `clock` is what its own shows at the beginning; its callers call again as soon as they have sent."""

    def __init__(self, machine: Machine, settings: RateLimit, delays: Delays, clock: float = 0.0) -> None:
        self.machine, self.delays, self.clock, self.cost = machine, delays, clock, settings.cost
        scope = SimpleNamespace(now=self.now, service="shop")
        self.policy = SharedRateLimit(Limiters(settings), settings, scope, SharedStore(None, refuses=True))

    def now(self) -> float:
        return self.clock + self.machine.now

    def call(self, again: Callable[[], None] = lambda: None, total: float = 1000.0) -> None:
        self._asked(self.attempt(total), again)

    def attempt(self, total: float = 1000.0) -> Attempt:
        request = Request("GET", "https://shop.test/", Headers(), None)
        return Attempt(Call(request, Timeout(total=total), self.now(), lambda: None), 1)

    def keep_calling(self) -> None:
        self.call(self.keep_calling)

    def _asked(self, attempt: Attempt, again: Callable[[], None]) -> None:
        self._carry_out(self.policy.before(attempt, self.now()), attempt, again)

    def _answered(self, attempt: Attempt, again: Callable[[], None]) -> None:
        told = self.policy.after(attempt, self.now())
        if told is not None:
            self.machine.at(self.machine.now + self.delays.there(), lambda: self.machine.answer(told.question))
        again()

    def _carry_out(self, verdict: Any, attempt: Attempt, again: Callable[[], None]) -> None:
        machine, delays = self.machine, self.delays
        if verdict is None:
            sent = delays.out()
            machine.at(machine.now + sent, lambda: machine.sent.append((machine.now, self.cost)))
            attempt.wire = WireFacts(sent=sent, total=sent + SERVICE)
            machine.at(machine.now + sent + SERVICE, lambda: self._answered(attempt, again))
        elif isinstance(verdict, Refuse):
            machine.refused.append(str(verdict.error))
        elif isinstance(verdict, Wait):
            machine.at(
                machine.now + verdict.seconds + delays.awake(),
                lambda: self._carry_out(verdict.then(self.now()), attempt, again),
            )
        else:
            assert isinstance(verdict, Ask)

            def asked() -> None:
                answer = machine.answer(verdict.question)
                machine.at(machine.now + delays.back(), lambda: self._carry_out(verdict.then(answer), attempt, again))

            machine.at(machine.now + delays.there(), asked)
