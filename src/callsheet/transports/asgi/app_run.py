"""Runs an app for one request, and takes its answer."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from io import BytesIO
from typing import Any

from callsheet.call import Limits
from callsheet.errors import APIError, AttemptTimeout, MalformedAnswer, NoAnswer, ResponseTooLarge, UsageError
from callsheet.events import WireFacts
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.response import PHRASES, Response
from callsheet.transports.asgi.body import AppInput
from callsheet.transports.asgi.connection_scope import App, Message
from callsheet.transports.refusals import STREAM_CLOSED, excess_fields, told_length

HIGH_WATER = 1024 * 1024
"""Bytes waiting to be read from which on the `send` of an app that streams waits."""
GONE = "the client is gone"


class AppRun:
    """Runs the app once. `is_started`: the answer has begun; `is_complete`: it is whole; `is_over`: the app has returned."""

    def __init__(self, app: App, scope: dict[str, Any], request: Request, limits: Limits, body: AppInput) -> None:
        self._loop = asyncio.get_running_loop()
        self.request = request
        self._limits = limits
        self._body = body
        self._began = self._moved = self._loop.time()
        self._has_more_body = True
        is_in_memory = request.body is None or request.body.content is not None
        self._sent_at = self._began if is_in_memory else math.inf
        self._first_byte = 0.0
        self._head: Response | None = None
        self._announced: int | None = None
        self._is_bodiless = False
        self._waiting = BytesIO()
        self._total = 0
        self.is_started = self.is_complete = self.is_over = self._is_left = False
        self._failure: BaseException | None = None
        self._app_error: BaseException | None = None
        self._waiters: set[asyncio.Future[None]] = set()
        self.task = self._loop.create_task(self._run(app, scope))

    @property
    def facts(self) -> WireFacts:
        """The measurements so far."""
        sent = 0.0 if self._sent_at == math.inf else self._sent_at - self._began
        return WireFacts(
            sent=sent, first_byte=self._first_byte, total=self._loop.time() - self._began, http_version="1.1"
        )

    async def _run(self, app: App, scope: dict[str, Any]) -> None:
        try:
            await app(scope, self._receive, self._send)
        except (Exception, SystemExit) as error:  # noqa: BLE001 raised or reported in `_check_app`
            self._app_error = error
        finally:
            self.is_over = True
            self._wake()
            await self._body.close()

    async def _receive(self) -> Message:
        if self._has_more_body and not self._is_left:
            try:
                piece, self._has_more_body = await self._body.next_piece()
            except Exception as error:  # noqa: BLE001 raised where the answer is awaited
                self._fail(error)
                return {"type": "http.disconnect"}
            self._moved = self._loop.time()
            if not self._has_more_body:
                self._sent_at = min(self._sent_at, self._moved)
                self._wake()
            return {"type": "http.request", "body": piece, "more_body": self._has_more_body}
        while not (self._is_left or self.is_complete):
            await self._change(math.inf)
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if self._is_left:
            raise OSError(GONE)
        kind = message["type"]
        if kind == "http.response.start" and self._head is None:
            self._begin(message)
        elif kind == "http.response.body" and self._head is not None and not self.is_complete:
            await self._take(bytes(message.get("body", b"")), is_last=not message.get("more_body", False))
        else:
            raise RuntimeError(f"the app sent {kind!r} where the ASGI specification does not allow it")

    def _begin(self, message: Message) -> None:
        status = message["status"]
        lines = [(bytes(name).decode("latin-1"), bytes(value).decode("latin-1")) for name, value in message["headers"]]
        self._head = head = Response(
            status, request=self.request, headers=Headers(lines), reason_phrase=PHRASES.get(status, "")
        )
        self._is_bodiless = self.request.method == "HEAD" or status in (204, 304)
        self._check_head(lines)
        if not self._is_bodiless:
            self._announced = self._length(head)
        if self._announced is not None:
            self._check_size(self._announced)

    def _length(self, head: Response) -> int | None:
        try:
            return told_length(head.headers.get_list("content-length"))
        except ValueError as error:
            self._fail(self._broken(str(error)))
            return None

    def _check_head(self, lines: list[tuple[str, str]]) -> None:
        size = sum(len(name) + len(value) + 4 for name, value in lines)
        excess = excess_fields(self._limits.caps, len(lines), size)
        if excess is not None:
            self._fail(MalformedAnswer(excess, request=self.request.redacted()))

    def _check_size(self, size: int) -> None:
        cap = self._limits.caps.response
        if size > cap and not self.request.is_stream and self._head is not None:
            message = f"the answer is larger than {cap} bytes (caps.response)"
            self._fail(ResponseTooLarge(message, **self._head.facts()))
        if self._is_left:
            raise OSError(GONE)

    async def _take(self, piece: bytes, *, is_last: bool) -> None:
        self._moved = self._loop.time()
        self._first_byte = self._first_byte or self._moved - self._began
        piece = b"" if self._is_bodiless else piece
        self._total += len(piece)
        if self._announced is not None and self._total > self._announced:
            raise RuntimeError(f"the app sent more than the {self._announced} bytes of its Content-Length")
        self._check_size(self._total)
        self._waiting.write(piece)  # joined as they come: kept apart, short ones take many times their size
        self.is_started = True
        if is_last:
            self._end()
        self._wake()
        while self.request.is_stream and self._waiting.tell() >= HIGH_WATER and not is_last:
            await self._change(math.inf)
            if self._is_left:
                raise OSError(GONE)

    def _end(self) -> None:
        missing = 0 if self._announced is None else self._announced - self._total
        self.is_complete = not missing
        if missing:
            self._failure = self._failure or self._broken(f"body breaks off: {missing} bytes missing")

    def _broken(self, message: str) -> NoAnswer:
        return MalformedAnswer(message, was_sent=True, request=self.request.redacted())

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self.leave()

    def leave(self) -> None:
        """Tell the app that its caller is gone. It may go on running."""
        self._is_left = True
        self._wake()

    def abort(self, error: APIError) -> None:
        """Fail with this error, and cancel the app."""
        self._fail(error)
        self.task.cancel()

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def _change(self, until: float) -> None:
        """Wait for the next `_wake`, at most until that time of the loop."""
        waiter = self._loop.create_future()
        self._waiters.add(waiter)
        try:
            await asyncio.wait({waiter}, timeout=None if until == math.inf else max(until - self._loop.time(), 0))
        finally:
            self._waiters.discard(waiter)

    async def _until(self, fact: Callable[[], bool], due: Callable[[], float], limit: str) -> None:
        """Wait until `fact` is true. Raises what failed, or AttemptTimeout with the text `limit`."""
        try:
            await self._wait(fact, due, limit)
        except BaseException:
            self.leave()
            raise
        if self._failure is not None:
            raise self._failure

    async def _wait(self, fact: Callable[[], bool], due: Callable[[], float], limit: str) -> None:
        quiet = math.inf if self._limits.read is None else self._limits.read
        while self._failure is None and not fact():
            now, end = self._loop.time(), due()
            if now >= end:
                raise self._timeout(limit)
            if now >= self._moved + quiet:
                raise self._timeout(f"no byte for {quiet:g} s (timeout.read)")
            await self._change(min(end, self._moved + quiet))

    def _timeout(self, limit: str) -> AttemptTimeout:
        return AttemptTimeout(limit, was_sent=True, request=self.request.redacted())

    def _due(self) -> float:
        return self._sent_at + self._limits.attempt

    async def whole(self, *, raises: bool) -> Response:
        """The answer with its body, once the app has returned: its work after the answer is then done, too."""
        limit = f"not answered within {self._limits.attempt:g} s (timeout.attempt)"
        try:
            await self._until(lambda: self.is_over, self._due, limit)
        except AttemptTimeout:
            if not self.is_complete:
                raise
        self._check_app(raises=raises)
        return self._answer(self._waiting.getvalue())

    async def begun(self, *, raises: bool) -> Response:
        """The answer once it has begun; `read` reads its body."""
        limit = f"no headers within {self._limits.attempt:g} s (timeout.attempt)"
        await self._until(lambda: self.is_started or self.is_over, self._due, limit)
        if not self.is_started:
            self._check_app(raises=raises)
        return self._answer(b"")

    def _answer(self, content: bytes) -> Response:
        head = self._head
        if head is None or not self.is_started:  # the app raised, and `raise_app_exceptions` is off
            fields = Headers({"content-type": "text/plain; charset=utf-8"})
            content, self.is_complete = b"Internal Server Error", True
            head = Response(500, request=self.request, headers=fields, reason_phrase=PHRASES[500])
            self._waiting.write(content)
        head.decode_with(lambda _: content)
        return head

    def _check_app(self, *, raises: bool) -> None:
        """Raise the app's exception if `raises`, or MalformedAnswer if its answer is not whole."""
        error = self._app_error
        if error is not None and raises:
            raise error
        if self.is_complete or (error is not None and not self.is_started):
            return
        what = "returned" if error is None else f"raised {type(error).__name__}"
        raise self._broken(f"the app {what} {'in the middle of its' if self.is_started else 'without an'} answer")

    def _has_news(self) -> bool:
        return self._waiting.tell() > 0 or self.is_complete or self.is_over or self._is_left

    async def read(self, *, raises: bool) -> bytes:
        """The next bytes, b"" at the end. Raises UsageError if the answer is closed meanwhile."""
        whole = self._limits.whole
        due = math.inf if whole is None else self._began + whole
        self._moved = self._loop.time()
        limit = "" if whole is None else f"not complete within {whole:g} s (timeout.total)"
        await self._until(self._has_news, lambda: due, limit)
        if self._is_left:
            raise UsageError(STREAM_CLOSED)
        if self._waiting.tell():
            taken, self._waiting = self._waiting.getvalue(), BytesIO()
            self._wake()
            return taken
        self._check_app(raises=raises)
        return b""


class TaskReading:
    """The body of an app's answer, read by a task."""

    def __init__(self, exchange: AppRun, *, raises: bool) -> None:
        self.exchange = exchange
        self._raises = raises
        self._is_closed = False

    @property
    def facts(self) -> WireFacts:
        """The measurements so far."""
        return self.exchange.facts

    async def read(self) -> bytes:
        """The next bytes, b"" at the end. Raises NoAnswer if the body breaks off, or what the app raised."""
        if self._is_closed:
            raise UsageError(STREAM_CLOSED)
        return await self.exchange.read(raises=self._raises)

    def close(self) -> None:
        """Tell the app that its caller is gone. Closing twice does nothing."""
        if not self._is_closed:
            self._is_closed = True
            self.exchange.leave()
