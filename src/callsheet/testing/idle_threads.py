"""When a frozen clock may jump although other threads are alive.

Whether another thread is about to use the clock cannot be known. So a thread or task that waits looks every millisecond,
and lets the clock jump once, for some looks in a row, nothing happened on the clock, no thread or task is known to be at
work, and every other thread was blocked where it was before. Before each look but the first it waits without the
interpreter's lock: a thread that wants that lock has it by then, or is ready to run and lacks a processor, which the system
tells. If it never becomes quiet, the clock jumps in the end, since a clock that stands would hang the test.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import Any

from callsheet.testing.timeline import Timeline

PAUSE = 0.001
"""Real seconds between two looks."""
STATES = Path("/proc/self/task")
"""Where Linux says which threads are ready to run."""
LOOKS = 3 if STATES.exists() else 15
"""Looks in a row at which no thread may be seen at work; more of them where the system does not say which run."""
PATIENCE = 0.25
"""Real seconds in which no wait or request began or ended, after which the clock jumps although a thread seems to work."""
PATIENT_LOOKS = 20
"""Looks that must fall into that time: if a computing thread kept others from looking, the time proves nothing."""
Position = tuple[int, int]


class Quiet:
    """Looks whether other threads are at work, for one thread or event loop that waits."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._positions: dict[int, Position] = {}
        self._still = 0
        self._looks = 0
        self._since = time.monotonic()
        self.seen = timeline.moves

    def is_over(self) -> bool:
        """Whether the clock may jump, unless its moves exceed `seen` when it does. Ask once in a PAUSE."""
        if self.is_overdue():
            return True
        positions = self._positions_of_others()
        if positions != self._positions or self._timeline.is_worked:
            self._positions, self._still = positions, 0
            return False
        self._still += 1
        if self._still < LOOKS:
            return False
        if _is_ready_to_run(positions):
            self._still = 0
            return False
        return True

    def is_overdue(self) -> bool:
        """Whether nothing has happened for so long that threads which seem to work must wait for something else."""
        self._begin_anew_if_moved()
        self._looks += 1
        return self._looks > PATIENT_LOOKS and time.monotonic() - self._since >= PATIENCE

    def _begin_anew_if_moved(self) -> None:
        moves = self._timeline.moves
        if moves != self.seen:
            self.seen, self._since, self._still, self._looks = moves, time.monotonic(), 0, 0

    def is_certain(self) -> bool:
        """Whether the calling thread is the only one, so that the clock may jump at once."""
        self._begin_anew_if_moved()
        return threading.active_count() == 1 and not self._timeline.is_worked

    def is_certain_in(self, loop: Any) -> bool:
        """Whether only tasks of this loop can use the clock. Threads that are older than it and never asked it do not count."""
        self._begin_anew_if_moved()
        if not self._timeline.is_the_only_place(loop):
            return False
        return self._timeline.users_alive() == {threading.current_thread()}

    def _positions_of_others(self) -> dict[int, Position]:
        """The place in its code of each thread that does not wait on the clock: while a thread computes, it changes."""
        frames = sys._current_frames()  # noqa: SLF001 documented, whatever its name says
        waiting = self._timeline.waiting_threads() | {threading.get_ident()}
        return {thread: (id(frame), frame.f_lasti) for thread, frame in frames.items() if thread not in waiting}


def _is_ready_to_run(threads: dict[int, Position]) -> bool:
    """Whether one of these threads runs, or would if it had a processor; False where the system does not say."""
    return any(
        _state(thread.native_id) == b"R"
        for thread in threading.enumerate()
        if thread.ident in threads and thread.native_id
    )


def _state(native_id: int | None) -> bytes:
    """The state of a thread (proc_pid_stat(5)), b"" if the system does not say."""
    try:
        told = (STATES / str(native_id) / "stat").read_bytes()
    except OSError:
        return b""
    return told.rpartition(b")")[2].strip()[:1]
