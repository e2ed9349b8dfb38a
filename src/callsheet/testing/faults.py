"""Faults at a rate: what a staging environment never does by itself."""

from __future__ import annotations

import asyncio
import copy
import hashlib
import time
from collections import Counter
from typing import Any, Literal, Self, get_args
from urllib.parse import urlsplit

from callsheet.call import Limits
from callsheet.clock import Clock
from callsheet.errors import AttemptTimeout, NoAnswer, NotSent, UsageError
from callsheet.events import WireFacts
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.process.forked import new_lock

FaultKind = Literal["refuse", "drop", "delay", "429", "500", "503"]
"""A kind of fault."""
KINDS: tuple[FaultKind, ...] = get_args(FaultKind)
QUICK: tuple[FaultKind, ...] = ("refuse", "drop", "429", "500", "503")
AnswerAndFacts = tuple[Response, WireFacts | None]


class Faults:
    """Makes a share of the requests fail, `rate` of them, in the same way for the same `seed`.

    `faults = Faults(rate=0.05, seed=7)` and `Client(..., transport=faults.over)` put it over the real transport of a Client
    or an AsyncClient; `Faults(transport, ...)` puts it over one of yours. `kinds` are `refuse` (never sent), `drop` (really
    sent, and the answer lost), `delay` (sent after `delay` seconds; only if you name it), and the statuses `429`, `500` and
    `503`, for which the service is not asked. What happens to the n-th request for a method and path depends on the seed
    alone, however many are under way at once. Raises UsageError for a rate, kind or delay that cannot be.
    """

    def __init__(
        self,
        transport: Any = None,
        *,
        rate: float = 0.05,
        seed: int = 0,
        kinds: tuple[FaultKind, ...] = QUICK,
        delay: float = 1.0,
    ) -> None:
        _check(rate, kinds, delay)
        self._transport = transport
        self._clock: Clock | None = None
        self._chance = Chance(rate, seed, kinds)
        self._delay = delay
        self.injected: Counter[str] = self._chance.injected
        """How often each kind of fault was injected."""

    @property
    def requests(self) -> int:
        """How many requests there were, with and without a fault."""
        return self._chance.requests

    def over(self, transport: Any) -> Self:
        """These faults, with these counts, over another transport: what a client is given as `transport`."""
        above = copy.copy(self)
        above._transport = transport  # noqa: SLF001 its own class
        return above

    def agree_on(self, clock: Clock | None) -> Clock | None:
        """The one clock of a client and the transport below, by which delays pass."""
        below = self._transport
        self._clock = below.agree_on(clock) if hasattr(below, "agree_on") else clock
        return self._clock

    def send(self, request: Request, limits: Limits) -> AnswerAndFacts:
        """The service's answer, or a fault."""
        kind = self._chance.drawn(request)
        if kind == "delay":
            (self._clock.sleep if self._clock else time.sleep)(min(self._delay, limits.attempt))
            limits = _left(limits, self._delay)
        if kind in (None, "delay", "drop"):
            answer: AnswerAndFacts = self._transport.send(request, limits)
            if kind != "drop":
                return answer
            _abandon(answer[0])
        return _instead(kind, request)

    @property
    def asynchronous(self) -> TaskFaults:
        """The same for tasks: what an AsyncClient takes."""
        return TaskFaults(self)

    async def asend(self, request: Request, limits: Limits) -> AnswerAndFacts:
        """The service's answer, or a fault, for a task."""
        kind = self._chance.drawn(request)
        if kind == "delay":
            await (self._clock.asleep if self._clock else asyncio.sleep)(min(self._delay, limits.attempt))
            limits = _left(limits, self._delay)
        if kind in (None, "delay", "drop"):
            below = getattr(self._transport, "asynchronous", self._transport)
            answer: AnswerAndFacts = await below.send(request, limits)
            if kind != "drop":
                return answer
            _abandon(answer[0])
        return _instead(kind, request)

    def close(self) -> None:
        """Close the transport below."""
        self._transport.close()

    async def aclose(self) -> None:
        """Close the transport below."""
        await getattr(self._transport, "asynchronous", self._transport).aclose()


class TaskFaults:
    """Faults as an AsyncClient sees them."""

    def __init__(self, faults: Faults) -> None:
        self.send = faults.asend
        self.aclose = faults.aclose


class Chance:
    """What happens to which request."""

    def __init__(self, rate: float, seed: int, kinds: tuple[FaultKind, ...]) -> None:
        self._rate = rate
        self._seed = seed
        self._kinds = kinds
        self._lock = new_lock()
        self._asked: Counter[str] = Counter()
        self.injected: Counter[str] = Counter()
        self.requests = 0

    def drawn(self, request: Request) -> FaultKind | None:
        """The fault for this request, or None."""
        target = f"{request.method} {urlsplit(request.wire_url).path}"
        with self._lock:
            self.requests += 1
            self._asked[target] += 1
            draw = hashlib.blake2b(f"{self._seed} {self._asked[target]} {target}".encode(), digest_size=16).digest()
            # Two numbers of each draw, so that other kinds leave those that are hit as they are.
            if _fraction(draw[:8]) >= self._rate:
                return None
            kind = self._kinds[int(_fraction(draw[8:]) * len(self._kinds))]
            self.injected[kind] += 1
            return kind


def _fraction(draw: bytes) -> float:
    """A number from 0 to below 1: 53 bits are what a float holds."""
    return (int.from_bytes(draw) >> 11) / 2**53


def _check(rate: Any, kinds: Any, delay: Any) -> None:
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        raise UsageError(f"Faults: kinds are {', '.join(KINDS)}, found {', '.join(map(str, unknown)) or 'none'}")
    if isinstance(rate, bool) or not 0 <= rate <= 1:
        raise UsageError(f"Faults: expected a rate from 0 to 1, found {rate!r}")
    if not delay >= 0:
        raise UsageError(f"Faults: expected a delay of seconds, 0 or more, found {delay!r}")


def _left(limits: Limits, spent: float) -> Limits:
    """The limits after a delay. Raises AttemptTimeout if it took all there was."""
    if spent >= limits.attempt:
        raise AttemptTimeout(f"not answered within {limits.attempt:g} s (timeout.attempt; delay injected)")
    whole = None if limits.whole is None else limits.whole - spent
    return limits._replace(attempt=limits.attempt - spent, whole=whole)


def _instead(kind: FaultKind | None, request: Request) -> AnswerAndFacts:
    """The answer in place of the service's, or an error. `drop` comes after the request was really sent."""
    if kind == "refuse":
        raise NotSent("connection refused (injected)")
    if kind == "drop":
        raise NoAnswer("no answer: the connection closed (injected)")
    fields = {"Content-Type": "text/plain", "X-Injected-Fault": str(kind)}
    return Response(int(kind or 500), request=request, headers=Headers(fields), content=b"injected"), None


def _abandon(response: Response) -> None:
    if response.stream is not None:
        response.stream.close()
        response.stream = None
