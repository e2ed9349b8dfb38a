"""When a frozen clock may jump although other threads are alive.

Whether another thread is about to use the clock cannot be known. So somebody who waits looks around a millisecond apart, and
takes it to be quiet once, for some looks in a row, nothing happened on the clock, nobody is known to be at work, and every
other thread was blocked where it was before. Each look but the first comes after a wait without the interpreter's lock:
a thread that wants that lock has it by then, or is ready to run and only lacks a processor, which the system tells. What
never becomes quiet is overdue in the end, for a clock that stands would hang the test.
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
"""Where Linux tells which thread is ready to run."""
LOOKS = 3 if STATES.exists() else 15
"""Looks in a row at which nobody was seen at work; more where the system does not tell."""
PATIENCE = 0.25
"""Real seconds without a wait or a request that began or ended, after which nobody is taken to be at work any more."""
PATIENT_LOOKS = 20
"""Looks within that time: one thread that computes keeps all others from looking, and is no sign of anything."""
Position = tuple[int, int]


class Quiet:
    """Looks around until nobody is at work."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._positions: dict[int, Position] = {}
        self._still = 0
        self._looks = 0
        self._since = time.monotonic()
        self.seen = timeline.moves

    def is_over(self) -> bool:
        """Whether the clock may jump, if nothing more than `seen` has happened until then. Ask once in a PAUSE."""
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
        """Whether nothing has happened for so long that whoever is at work must wait for something else."""
        self._begin_anew_if_moved()
        self._looks += 1
        return self._looks > PATIENT_LOOKS and time.monotonic() - self._since >= PATIENCE

    def _begin_anew_if_moved(self) -> None:
        moves = self._timeline.moves
        if moves != self.seen:
            self.seen, self._since, self._still, self._looks = moves, time.monotonic(), 0, 0

    def is_certain(self) -> bool:
        """Whether the thread that asks is the only one there is."""
        self._begin_anew_if_moved()
        return threading.active_count() == 1 and not self._timeline.is_worked

    def is_certain_in(self, loop: Any) -> bool:
        """Whether only tasks of this loop can be using the clock: threads older than it that never asked do not count."""
        self._begin_anew_if_moved()
        if not self._timeline.is_the_only_place(loop):
            return False
        return self._timeline.users_alive() == {threading.current_thread()}

    def _positions_of_others(self) -> dict[int, Position]:
        """Where each thread is that does not wait on the clock: it is somewhere else as long as it computes."""
        frames = sys._current_frames()  # noqa: SLF001 documented, whatever its name says
        waiting = self._timeline.waiting_threads() | {threading.get_ident()}
        return {thread: (id(frame), frame.f_lasti) for thread, frame in frames.items() if thread not in waiting}


def _is_ready_to_run(threads: dict[int, Position]) -> bool:
    """Whether one of these threads runs, or would if it had a processor; false where the system does not tell."""
    return any(
        _state(thread.native_id) == b"R"
        for thread in threading.enumerate()
        if thread.ident in threads and thread.native_id
    )


def _state(native_id: int | None) -> bytes:
    """The state of a thread (proc_pid_stat(5)), b"" if it is not told."""
    try:
        told = (STATES / str(native_id) / "stat").read_bytes()
    except OSError:
        return b""
    return told.rpartition(b")")[2].strip()[:1]
