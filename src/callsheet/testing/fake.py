"""Transports that answer by a script, so that a test needs no server and no time."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from callsheet.call import Limits
from callsheet.clock import Clock
from callsheet.errors import AttemptTimeout, MalformedAnswer, UsageError
from callsheet.events import WireFacts
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.testing.bodies import content_of, task_content_of
from callsheet.testing.route import Fault, Reply, Route, Sent

PIECE = 16 * 1024
NO_FACTS = WireFacts()


class _AnyFake:
    """What both colours share: routes, what was sent, and what becomes of it."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock
        self.calls: list[Sent] = []
        """Every request that was sent, in order."""
        self.routes: list[Route] = []

    def on(self, method: str, path: str) -> Route:
        """The script for a method and a path such as `/users/{id}`, `/users?page=2` or an absolute URL.

        The path is that of the URL, or its end, so that a base URL's prefix may be left out. Asked again, it is the same.
        """
        known = next((route for route in self.routes if (route.method, route.pattern) == (method.upper(), path)), None)
        if known is None:
            known = Route(method, path)
            self.routes.append(known)
        return known

    def calls_to(self, method: str, path: str) -> list[Sent]:
        """The requests that this script was for."""
        return self.on(method, path).calls

    def assert_all_called(self) -> None:
        """Raise AssertionError naming the scripted answers that no request came for."""
        unused = [f"{route}: {route.unused} more" for route in self.routes if route.unused]
        if unused:
            raise AssertionError(f"scripted, and never asked for: {'; '.join(unused)}")

    def _step(self, request: Request, content: bytes) -> Reply | Fault:
        sent = Sent(request.method, request.wire_url, _revealed(request), content)
        self.calls.append(sent)
        for whole in (True, False):
            for route in self.routes:
                if route.matches(request, whole=whole):
                    return route.next_step(sent)
        known = ", ".join(map(repr, self.routes)) or "nothing"
        raise UsageError(f"no answer is scripted for {request.method} {request.url}; scripted are: {known}")


def _revealed(request: Request) -> Headers:
    fields = request.headers.fields
    return Headers((name, value if isinstance(value, str) else value.reveal()) for name, value in fields)


def lasts(step: Reply | Fault, limits: Limits) -> float:
    """Seconds until something happens."""
    if isinstance(step, Fault) and step.until:
        return limits.connect if step.until == "connect" else limits.attempt
    return min(step.delay, limits.attempt)


def outcome(step: Reply | Fault, request: Request, limits: Limits) -> Response:
    """The answer, or the error that stands for it, once its time has passed."""
    if isinstance(step, Fault):
        facts: dict[str, Any] = {"on_kept_connection": True} if step.is_kept else {}
        raise step.kind(step.message, **facts)
    if step.delay > limits.attempt:
        raise AttemptTimeout("not done in time (timeout.attempt)")
    if step.cut is not None and not request.is_stream:
        raise MalformedAnswer("body breaks off")
    content = b"" if request.is_stream or request.method == "HEAD" else step.content
    return Response(step.status, request=request, headers=Headers(step.headers), content=content)


class Pieces:
    """A scripted body that is read as it comes."""

    facts = NO_FACTS

    def __init__(self, step: Reply) -> None:
        end = len(step.content) if step.cut is None else step.cut
        self._pieces = [step.content[at : min(at + PIECE, end)] for at in range(0, end, PIECE)]
        self._is_cut = step.cut is not None

    def next(self) -> bytes:
        """The next piece, b"" at the end. Raises MalformedAnswer where the body breaks off."""
        if self._pieces:
            return self._pieces.pop(0)
        if self._is_cut:
            raise MalformedAnswer("body breaks off")
        return b""

    def close(self) -> None:
        """Give nothing more."""
        self._pieces.clear()
        self._is_cut = False


class BlockingPieces(Pieces):
    """Read by a thread."""

    def read(self) -> bytes:
        """The next bytes, b"" at the end."""
        return self.next()


class TaskPieces(Pieces):
    """Read by a task."""

    async def read(self) -> bytes:
        """The next bytes, b"" at the end."""
        return self.next()


class FakeTransport(_AnyFake):
    """Answers by a script: `fake.on("GET", "/users/{id}").respond(503).respond(200, json={...})`.

    With a `clock` (a FrozenClock, given to the client as well), delays and limits are seconds of that clock; without, real
    ones. A request for which nothing is scripted is a UsageError. For AsyncClient: AsyncFakeTransport.
    """

    def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """What the script says, within the limits."""
        step = self._step(request, content_of(request))
        seconds = lasts(step, limits)
        if seconds > 0:
            (self.clock.sleep if self.clock else time.sleep)(seconds)
        answer = outcome(step, request, limits)
        if request.is_stream and isinstance(step, Reply):
            answer.stream = BlockingPieces(step)
        return answer, WireFacts(total=seconds) if limits.wants_facts else None

    def close(self) -> None:
        """Nothing is open."""


class AsyncFakeTransport(_AnyFake):
    """The same for AsyncClient."""

    async def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """What the script says, within the limits."""
        step = self._step(request, await task_content_of(request))
        seconds = lasts(step, limits)
        await (self.clock.asleep(seconds) if self.clock else asyncio.sleep(seconds))
        answer = outcome(step, request, limits)
        if request.is_stream and isinstance(step, Reply):
            answer.stream = TaskPieces(step)
        return answer, WireFacts(total=seconds) if limits.wants_facts else None

    async def aclose(self) -> None:
        """Nothing is open."""
