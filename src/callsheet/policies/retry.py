"""Try again what may pass, and nothing that could happen twice.

Most failures of a network are over a moment later. A second request is safe only if the first was never sent, if the
service says that it did not process it (429), or if sending it twice does the same as sending it once.
"""

from __future__ import annotations

from collections.abc import Callable

from callsheet.arithmetic.backoff import pause
from callsheet.arithmetic.retry_after import seconds_until
from callsheet.call import Attempt
from callsheet.errors import NoAnswer, NotSent
from callsheet.http.response import Response
from callsheet.settings.retry import Retry as RetrySettings
from callsheet.verdicts import GiveUp, TryAgain

TOO_MANY_REQUESTS = 429


class Retry:
    """Ask for another attempt when the last one failed in a way that may pass.

    `pick` draws the jitter, 0 to 1; `wall_clock` is the time of day, for a Retry-After that is a date.
    """

    name = "retry"

    def __init__(self, settings: RetrySettings, pick: Callable[[], float], wall_clock: Callable[[], float]) -> None:
        self.settings = settings
        self.pick = pick
        self.wall_clock = wall_clock

    def after(self, attempt: Attempt, now: float) -> TryAgain | GiveUp | None:
        """Another attempt, or why there is none although the outcome would deserve one."""
        outcome = attempt.outcome
        if isinstance(outcome, Response):
            if outcome.status_code not in self.settings.statuses:
                return None
            asked = seconds_until(outcome.field(b"retry-after"), self.wall_clock())
            if not self._may_repeat(attempt) and outcome.status_code != TOO_MANY_REQUESTS:
                return None
            return self._again(attempt, now, self._pause(attempt, outcome.status_code, asked))
        if not self._may_pass(outcome, attempt):
            return None
        if isinstance(outcome, NoAnswer) and outcome.on_kept_connection:
            return self._again(attempt, now, 0.0, fresh=True)
        return self._again(attempt, now, self._pause(attempt))

    def _may_pass(self, outcome: object, attempt: Attempt) -> bool:
        if isinstance(outcome, NotSent):
            return True
        return isinstance(outcome, NoAnswer) and self._may_repeat(attempt)

    def _may_repeat(self, attempt: Attempt) -> bool:
        return attempt.call.is_repeatable or attempt.request.method in self.settings.methods

    def _pause(self, attempt: Attempt, status: int = 0, asked: float | None = None) -> float:
        if asked:
            return asked
        backoff = self.settings.backoff
        first = backoff.throttled if status == TOO_MANY_REQUESTS else backoff.first
        return pause(attempt.number + 1, first, backoff.max, self.pick())

    def _again(self, attempt: Attempt, now: float, after: float, *, fresh: bool = False) -> TryAgain | GiveUp | None:
        if attempt.number - attempt.call.uncharged >= self.settings.attempts:
            return None
        body = attempt.request.body
        if body is not None and not body.is_replayable:
            return GiveUp("body")
        if now + after >= attempt.call.deadline:
            return GiveUp("deadline")
        return TryAgain(after, fresh)
