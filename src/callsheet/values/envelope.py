"""Envelopes: bodies that say whether the request succeeded, how it failed, and where the data is."""

from __future__ import annotations

from typing import Any, NamedTuple

from callsheet.call import Meaning
from callsheet.errors import ApplicationError, ResponseError, ValidationError, error_for_status
from callsheet.http.json import dumps
from callsheet.http.json_path import MISSING, JSONPath
from callsheet.http.response import Response
from callsheet.settings.envelope import BodyTest
from callsheet.settings.envelope import Envelope as EnvelopeSettings
from callsheet.values.pattern import Pattern


class ValueTest:
    """A compiled test of one value of a JSON body."""

    def __init__(self, settings: BodyTest) -> None:
        self.path = JSONPath(settings.path)
        self._equals = None if settings.equals is None else frozenset(map(_typed, settings.equals))
        self._pattern = None if settings.matches is None else Pattern(settings.matches)

    def holds(self, value: Any) -> bool:
        """Whether a value passes; MISSING never does."""
        if value is MISSING:
            return False
        if self._equals is not None:
            return isinstance(value, str | int | float | None) and _typed(value) in self._equals
        if self._pattern is not None:
            return isinstance(value, str | int | float) and self._pattern.is_in(text_of(value))
        return value is not None


def _typed(value: Any) -> tuple[bool, Any]:
    """The value in a form in which true differs from 1, and false from 0: in Python they are equal, in JSON not."""
    return isinstance(value, bool), value


class Told(NamedTuple):
    """The paths at which a body has the code and the message of a failure."""

    code: JSONPath | None
    message: JSONPath | None

    def error_for(
        self, answer: Response, meaning: Meaning | None, kind: type[ResponseError] | None = None
    ) -> ResponseError:
        """The error for an answer: of the given kind, else of the kind of its status, else an ApplicationError."""
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
    """The value as text: a text itself, any other value as JSON."""
    return value if isinstance(value, str) else dumps(value).decode()


def path_of(text: str | None) -> JSONPath | None:
    """The path in a setting; None for a setting that is None."""
    return JSONPath(text) if text is not None else None


class Envelope:
    """Decides by the body whether an answer of 2xx is a success, and finds the data in it."""

    def __init__(self, settings: EnvelopeSettings) -> None:
        self.test = ValueTest(settings.ok) if settings.ok is not None else None
        self.data = path_of(settings.data)
        self.told = Told(self.test.path if self.test else None, path_of(settings.message))
        self._expected = self.test.path if self.test else self.data
        """The path that every envelope has. That is `data` only without a test: a success without data may leave it out."""

    @property
    def data_at(self) -> tuple[str | int, ...]:
        """The path of the data, as names and indices."""
        return self.data.names if self.data else ()

    def has_failed(self, answer: Response) -> bool:
        """Whether the body of an answer of 2xx says that the request failed. A body that is no envelope does not."""
        if self.test is None or not 200 <= answer.status_code < 300:
            return False
        value = self.test.path.find(answer.document())
        return value is not MISSING and not self.test.holds(value)

    def opened(self, answer: Response) -> Any:
        """The data of a success; MISSING if there is none. Raises DecodeError; ValidationError for a body without envelope."""
        document = answer.json()
        if self._expected is not None and self._expected.find(document) is MISSING:
            raise _no_envelope(answer, self._expected)
        return document if self.data is None else self.data.find(document)


def _no_envelope(answer: Response, expected: JSONPath) -> ValidationError:
    message = f"{answer.status_code}: the answer is no envelope: expected a value at `{expected.text}`"
    missing = {"type": "missing", "loc": expected.names, "msg": "Field required"}
    return ValidationError(message, errors=(missing,), **answer.facts())
