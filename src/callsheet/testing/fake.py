"""A transport that answers requests from a script, so that a test needs neither a server nor real time."""

from __future__ import annotations

import threading
from typing import Any

from callsheet.call import Limits
from callsheet.clock import Clock
from callsheet.engine.io import finish
from callsheet.errors import UsageError
from callsheet.events import WireFacts
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.testing.bodies import content_of, task_content_of
from callsheet.testing.frozen_clock import FrozenClock
from callsheet.testing.route import Route, ScriptStep
from callsheet.testing.scripted_answer import answer
from callsheet.testing.sent import Sent, sent_of
from callsheet.testing.unexpected import UnexpectedRequest
from callsheet.testing.ways import CLOSED, TaskWay, ThreadWay


class FakeTransport:
    """Answers requests by a script: `fake.on("GET", "/users/{id}").respond(503).respond(200, json={...})`.

    It serves Client and AsyncClient: `Client(..., transport=fake)`. Delays and limits are seconds of its `clock`, which the
    client uses as well: the one given here or to the client, else a FrozenClock of its own. A request for which nothing is
    scripted raises UnexpectedRequest.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.is_closed = False
        self._fallback: Route | None = None
        self.routes: list[Route] = []
        self.calls: list[Sent] = []
        """Every request that was sent, in order."""
        self.unexpected: list[Sent] = []
        """The requests for which nothing was scripted."""

    @property
    def clock(self) -> Any:
        """The clock that this transport and its client use."""
        if self._clock is None:
            self._clock = FrozenClock()
        return self._clock

    def agree_on(self, clock: Clock | None) -> Clock:
        """The clock for this transport and a client that was given `clock` or none. Raises UsageError if they have two."""
        if self._clock is None:
            self._clock = clock
        elif clock is not None and clock is not self._clock:
            raise UsageError(
                "the client has one clock and its transport another; give both the same, or only one of them"
            )
        agreed: Clock = self.clock
        return agreed

    def on(self, method: str, path: str) -> Route:
        """The script for a method and a path such as `/users/{id}` or `/users?page=2`, or for an absolute URL.

        `{id}` stands for any one segment. The path may be the end of the URL's path, so that what the base URL begins with can
        be left out. The same method and path give the same script.
        """
        with self._lock:
            known = next((each for each in self.routes if (each.method, each.pattern) == (method.upper(), path)), None)
            if known is None:
                known = Route(method, path)
                self.routes.append(known)
            return known

    def otherwise(self) -> Route:
        """The script for every request that no other script is for."""
        with self._lock:
            if self._fallback is None:
                self._fallback = Route("*", "*")
            return self._fallback

    def calls_to(self, method: str, path: str) -> list[Sent]:
        """The requests that the script of `on(method, path)` answered. Raises UsageError if there is no such script."""
        known = next((each for each in self.routes if (each.method, each.pattern) == (method.upper(), path)), None)
        if known is None:
            raise UsageError(
                f"calls_to: nothing is scripted for {method.upper()} {path}; scripted are: {self._scripted()}"
            )
        return known.calls

    def assert_all_called(self) -> None:
        """Raise AssertionError if an answer was scripted that no request asked for, or a request came that had no script."""
        routes = [*self.routes, self._fallback] if self._fallback else self.routes
        unused = [f"{route}: {route.unused} more" for route in routes if route.unused]
        if unused:
            raise AssertionError(f"scripted, and never asked for: {'; '.join(unused)}")
        if self.unexpected:
            asked = "; ".join(f"{sent.method} {sent.shown_url}" for sent in self.unexpected)
            raise AssertionError(f"asked for, and not scripted: {asked}; scripted are: {self._scripted()}")

    def step_for(self, request: Request, content: bytes) -> tuple[ScriptStep, Sent]:
        """The next step of the script for a request. Raises UnexpectedRequest if none is left, UsageError when closed."""
        if self.is_closed:
            raise UsageError(CLOSED)
        sent = sent_of(request, content, self.clock.now())
        self.calls.append(sent)
        for route in self._routes_for(sent):
            step = route.next_step(sent)
            if step is not None:
                return step, sent
        self.unexpected.append(sent)
        raise UnexpectedRequest(
            f"no answer is scripted for {request.method} {request.url}; scripted are: {self._scripted()}",
            request=request.redacted(),
        )

    def _routes_for(self, sent: Sent) -> list[Route]:
        """The scripts that fit the request: for its whole path, then for the end of it, then `otherwise`."""
        by_closeness = [[route for route in self.routes if route.matches(sent, whole=whole)] for whole in (True, False)]
        return [*by_closeness[0], *by_closeness[1], *([self._fallback] if self._fallback else [])]

    def _scripted(self) -> str:
        return ", ".join(map(repr, self.routes)) or "nothing"

    def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """Answer a thread as the script says, within the limits."""
        step, sent = self.step_for(request, content_of(request))
        return finish(answer(step, sent, request, limits, ThreadWay(self.clock, lambda: self.is_closed)))

    @property
    def asynchronous(self) -> TaskFake:
        """The transport that an AsyncClient takes, with the same script."""
        return TaskFake(self)

    def close(self) -> None:
        """Refuse further requests (UsageError)."""
        self.is_closed = True


class TaskFake:
    """A FakeTransport as an AsyncClient sees it."""

    def __init__(self, fake: FakeTransport) -> None:
        self.fake = fake

    async def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """Answer a task as the script says, within the limits."""
        step, sent = self.fake.step_for(request, await task_content_of(request))
        return await answer(step, sent, request, limits, TaskWay(self.fake.clock, lambda: self.fake.is_closed))

    async def aclose(self) -> None:
        """Refuse further requests (UsageError)."""
        self.fake.close()
