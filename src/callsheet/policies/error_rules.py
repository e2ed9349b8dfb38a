"""Say what an answer means if its status does not tell.

Many services answer 200 and say in the body that they are busy, that a token has expired, or that an order was refused;
others use one status for failures that may pass and for those that will not. Retry, breaker, limiter and the caller all
need to know which it was, so this policy says it once, before the others are told the outcome.
"""

from __future__ import annotations

from callsheet.call import Attempt, Meaning
from callsheet.errors import RateLimited, ResponseError, Unauthorized, response_error
from callsheet.http.response import Response
from callsheet.policies.scope import Own, Scope
from callsheet.settings.envelope import Envelope as EnvelopeSettings
from callsheet.settings.error_rules import Consequence, ErrorRule
from callsheet.settings.settings import Settings
from callsheet.values.envelope import Envelope, Told, ValueTest, path_of
from callsheet.verdicts import Interpretation

MEANINGS: dict[Consequence, Meaning] = {
    "fail": "failed",
    "retry": "transient",
    "ignore": "ignored",
    "rate_limited": "rate_limited",
    "refresh_token": "unauthorized",
}
ERRORS: dict[Meaning, type[ResponseError]] = {"rate_limited": RateLimited, "unauthorized": Unauthorized}
"""The error raised for a meaning whatever the status; for any other meaning the status decides."""


class ErrorRules:
    """The rules of `errors`, in order, and the `envelope`, which decides if no rule fits.

    Of a streamed answer only the status is known: rules that test the body, and the envelope, are not asked about it.
    """

    name = "errors"
    reads_answers = True

    def __init__(self, rules: tuple[ErrorRule, ...], envelope: EnvelopeSettings | None) -> None:
        self.envelope = Envelope(envelope) if envelope is not None else None
        self.told = self.envelope.told if self.envelope else Told(None, None)
        self.rules = tuple(CompiledRule(rule, self.told) for rule in rules)
        self.rules_of_streams = tuple(rule for rule in self.rules if rule.test is None)

    def after(self, attempt: Attempt, now: float) -> None:
        """Note on the attempt what its answer means, unless the status tells or there is no answer."""
        answer = attempt.outcome
        if not isinstance(answer, Response):
            return
        is_stream = attempt.request.is_stream
        rule = self.rule_of_stream(answer) if is_stream else self.rule_for(answer)
        if rule is not None:
            attempt.meaning = rule.meaning
        elif not is_stream and self._has_failed(answer):
            attempt.meaning = "failed"

    def rule_for(self, answer: Response) -> CompiledRule | None:
        """The first rule that fits an answer whose body was read."""
        return next((rule for rule in self.rules if rule.fits(answer)), None)

    def rule_of_stream(self, answer: Response) -> CompiledRule | None:
        """The first rule that fits an answer by its status alone."""
        return next((rule for rule in self.rules_of_streams if rule.fits(answer)), None)

    def interpret(self, answer: Response) -> Interpretation:
        """Whether an answer whose body was read is an error (which one), a success, or a failure that a rule ignores."""
        rule = self.rule_for(answer)
        error = self._error_for(answer, rule)
        return Interpretation(error, error is None and rule is not None and not self.is_success(answer))

    def is_success(self, answer: Response) -> bool:
        """Whether an answer would be a success without any rule."""
        return answer.status_code < 300 and not self._has_failed(answer)

    def fails_stream(self, answer: Response) -> bool:
        """Whether a streamed answer is an error, by its status alone."""
        rule = self.rule_of_stream(answer)
        return answer.status_code >= 400 if rule is None else rule.meaning != "ignored"

    def error_of_stream(self, answer: Response) -> ResponseError | None:
        """The error of a streamed answer that `fails_stream`, once the beginning of its body was read."""
        return self._error_for(answer, self.rule_of_stream(answer))

    def _error_for(self, answer: Response, rule: CompiledRule | None) -> ResponseError | None:
        """The error of an answer by its rule; without a rule, by its status and the envelope. None for a success."""
        if rule is not None:
            return rule.error_for(answer)
        if answer.status_code >= 400:
            return self.told.error_for(answer, None)
        return self.told.error_for(answer, "failed") if self._has_failed(answer) else None

    def _has_failed(self, answer: Response) -> bool:
        return self.envelope is not None and self.envelope.has_failed(answer)


class CompiledRule:
    """One rule of `errors`, ready to be applied: paths and patterns are compiled, classes of statuses listed."""

    def __init__(self, settings: ErrorRule, envelope: Told) -> None:
        self.meaning = MEANINGS[settings.then]
        self.test = ValueTest(settings.body) if settings.body is not None else None
        self._statuses = _expanded(settings.statuses)
        self._kind = response_error(settings.raises) if settings.raises else ERRORS.get(self.meaning)
        self._told = Told(self.test.path if self.test else envelope.code, path_of(settings.message) or envelope.message)

    def fits(self, answer: Response) -> bool:
        """Whether the rule applies to this answer, by its status and its body."""
        if self._statuses and answer.status_code not in self._statuses:
            return False
        return self.test is None or self.test.holds(self.test.path.find(answer.document()))

    def error_for(self, answer: Response) -> ResponseError | None:
        """The error that the answer raises; None if the rule says to ignore it."""
        return None if self.meaning == "ignored" else self._told.error_for(answer, self.meaning, self._kind)


def _expanded(statuses: tuple[int | str, ...]) -> frozenset[int]:
    """Every status, with a class such as `5xx` written out."""
    listed: set[int] = set()
    for status in statuses:
        listed.update([status] if isinstance(status, int) else range(int(status[0]) * 100, int(status[0]) * 100 + 100))
    return frozenset(listed)


def make(settings: Settings, scope: Scope, own: Own) -> tuple[ErrorRules, ...]:
    """The policy for the rules and the envelope of an operation; none if it has neither."""
    is_on = settings.errors or settings.envelope is not None
    return (ErrorRules(settings.errors, settings.envelope),) if is_on else ()
