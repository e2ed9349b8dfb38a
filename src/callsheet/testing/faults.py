"""Faults at a rate: what a staging environment never does by itself."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any, Literal, get_args

from callsheet.call import Limits
from callsheet.errors import NoAnswer, NotSent, UsageError
from callsheet.events import WireFacts
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.response import Response

Kind = Literal["refuse", "drop", "503", "429", "500"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class _AnyFaults:
    """What both colours share: the draw, and what it does."""

    def __init__(self, transport: Any, *, rate: float = 0.05, seed: int = 0, kinds: tuple[Kind, ...] = KINDS) -> None:
        unknown = [kind for kind in kinds if kind not in KINDS]
        if unknown or not kinds:
            raise UsageError(f"Faults: kinds are {', '.join(KINDS)}, found {', '.join(map(str, unknown)) or 'none'}")
        if isinstance(rate, bool) or not 0 <= rate <= 1:
            raise UsageError(f"Faults: expected a rate from 0 to 1, found {rate!r}")
        self._transport = transport
        self._rate = rate
        self._kinds = kinds
        self._chance = random.Random(seed)  # noqa: S311 faults must come again, not be a secret
        self.injected: Counter[str] = Counter()
        """How often each kind was done."""

    def _drawn(self) -> Kind | None:
        # Two draws for each request, so that another rate or another list leaves the sequence as it is.
        hit, which = self._chance.random(), self._chance.random()
        if hit >= self._rate:
            return None
        kind = self._kinds[int(which * len(self._kinds))]
        self.injected[kind] += 1
        return kind


def _answered(kind: Kind, request: Request) -> Response:
    """The answer in place of the service's, or an error. `drop` comes after the request was really sent."""
    if kind == "refuse":
        raise NotSent("connection refused (injected)")
    if kind == "drop":
        raise NoAnswer("no answer: the connection closed (injected)")
    fields = {"Content-Type": "text/plain", "X-Injected-Fault": kind}
    return Response(int(kind), request=request, headers=Headers(fields), content=b"injected")


class Faults(_AnyFaults):
    """A transport that fails at a rate, by a seed: `Client(..., transport=lambda real: Faults(real, rate=0.05, seed=7))`.

    `refuse` (never sent), `drop` (really sent, the answer lost), and the statuses 429, 500 and 503, which are answered
    without asking the service; for a stream these are `refuse`. For AsyncClient: AsyncFaults.
    """

    def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """The service's answer, or a fault."""
        kind = self._drawn()
        if kind is None or kind == "drop":
            answer: tuple[Response, WireFacts | None] = self._transport.send(request, limits)
            if kind is None:
                return answer
            _abandon(answer[0])
        return _answered(_of(kind, request), request), None

    def close(self) -> None:
        """Close the transport."""
        self._transport.close()


class AsyncFaults(_AnyFaults):
    """The same for AsyncClient."""

    async def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """The service's answer, or a fault."""
        kind = self._drawn()
        if kind is None or kind == "drop":
            answer: tuple[Response, WireFacts | None] = await self._transport.send(request, limits)
            if kind is None:
                return answer
            _abandon(answer[0])
        return _answered(_of(kind, request), request), None

    async def aclose(self) -> None:
        """Close the transport."""
        await self._transport.aclose()


def _of(kind: Kind, request: Request) -> Kind:
    return "refuse" if request.is_stream and kind.isdigit() else kind


def _abandon(response: Response) -> None:
    if response.stream is not None:
        response.stream.close()
        response.stream = None
