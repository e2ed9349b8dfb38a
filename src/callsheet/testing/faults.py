"""A transport that makes a share of the requests fail, to test what a staging environment never does by itself."""

from __future__ import annotations

import asyncio
import copy
import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Literal, Self, get_args
from urllib.parse import urlsplit

from callsheet.call import Limits
from callsheet.clock import Clock
from callsheet.engine.io import finish
from callsheet.errors import AttemptTimeout, NoAnswer, NotSent, UsageError
from callsheet.events import WireFacts
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.testing.ways import settled

FaultKind = Literal["refuse", "drop", "delay", "429", "500", "503"]
"""What may happen to a request in place of its answer; see `Faults`."""
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
        """Give the answer of the transport below, or the fault that was drawn for the request."""
        sleep = self._clock.sleep if self._clock else time.sleep
        return finish(self._answered(request, limits, self._transport, sleep))

    @property
    def asynchronous(self) -> TaskFaults:
        """The transport that an AsyncClient takes, with the same faults and counts."""
        return TaskFaults(self)

    async def asend(self, request: Request, limits: Limits) -> AnswerAndFacts:
        """Give a task the answer of the transport below, or the fault that was drawn for the request."""
        below = getattr(self._transport, "asynchronous", self._transport)
        return await self._answered(request, limits, below, self._clock.asleep if self._clock else asyncio.sleep)

    async def _answered(
        self, request: Request, limits: Limits, below: Any, sleep: Callable[[float], Any]
    ) -> AnswerAndFacts:
        kind = self._chance.drawn(request)
        if kind == "delay":
            await settled(sleep(min(self._delay, limits.attempt)))
            limits = _left(limits, self._delay)
        if kind in (None, "delay", "drop"):
            answer: AnswerAndFacts = await settled(below.send(request, limits))
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
    """Draws which request gets which fault, from the seed and the number of the request for its method and path."""

    def __init__(self, rate: float, seed: int, kinds: tuple[FaultKind, ...]) -> None:
        self._rate = rate
        self._seed = seed
        self._kinds = kinds
        self._lock = threading.Lock()
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
            # Rate and kind take two numbers of a draw, so that other `kinds` leave the same requests to fail.
            if _fraction(draw[:8]) >= self._rate:
                return None
            kind = self._kinds[int(_fraction(draw[8:]) * len(self._kinds))]
            self.injected[kind] += 1
            return kind


def _fraction(draw: bytes) -> float:
    """The draw as a number from 0 to below 1. Only 53 bits are used: a float holds no more."""
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
    """The limits that remain after a delay. Raises AttemptTimeout if the delay takes the attempt's whole time."""
    if spent >= limits.attempt:
        raise AttemptTimeout(f"not answered within {limits.attempt:g} s (timeout.attempt; delay injected)")
    whole = None if limits.whole is None else limits.whole - spent
    return limits._replace(attempt=limits.attempt - spent, whole=whole)


def _instead(kind: FaultKind | None, request: Request) -> AnswerAndFacts:
    """The injected answer or, for `refuse` and `drop`, the injected error; for `drop` the request was really sent."""
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
