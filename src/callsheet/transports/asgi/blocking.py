"""The transport that runs an app on an event loop of its own, for calling threads."""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, Self, TypeVar

from callsheet.call import Limits
from callsheet.errors import LocalFault, UsageError
from callsheet.events import WireFacts
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.new_thread import new_thread
from callsheet.process.forked import forget_after_fork
from callsheet.transports.asgi.app_run import TaskReading
from callsheet.transports.asgi.asynchronous import CLOSED, AsyncASGITransport
from callsheet.transports.asgi.body import body_of
from callsheet.transports.asgi.connection_scope import App
from callsheet.transports.refusals import OF_PARENT

T = TypeVar("T")
Loop = asyncio.AbstractEventLoop
FROM_INSIDE = (
    "this app calls itself by the transport it runs in, and would wait for ever; give that call a transport of its own"
)


class ASGITransport:
    """Answers a Client's requests by an ASGI app in this process: `Client(..., transport=ASGITransport(app))`.

    The app runs on an event loop in a thread of its own. The thread ends with `close`, with the `with` block, or with the last
    reference to the transport. The arguments are those of AsyncASGITransport.
    """

    def __init__(self, app: App, *, raise_app_exceptions: bool = True, root_path: str = "") -> None:
        self._app = AsyncASGITransport(app, raise_app_exceptions=raise_app_exceptions, root_path=root_path)
        self._lock = threading.Lock()
        self._thread: LoopThread | None = None
        self._is_closed = False
        forget_after_fork(self)

    def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """Run the app for one request and give its answer. Clients call this.

        Raises what the app raised, AttemptTimeout, NoAnswer, ResponseTooLarge, or UsageError once closed.
        """
        thread = self._running()
        errands = Errands(thread.loop)
        body = body_of(request, errands.do, is_blocking=True)
        keeps = False
        try:
            response, facts = errands.serve(self._app.sent(request, limits, body))
            if response.stream is not None:
                keeps = True
                response.stream = ThreadReading(self, response.stream, errands)
        finally:
            if not keeps:
                errands.leave()
        return response, facts

    def _running(self) -> LoopThread:
        with self._lock:
            if self._is_closed:
                raise UsageError(CLOSED)
            if self._thread is None:
                self._thread = LoopThread()
                weakref.finalize(self, self._thread.stop)
            return self._thread

    def close(self) -> None:
        """Cancel the app in every request that it still answers, and end its thread."""
        with self._lock:
            self._is_closed = True
            thread, self._thread = self._thread, None
        if thread is not None:
            asyncio.run_coroutine_threadsafe(self._app.aclose(), thread.loop).result()
            thread.stop()
            thread.join()

    def forget(self) -> None:
        """Start without a thread in a forked child, which has none of the parent's threads."""
        self._lock = threading.Lock()
        self._thread = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


class LoopThread:
    """An event loop in a daemon thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        try:
            self._thread = new_thread("asgi", _run, self.loop)
        except LocalFault:
            self.loop.close()
            raise

    def stop(self) -> None:
        """End the loop and its thread, without waiting."""
        try:
            self.loop.call_soon_threadsafe(self.loop.stop)
        except RuntimeError:  # the loop is closed
            pass

    def join(self) -> None:
        """Wait until the thread has ended."""
        self._thread.join()


def _run(loop: Loop) -> None:
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.get_loop().run_forever()


class Errands:
    """Work that the loop hands to the calling thread, such as reading a body that belongs to that thread."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._queue: SimpleQueue[tuple[Callable[[], Any] | None, Any]] = SimpleQueue()
        self._lock = threading.Lock()
        self._is_left = False

    async def do(self, work: Callable[[], Any]) -> Any:
        """Have the calling thread do the work while it waits in `serve`; after `leave`, do it on the loop."""
        with self._lock:
            is_left = self._is_left
            done = self._loop.create_future()
            if not is_left:
                self._queue.put((work, done))
        return work() if is_left else await done

    def serve(self, steps: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and do the loop's errands until it ends. Gives its result. Raises what it raises."""
        if _running_loop() is self._loop:
            steps.close()
            raise UsageError(FROM_INSIDE)
        future = asyncio.run_coroutine_threadsafe(steps, self._loop)
        future.add_done_callback(lambda done: self._queue.put((None, done)))
        try:
            self._work_until(future)
        except BaseException:
            future.cancel()
            raise
        return future.result()

    def _work_until(self, future: Future[Any]) -> None:
        while True:
            work, done = self._queue.get()
            if work is not None:
                self._carry_out(work, done)
            elif done is future:
                return

    def _carry_out(self, work: Callable[[], Any], done: asyncio.Future[Any]) -> None:
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 it is raised where the loop awaits the work
            self._tell(_settle, done, None, error)
        else:
            self._tell(_settle, done, result, None)

    def leave(self, last: Callable[[], None] | None = None) -> None:
        """Do no more errands, and have the loop call `last`."""
        with self._lock:
            self._is_left = True
        while not self._queue.empty():
            work, done = self._queue.get()
            if work is not None:
                self._tell(_settle, done, None, UsageError("nobody reads this body any more"))
        if last is not None:
            self._tell(last)

    def _tell(self, work: Callable[..., None], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(work, *arguments)
        except RuntimeError:  # the loop is closed, and the app has ended
            pass


def _settle(done: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(result)
    else:
        done.set_exception(error)


def _running_loop() -> Loop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class ThreadReading:
    """The body of an app's answer, read by a thread."""

    def __init__(self, transport: ASGITransport, reading: TaskReading, errands: Errands) -> None:
        self._transport = transport  # keeps the transport, and so its thread, alive
        self._reading = reading
        self._errands = errands
        self._process = os.getpid()

    @property
    def facts(self) -> WireFacts:
        """The measurements so far."""
        return self._reading.facts

    def read(self) -> bytes:
        """The next bytes, b"" at the end. Raises NoAnswer if the body breaks off, or what the app raised.

        Raises UsageError in a forked child, where the app does not run.
        """
        if os.getpid() != self._process:
            raise UsageError(OF_PARENT)
        return self._errands.serve(self._reading.read())

    def close(self) -> None:
        """Tell the app that its caller is gone. Closing twice does nothing."""
        self._errands.leave(self._reading.close)
