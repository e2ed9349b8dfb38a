"""Retry failures that may pass, and never a request that might then be carried out twice.

Most failures of a network are over a moment later. A second request is safe only if the first was never sent, if the
service says that it did not process it (429), or if sending it twice does the same as sending it once.
"""

from __future__ import annotations

from collections.abc import Callable

from callsheet.arithmetic.backoff import pause
from callsheet.arithmetic.retry_after import told_pause
from callsheet.call import Attempt, Meaning
from callsheet.errors import NoAnswer, NotSent
from callsheet.http.response import Response
from callsheet.policies.scope import Own, Scope
from callsheet.settings.retry import UNPROCESSED_REPEATS
from callsheet.settings.retry import Retry as RetrySettings
from callsheet.settings.settings import Settings
from callsheet.verdicts import GiveUp, TryAgain


class Retry:
    """Ask for another attempt after a failure that may pass.

    `pick` draws the jitter, 0 to 1; `wall_clock` is the time of day, for a Retry-After that is a date.
    """

    name = "retry"

    def __init__(self, settings: RetrySettings, pick: Callable[[], float], wall_clock: Callable[[], float]) -> None:
        self.settings = settings
        self.pick = pick
        self.wall_clock = wall_clock

    def after(self, attempt: Attempt, now: float) -> TryAgain | GiveUp | None:
        """Another attempt; `GiveUp` if one is due and something forbids it; None if none is due."""
        outcome = attempt.outcome
        if isinstance(outcome, Response):
            return self._after_answer(attempt, outcome, now)
        if isinstance(outcome, NoAnswer):
            if not self._may_repeat(attempt):
                return self._unrepeatable(attempt)
        elif not isinstance(outcome, NotSent) or outcome.is_local:
            return None
        if not outcome.on_kept_connection:
            return self._again(attempt, now, self._pause(attempt))
        if isinstance(outcome, NoAnswer):
            return self._again(attempt, now, 0.0, fresh=True)
        return self._after_refusal(attempt, now)

    def _after_refusal(self, attempt: Attempt, now: float) -> TryAgain | GiveUp | None:
        """Once again as it is, which joins the connection that the others took to; then on a connection of its own.

        Many requests at once may be refused by one connection after the other. The first on a new one is not.
        """
        call = attempt.call
        before: int = call.notes.get(self, 0)
        if before >= UNPROCESSED_REPEATS:
            return self._again(attempt, now, self._pause(attempt), fresh=True)
        call.notes[self] = before + 1
        call.uncharged += 1
        return self._again(attempt, now, 0.0, fresh=before > 0)

    def _after_answer(self, attempt: Attempt, answer: Response, now: float) -> TryAgain | GiveUp | None:
        meaning = attempt.meaning or self._meaning(answer.status_code)
        if meaning not in ("rate_limited", "transient"):
            return None
        is_throttled = meaning == "rate_limited"
        if not is_throttled and not self._may_repeat(attempt):
            return self._unrepeatable(attempt)
        asked = told_pause(answer, self.wall_clock())
        return self._again(attempt, now, self._pause(attempt, asked, is_throttled=is_throttled))

    def _meaning(self, status: int) -> Meaning | None:
        if status not in self.settings.statuses:
            return None
        return "rate_limited" if status == 429 else "transient"

    def _may_repeat(self, attempt: Attempt) -> bool:
        return attempt.call.is_repeatable or attempt.request.method in self.settings.methods

    def _unrepeatable(self, attempt: Attempt) -> GiveUp | None:
        """`GiveUp` where only the method forbids another attempt; None where there would be none, or another policy wants one."""
        return GiveUp("idempotent") if self._has_one_left(attempt) and attempt.again is None else None

    def _has_one_left(self, attempt: Attempt) -> bool:
        return attempt.number - attempt.call.uncharged < self.settings.attempts

    def _pause(self, attempt: Attempt, asked: float | None = None, *, is_throttled: bool = False) -> float:
        if asked:
            return asked
        backoff = self.settings.backoff
        first = backoff.throttled if is_throttled else backoff.first
        return pause(attempt.number - attempt.call.uncharged + 1, first, backoff.max, self.pick())

    def _again(self, attempt: Attempt, now: float, after: float, *, fresh: bool = False) -> TryAgain | GiveUp | None:
        if not self._has_one_left(attempt):
            return None
        body = attempt.request.body
        if body is not None and not body.is_replayable:
            return GiveUp("body")
        if now + after >= attempt.call.deadline:
            return GiveUp("deadline")
        return TryAgain(after, fresh)


def make(settings: Settings, scope: Scope, own: Own) -> tuple[Retry, ...]:
    """The policy, unless retries are off."""
    return () if settings.retry is None else (Retry(settings.retry, scope.pick, scope.wall_clock),)
