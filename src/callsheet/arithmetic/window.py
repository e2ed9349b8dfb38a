"""One rate: the turns given under it, and when there is room for more.

The end of the queue is the turn given last. The turns in the window that ends there (`inside`) count against the next turn.
Turns that have left that window, but not yet the one that ends now, are kept (`passed`): they count again when callers at
the end of the queue give their turns back.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping

from callsheet.arithmetic.shape import Shape, shapes_of
from callsheet.settings.rate_limit import Rate


class TurnGroup:
    """The units of several turns, all counted at the time of the latest."""

    __slots__ = ("at", "units")

    def __init__(self, at: float, units: int) -> None:
        self.at = at
        self.units = units


class Turn:
    """A caller's turn: at the time `at`, `wait` seconds after it asked (0.0: now).

    Its `units` count until it is given back. They are 0 if the turn would come too late and was not reserved; then `at` says
    when it would be, infinity if it never fits.
    """

    __slots__ = ("at", "chunks", "units", "wait")

    def __init__(self, at: float, wait: float, units: int) -> None:
        self.at = at
        self.wait = wait
        self.units = units
        self.chunks: Mapping[Window, TurnGroup] = NO_CHUNKS

    @property
    def is_reserved(self) -> bool:
        """Whether the caller may use the turn; if not, no units were spent."""
        return self.units > 0

    def __repr__(self) -> str:
        return f"Turn(at={self.at}, wait={self.wait}, units={self.units})"


NO_CHUNKS: Mapping[Window, TurnGroup] = {}
Entry = Turn | TurnGroup


class Window:
    """The turns under one rate. `until` is the end of the queue; `used` is the sum of the units `inside`."""

    __slots__ = ("count", "inside", "length", "passed", "until", "used")

    def __init__(self, shape: Shape) -> None:
        self.count = shape.count
        self.length = shape.length
        self.inside: deque[Entry] = deque()
        self.passed: deque[Entry] = deque()
        self.used = 0
        self.until = -math.inf

    def earliest(self, at: float, units: int) -> float:
        """The first time, from `at` on, at which so many more units fit. `at` must not be before the end of the queue."""
        over = self.used + units - self.count
        if over > 0:
            for entry in self.inside:
                over -= entry.units
                if over <= 0:
                    free = entry.at + self.length
                    return free if free > at else at
        return at

    def take(self, turn: Turn, now: float) -> None:
        """Count a turn, the new end of the queue."""
        inside, length, at = self.inside, self.length, turn.at
        inside.append(turn)
        self.used += turn.units
        self.until = at
        while (oldest := inside[0]).at + length <= at:
            self.used -= oldest.units
            inside.popleft()
            if at > now:
                self._sweep(now)
                self.passed.append(oldest)

    def give_back(self, turn: Turn, now: float) -> None:
        """Count a turn no more. If it was the last, the queue ends earlier."""
        if turn in self.inside:
            self.used -= turn.units
            _remove(self.inside, turn)
            self._shorten(now)
        elif turn in self.passed:
            _remove(self.passed, turn)

    def recount(self) -> None:
        """Count anew what an interrupt left half counted."""
        self.used = sum([entry.units for entry in self.inside])
        self.until = self.inside[-1].at if self.inside else -math.inf

    def _shorten(self, now: float) -> None:
        """Move the window to the new end of the queue, after the last turn was given back."""
        self._sweep(now)
        inside, passed = self.inside, self.passed
        while passed and passed[-1].at + self.length > (inside or passed)[-1].at:
            entry = passed.pop()
            inside.appendleft(entry)
            self.used += entry.units
        self.until = inside[-1].at if inside else -math.inf

    def _sweep(self, now: float) -> None:
        """Drop the turns that can never count again."""
        passed = self.passed
        while passed and passed[0].at + self.length <= now:
            passed.popleft()


class CoarseWindow(Window):
    """A window for a large count, which would need too many entries: turns close together share one (a TurnGroup)."""

    __slots__ = ("span",)

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        self.span = shape.span

    def take(self, turn: Turn, now: float) -> None:
        """Count a turn, the new end of the queue."""
        super().take(turn, now)
        inside = self.inside
        inside.pop()
        last = inside[-1] if inside else None
        if isinstance(last, TurnGroup) and last.at // self.span == turn.at // self.span:
            last.at = turn.at
            last.units += turn.units
        else:
            last = TurnGroup(turn.at, turn.units)
            inside.append(last)
        chunks: dict[Window, TurnGroup] = dict(turn.chunks)
        chunks[self] = last
        turn.chunks = chunks

    def give_back(self, turn: Turn, now: float) -> None:
        """Count a turn no more. The queue ends earlier once its last group has no units left."""
        chunk = turn.chunks.get(self)
        if chunk is None:
            return
        chunk.units -= turn.units
        if chunk in self.inside:
            self.used -= turn.units
            if not chunk.units:
                _remove(self.inside, chunk)
                self._shorten(now)
        elif not chunk.units and chunk in self.passed:
            _remove(self.passed, chunk)


def windows_of(rates: tuple[Rate, ...]) -> list[Window]:
    """Empty windows for these rates. Exact ones are first, because the first window must know the end of the queue."""
    return [CoarseWindow(shape) if shape.span else Window(shape) for shape in shapes_of(rates)]


def _remove(entries: deque[Entry], entry: Entry) -> None:
    if entries[-1] is entry:  # which is the usual case
        entries.pop()
    else:
        entries.remove(entry)
