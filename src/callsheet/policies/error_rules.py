"""Say what an answer means, where its status does not.

Many services answer 200 and tell in the body that they are busy, that a token has expired, or that an order was refused;
others use one status for what may pass and for what may not. Retry, breaker, limiter and the caller all need to know which
it was, so it is said once, before any of them is told.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from callsheet.call import Attempt, Meaning
from callsheet.errors import (
    ApplicationError,
    RateLimited,
    ResponseError,
    Unauthorized,
    ValidationError,
    error_for_status,
    response_error,
)
from callsheet.http.json import dumps
from callsheet.http.json_path import MISSING, JSONPath
from callsheet.http.response import Response
from callsheet.settings.envelope import BodyTest
from callsheet.settings.envelope import Envelope as EnvelopeSettings
from callsheet.settings.error_rules import Consequence, ErrorRule

MEANINGS: dict[Consequence, Meaning] = {
    "fail": "failed",
    "retry": "transient",
    "ignore": "ignored",
    "rate_limited": "rate_limited",
    "refresh_token": "unauthorized",
}
ERRORS: dict[Meaning, type[ResponseError]] = {"rate_limited": RateLimited, "unauthorized": Unauthorized}
"""What is raised for these whatever the status; for any other meaning the status says it."""


class ErrorRules:
    """The rules of `errors`, in order, and the `envelope`, which is asked where no rule says anything.

    Of an answer that is read as it comes only the status is known: rules that look at a body, and the envelope, say nothing.
    """

    name = "errors"

    def __init__(self, rules: tuple[ErrorRule, ...], envelope: EnvelopeSettings | None) -> None:
        self.envelope = Envelope(envelope) if envelope is not None else None
        self.told = self.envelope.told if self.envelope else Told(None, None)
        self.rules = tuple(Rule(rule, self.told) for rule in rules)
        self.rules_of_streams = tuple(rule for rule in self.rules if rule.test is None)

    def after(self, attempt: Attempt, now: float) -> None:
        """Note on the attempt what its answer means; nothing where its status says it, or there is none."""
        answer = attempt.outcome
        if not isinstance(answer, Response):
            return
        is_stream = attempt.request.is_stream
        rule = self.rule_of_stream(answer) if is_stream else self.rule_for(answer)
        if rule is not None:
            attempt.meaning = rule.meaning
        elif not is_stream and self._has_failed(answer):
            attempt.meaning = "failed"

    def rule_for(self, answer: Response) -> Rule | None:
        """The first rule that fits an answer that is whole."""
        return next((rule for rule in self.rules if rule.fits(answer)), None)

    def rule_of_stream(self, answer: Response) -> Rule | None:
        """The first rule that fits an answer by its status alone."""
        return next((rule for rule in self.rules_of_streams if rule.fits(answer)), None)

    def error_for(self, answer: Response, rule: Rule | None) -> ResponseError | None:
        """What an answer raises under its rule; without one, under its status and the envelope. None for a success."""
        if rule is not None:
            return rule.error_for(answer)
        if answer.status_code >= 400:
            return self.told.error_for(answer, None)
        return self.told.error_for(answer, "failed") if self._has_failed(answer) else None

    def is_success(self, answer: Response) -> bool:
        """Whether an answer would be a success without any rule."""
        return answer.status_code < 300 and not self._has_failed(answer)

    def _has_failed(self, answer: Response) -> bool:
        return self.envelope is not None and self.envelope.has_failed(answer)


class ValueTest:
    """A test of one value of a JSON body, compiled."""

    def __init__(self, settings: BodyTest) -> None:
        self.path = JSONPath(settings.path)
        self._equals = None if settings.equals is None else frozenset(map(_typed, settings.equals))
        self._pattern = None if settings.matches is None else re.compile(settings.matches)

    def holds(self, value: Any) -> bool:
        """Whether a value passes; MISSING never does."""
        if value is MISSING:
            return False
        if self._equals is not None:
            return isinstance(value, str | int | float | None) and _typed(value) in self._equals
        if self._pattern is not None:
            return isinstance(value, str | int | float) and self._pattern.search(text_of(value)) is not None
        return value is not None


def _typed(value: Any) -> tuple[bool, Any]:
    """True and false are no numbers in JSON, as they are in Python."""
    return isinstance(value, bool), value


class Told(NamedTuple):
    """Where a body says which failure it was, and in which words."""

    code: JSONPath | None
    message: JSONPath | None

    def error_for(
        self, answer: Response, meaning: Meaning | None, kind: type[ResponseError] | None = None
    ) -> ResponseError:
        """The error that an answer stands for: of this kind, else of its status, else an ApplicationError."""
        if kind is None:
            kind = error_for_status(answer.status_code) if answer.status_code >= 400 else ApplicationError
        code, message = self._code(answer), self._message(answer)
        shown = "" if code is None or isinstance(code, bool) else text_of(code)
        error = kind(answer.summary(message, code=shown), code=code, meaning=meaning, **answer.facts())
        error.message = message
        return error

    def _code(self, answer: Response) -> Any:
        found = MISSING if self.code is None else self.code.find(answer.document())
        if isinstance(found, str):
            return answer.masked(found)
        return found if isinstance(found, int | float) else None

    def _message(self, answer: Response) -> str | None:
        found = MISSING if self.message is None else self.message.find(answer.document())
        return None if found is MISSING or found is None else answer.masked(text_of(found)) or None


def text_of(value: Any) -> str:
    """A text as it is, anything else as JSON."""
    return value if isinstance(value, str) else dumps(value).decode()


class Rule:
    """One rule, compiled."""

    def __init__(self, settings: ErrorRule, envelope: Told) -> None:
        self.meaning = MEANINGS[settings.then]
        self.test = ValueTest(settings.body) if settings.body is not None else None
        self._statuses = _expanded(settings.statuses)
        self._kind = response_error(settings.raises) if settings.raises else ERRORS.get(self.meaning)
        self._told = Told(self.test.path if self.test else envelope.code, _path(settings.message) or envelope.message)

    def fits(self, answer: Response) -> bool:
        """Whether the answer is one of those it is about."""
        if self._statuses and answer.status_code not in self._statuses:
            return False
        return self.test is None or self.test.holds(self.test.path.find(answer.document()))

    def error_for(self, answer: Response) -> ResponseError | None:
        """What the answer raises; None where it is to be ignored."""
        return None if self.meaning == "ignored" else self._told.error_for(answer, self.meaning, self._kind)


def _expanded(statuses: tuple[int | str, ...]) -> frozenset[int]:
    """Each status; those of a class one by one."""
    listed: set[int] = set()
    for status in statuses:
        listed.update([status] if isinstance(status, int) else range(int(status[0]) * 100, int(status[0]) * 100 + 100))
    return frozenset(listed)


def _path(text: str | None) -> JSONPath | None:
    return JSONPath(text) if text is not None else None


class Envelope:
    """Tells by the body whether an answer of 2xx is a success, and where its data is."""

    def __init__(self, settings: EnvelopeSettings) -> None:
        self.test = ValueTest(settings.ok) if settings.ok is not None else None
        self.data = _path(settings.data)
        self.told = Told(self.test.path if self.test else None, _path(settings.message))
        self._expected = self.test.path if self.test else self.data
        """What no envelope lacks; a success without data may leave its `data` out."""

    @property
    def data_at(self) -> tuple[str | int, ...]:
        """Where the data stands, step by step."""
        return self.data.names if self.data else ()

    def has_failed(self, answer: Response) -> bool:
        """Whether it says that it failed. What is no envelope says nothing."""
        if self.test is None or not 200 <= answer.status_code < 300:
            return False
        value = self.test.path.find(answer.document())
        return value is not MISSING and not self.test.holds(value)

    def opened(self, answer: Response) -> Any:
        """The data of a success; MISSING if there is none. Raises DecodeError, ValidationError for what is no envelope."""
        document = answer.json()
        if self._expected is not None and self._expected.find(document) is MISSING:
            raise _no_envelope(answer, self._expected)
        return document if self.data is None else self.data.find(document)


def _no_envelope(answer: Response, expected: JSONPath) -> ValidationError:
    message = f"{answer.status_code}: the answer is no envelope: expected a value at `{expected.text}`"
    missing = {"type": "missing", "loc": expected.names, "msg": "Field required"}
    return ValidationError(message, errors=(missing,), **answer.facts())
