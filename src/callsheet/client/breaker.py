"""A circuit breaker as its user sees it: to be read, and held open or closed."""

from __future__ import annotations

from callsheet.engine.io import Io
from callsheet.engine.tell import tell
from callsheet.events import NO_CALL, BreakerChanged, Listener, by_event
from callsheet.policies.breaker import AnyBreaker, State


class BreakerControl:
    """The circuit breaker of a service, or of one operation: its state, and the switch for it."""

    def __init__(
        self, breaker: AnyBreaker, io: Io, service: str, operation: str, listeners: tuple[Listener, ...]
    ) -> None:
        self._breaker = breaker
        self._now = io.now
        self._wall = io.wall
        self._names = service, operation
        self._told = by_event(listeners)

    @property
    def state(self) -> State:
        """`closed`, `open`, `half-open`, `forced-open` or `forced-closed`. An open one changes with the next call."""
        return self._breaker.state

    @property
    def failures(self) -> int:
        """Failed attempts that are counted now: since the last success, or below a `ratio` of 100% in the window."""
        return self._counted()[0]

    @property
    def samples(self) -> int:
        """All attempts that are counted now, failed or not."""
        return self._counted()[1]

    @property
    def seconds_left(self) -> float:
        """Seconds until an open breaker lets a probe through; 0.0 in any other state."""
        return max(0.0, self._breaker.until - self._now()) if self._breaker.state == "open" else 0.0

    def force_open(self) -> None:
        """Refuse every call until `force_closed` or `reset`: before maintenance, or when a service does harm."""
        self._force("forced-open")

    def force_closed(self) -> None:
        """Let every call through, whatever happens, until `force_open` or `reset`."""
        self._force("forced-closed")

    def reset(self) -> None:
        """Begin anew: closed, nothing counted, opening by itself again."""
        self._force("closed")

    def _force(self, state: State) -> None:
        self._breaker.force(state, self._now())
        service, operation = self._names
        facts = NO_CALL._replace(service=service, operation=operation, began=self._wall())
        tell(self._told, BreakerChanged(*facts, state, 0, 0, 0.0))

    def _counted(self) -> tuple[int, int]:
        return self._breaker.counted(self._now())

    def __repr__(self) -> str:
        failures, samples = self._counted()
        return f"<BreakerControl {'.'.join(filter(None, self._names))} {self.state}: {failures} of {samples} failed>"
