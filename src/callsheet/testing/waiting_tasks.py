"""How tasks wait on a frozen clock: it may jump once their event loop has nothing else to do."""

from __future__ import annotations

import asyncio
from typing import Any

from callsheet.engine.io import TaskTicket as Wakeable
from callsheet.testing.idle_threads import PAUSE, Quiet
from callsheet.testing.timeline import LEASE, Ticket, Timeline

TURNS = 2
"""Turns in a row with nothing else to do before a loop counts as idle: between two turns it has polled its sockets."""
TURNS_OF_FOREIGN_LOOP = 20
"""As TURNS, for a loop that hides its callbacks, as uvloop does: only its tasks and the clock's moves can be seen."""
LOOK_UP = 0.05
"""Real seconds between two looks while no wait ends by itself."""
Loop = asyncio.AbstractEventLoop


class Tasks:
    """The event loops whose tasks wait on one timeline."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self._watches: dict[Loop, IdleWatch] = {}

    def watch(self, loop: Loop) -> IdleWatch:
        """The watch of a loop."""
        if loop not in self._watches:
            self._watches[loop] = IdleWatch(self.timeline, loop)
        return self._watches[loop]


class IdleWatch:
    """While tasks of a loop wait, looks whether the loop is idle, and then lets the clock jump."""

    def __init__(self, timeline: Timeline, loop: Loop) -> None:
        self._timeline = timeline
        self._loop = loop
        self._quiet = Quiet(timeline)
        self._turns = 0
        self._seen = 0
        self._is_looking = False

    def begin(self) -> None:
        """Look from now on: a task has begun to wait."""
        if not self._is_looking:
            self._is_looking = True
            self._loop.call_soon(self._look)

    def _look(self) -> None:
        loop, quiet = self._loop, self._quiet
        if not self._timeline.waits_at[loop]:
            self._is_looking = False
            self._timeline.stop_looking(self)
        elif not self._is_idle() and not quiet.is_overdue():
            loop.call_soon(self._look)
        else:
            self._jump_or_wait()

    def _jump_or_wait(self) -> None:
        loop, quiet = self._loop, self._quiet
        if not quiet.is_certain_in(loop):
            if not self._timeline.lets_look(self):
                loop.call_later(LEASE / 2, self._look)
                return
            if not quiet.is_over():
                loop.call_later(PAUSE, self._look)
                return
        if self._timeline.jump(quiet.seen):
            self._turns = 0
            loop.call_soon(self._look)
        else:
            loop.call_later(LOOK_UP, self._look)

    def _is_idle(self) -> bool:
        ready = getattr(self._loop, "_ready", None)
        moves = self._timeline.moves
        if ready is not None:
            is_busy = bool(ready)
        else:
            is_busy = moves != self._seen or any(map(_is_ready, asyncio.all_tasks(self._loop)))
        self._seen = moves
        self._turns = 0 if is_busy else self._turns + 1
        return self._turns >= (TURNS_OF_FOREIGN_LOOP if ready is None else TURNS)


def _is_ready(task: asyncio.Task[Any]) -> bool:
    # What a task waits for; a kind of task that hides it is not taken to be ready, or the clock would never jump at once.
    waits_for = getattr(task, "_fut_waiter", task)
    return waits_for is None or waits_for.done()


class TaskTicket(Ticket):
    """What tasks wait for on a frozen clock."""

    def __init__(self, tasks: Tasks) -> None:
        super().__init__(tasks.timeline)
        self._tasks = tasks

    async def wait(self, seconds: float) -> bool:
        """Wait until it is granted, so many seconds at most; whether it was granted."""
        loop = asyncio.get_running_loop()
        sleeper = Wakeable()
        wait = self.begin(seconds, sleeper.grant, loop) if seconds > 0 else None
        if wait is not None:
            self._tasks.watch(loop).begin()
            try:
                await sleeper.wait(None)
            finally:
                self.leave(wait)
        return self.is_granted
