"""Many calls at once by threads, for the blocking client."""

from __future__ import annotations

import contextlib
import contextvars
import math
import os
import threading
from collections import deque
from collections.abc import AsyncIterable, Callable, Iterable, Iterator
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Generic, Self, TypeVar

from callsheet.bare_frames import bare
from callsheet.errors import APIError, ArgumentError, LocalFault, UsageError
from callsheet.many.outcome import BUSY, OF_PARENT, OnError, Outcome, T, check_options, is_kept, most_ahead, place
from callsheet.new_thread import new_thread
from callsheet.process.finalized import Finalized, nothing
from callsheet.process.gate import Gate

R = TypeVar("R")

LOOK_UP = 0.5
"""Seconds after which a wait looks for Ctrl-C: Python does not see one that came just before the wait began."""


def map_in_threads(
    call: Callable[[R], T],
    rows: Iterable[R],
    *,
    concurrency: int,
    on_error: OnError = "raise",
    ordered: bool = True,
    when_stopped: Callable[[], object] = nothing,
    ahead: int | None = None,
) -> Outcomes[T]:
    """The outcomes of `call(row)` for every row, with up to `concurrency` calls at once.

    They come in the order of the rows, or as the calls end if not `ordered`. `when_stopped`, a C function, is called when
    nothing more is to begin, perhaps by a finalizer.

    Nothing begins before the first outcome is asked for. Rows may be endless: at most `ahead`, by default twice
    `concurrency`, are taken whose outcomes were not given. They are taken in the thread that iterates; each call runs in
    another, with a copy of its context variables. An error of the rows' own iterator is raised in its place. Raises
    ArgumentError.
    """
    check_options(concurrency, on_error)
    crew = _Crew(call, concurrency, on_error, when_stopped)
    return Outcomes(crew, _iterator(rows), ahead or most_ahead(concurrency), None if ordered else SimpleQueue())


def _iterator(rows: Any) -> Iterator[Any]:
    if isinstance(rows, Iterable):
        return iter(rows)
    hint = "; an AsyncClient takes these" if isinstance(rows, AsyncIterable) else ""
    raise ArgumentError(f"`rows` must be an iterable; found {type(rows).__name__}{hint}")


class Outcomes(Finalized, Generic[T]):
    """What `map` of a Client gives: an Outcome for each row. Iterate over it once, in one thread.

    After `close`, or at the end of a `with` block, no call is in flight. If it is dropped before its end, no further call
    begins, and those that are in flight run to their ends.
    """

    def __init__(
        self, crew: _Crew[T], rows: Iterator[Any], most: int, over: SimpleQueue[_Turn[T]] | None = None
    ) -> None:
        self._crew = crew
        self._rows = rows
        self._most = most
        self._over = over
        """The turns that are over, where outcomes are given as they come; None where they are given in order."""
        self._taken = 0
        self._ahead: deque[_Turn[T]] = deque()
        self._rows_end: Exception | None = None
        self._iterating = threading.Lock()
        self._finally_do(crew.acts_of_stop())

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Outcome[T]:
        self._crew.check_process()
        if not self._iterating.acquire(blocking=False):
            raise UsageError(BUSY)
        try:
            return self._next()
        except BaseException as reason:
            self._end(reason)
            raise
        finally:
            self._iterating.release()

    def _next(self) -> Outcome[T]:
        if self._crew.is_stopped:
            raise StopIteration
        self._take_rows()
        while self._ahead:
            turn = self._next_turn()
            if self._over is None or not turn.is_void:
                return self._given(turn)
            self._ahead.remove(turn)
        raise self._rows_end or StopIteration

    def _next_turn(self) -> _Turn[T]:
        """Wait for the turn whose outcome comes next."""
        while True:
            if self._over is None:
                if self._ahead[0].is_over_within(LOOK_UP):
                    return self._ahead[0]
            else:
                with contextlib.suppress(Empty):
                    return self._over.get(timeout=LOOK_UP)
            self._crew.check_process()

    def _given(self, turn: _Turn[T]) -> Outcome[T]:
        try:
            outcome = turn.outcome()
        except APIError as error:
            place(error, min(each.index for each in self._ahead))
            raise
        self._ahead.remove(turn)
        return outcome

    def _take_rows(self) -> None:
        """Take one row in place of the one given last, then more until the next outcome is known."""
        while self._rows_end is None and len(self._ahead) < self._most and self._crew.begins_more:
            try:
                row = next(self._rows)
            except Exception as end:  # noqa: BLE001 - raised after the outcomes of the rows before it
                self._rows_end = end
                return
            turn: _Turn[T] = _Turn(row, self._taken, self._over)
            self._taken += 1
            self._ahead.append(turn)
            self._crew.hand_over(turn)
            if self._ahead[0].is_over if self._over is None else not self._over.empty():
                return

    def _end(self, reason: BaseException | None) -> None:
        self._crew.stop()
        # Ctrl-C does not wait for the calls in flight.
        if reason is None or isinstance(reason, Exception):
            self._crew.join()

    def close(self) -> None:
        """Begin no further call, and wait for those that are in flight."""
        self._end(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        self._end(error)


class _Turn(Generic[T]):
    """One row and what came of it."""

    __slots__ = ("_context", "_fault", "_outcome", "_over", "_queue", "index", "row")

    def __init__(self, row: Any, index: int, queue: SimpleQueue[_Turn[T]] | None) -> None:
        self.row = row
        self.index = index
        self._context = contextvars.copy_context()
        self._outcome: Outcome[T] | None = None
        self._fault: BaseException | None = None
        self._over = Gate()
        self._queue = queue

    @property
    def is_void(self) -> bool:
        """Whether it is over, and was never carried out."""
        return self._outcome is None and self._fault is None

    @property
    def is_over(self) -> bool:
        """Whether there is an outcome."""
        return self._over.is_open

    def is_over_within(self, seconds: float) -> bool:
        """Wait so long for the outcome, and give whether there is one."""
        return self._over.wait(seconds)

    def carry_out(self, call: Callable[[Any], T], on_error: OnError) -> bool:
        """Make the call; false if what it raised must end everything."""
        # No local name may hold the outcome: a traceback refers to this frame, and would keep a kept error alive.
        try:
            self._outcome = Outcome(self.row, self.index, self._context.run(call, self.row))
        except BaseException as error:  # noqa: BLE001 - raised in the thread that iterates
            bare(error)
            if not is_kept(error, on_error):
                self._fault = error
                return False
            self._outcome = Outcome(self.row, self.index, error=error)  # type: ignore[arg-type]
        return True

    def end(self) -> None:
        """Let `outcome` return; if the turn was not carried out, it raises StopIteration."""
        self._over.open()
        if self._queue is not None:
            self._queue.put(self)

    def outcome(self) -> Outcome[T]:
        """The outcome. Raises the error that ends the iteration, or StopIteration if the call never began."""
        outcome, self._outcome = self._outcome, None
        if outcome is None:
            raise self._fault or StopIteration
        return outcome


class _Crew(Generic[T]):
    """Daemon threads that carry out turns in the order these are handed over.

    Daemons, because a call that hangs must not hold up the end of the program. They hold no reference to the `Outcomes`,
    so that it can be dropped while they work, which ends them.
    """

    def __init__(
        self, call: Callable[[Any], T], concurrency: int, on_error: OnError, when_stopped: Callable[[], object]
    ) -> None:
        self._call = call
        self._concurrency = concurrency
        self._on_error = on_error
        # A SimpleQueue, because a finalizer puts None there, and may interrupt another `put`.
        self.turns: SimpleQueue[_Turn[T] | None] = SimpleQueue()
        self._when_stopped = when_stopped
        self._threads: list[threading.Thread] = []
        self._failing = threading.Lock()
        self._failed_at = math.inf
        self._process = os.getpid()
        self.is_stopped = False

    def check_process(self) -> None:
        """Raise UsageError in a forked child, where the threads do not run."""
        if self._threads and os.getpid() != self._process:
            raise UsageError(OF_PARENT)

    @property
    def begins_more(self) -> bool:
        """Whether a turn handed over now would be carried out."""
        return not self.is_stopped and self._failed_at == math.inf

    def hand_over(self, turn: _Turn[T]) -> None:
        """Have a turn carried out as soon as a thread is free. Raises LocalFault if there is none and none can be started."""
        if len(self._threads) < self._concurrency:
            self._process = os.getpid()
            try:
                self._threads.append(new_thread("map", self._work))
            except LocalFault:
                if not self._threads:
                    raise
        self.turns.put(turn)
        if self.is_stopped:
            # Another thread stopped us, and the turn may be behind the last one in the queue.
            turn.end()

    def _work(self) -> None:
        while self._carry_out_next():
            pass

    def _carry_out_next(self) -> bool:
        turn = self.turns.get()
        if turn is None:
            self.turns.put(None)  # for the next thread
            return False
        # A turn before the one that failed may still be on its way from the queue, and its outcome is wanted.
        may_begin = not self.is_stopped and turn.index < self._failed_at
        if may_begin and not turn.carry_out(self._call, self._on_error):
            with self._failing:
                self._failed_at = min(self._failed_at, turn.index)
        turn.end()
        return True

    def acts_of_stop(self) -> list[Callable[[], object]]:
        """The C functions that `stop` calls, in their order."""
        return [partial(setattr, self, "is_stopped", True), self._when_stopped, partial(self.turns.put, None)]  # noqa: FBT003 that is setattr

    def stop(self) -> None:
        """Begin nothing more. The finalizer of the `Outcomes` does the same."""
        for act in self.acts_of_stop():
            act()

    def join(self) -> None:
        """Wait until the calls in flight are over."""
        for thread in self._threads:
            while thread.is_alive() and thread is not threading.current_thread():
                thread.join(LOOK_UP)
