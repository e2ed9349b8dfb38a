"""What a request is put together from: its parts, and the check of the arguments that go into them."""

from __future__ import annotations

from typing import Any

from callsheet.errors import SheetError
from callsheet.secret import Secret
from callsheet.sheet.words.operation import MISSING, Parameter
from callsheet.values.text import Texter
from callsheet.values.typeref import FILE


class RequestParts:
    """The parts of a request while binders fill them in, and the `problems` that its arguments have."""

    __slots__ = ("headers", "problems", "query", "secrets", "segments", "shown_query", "shown_segments")

    def __init__(self) -> None:
        self.segments: dict[str, str] = {}
        self.shown_segments: dict[str, str] = {}
        self.query: list[str] = []
        self.shown_query: list[str] = []
        self.headers: list[tuple[str, str | Secret]] = []
        self.secrets: list[Secret] = []
        self.problems: list[str] = []


class ArgumentBinder:
    """Checks the argument of one parameter, or of one field of a body, against its declared type.

    `texter` knows that type; it is None for a file. `described` is the location and type, for messages.
    """

    __slots__ = ("_convert", "argument", "described", "is_secret", "parameter")

    def __init__(self, parameter: Parameter, texter: Texter | None) -> None:
        self.parameter = parameter
        self.argument = parameter.argument
        self.is_secret = parameter.secret or isinstance(parameter.value, Secret)
        self.described = f"{parameter.location}, {texter.expected if texter else FILE}"
        self._convert = texter.value_of if texter else str

    def bind(self, value: Any, parts: RequestParts) -> Any:
        """Check a value and take it into the request; what is wrong with it is added to the problems of the parts."""
        raise NotImplementedError

    def bind_constant(self, parts: RequestParts) -> Any:
        """Bind the value fixed on the sheet. The text of a secret is read now, and converted to the declared type."""
        value = self.parameter.value
        if isinstance(value, Secret):
            text = value.reveal()
            try:
                value = self._convert(text)
            except ValueError:
                value = text
        return self.bind(value, parts)

    def check_constant(self) -> None:
        """Raise SheetError for a fixed value that does not fit its type; a secret is only read, and checked, by a call."""
        parts, value = RequestParts(), self.parameter.value
        if value is not MISSING and not isinstance(value, Secret):
            self.bind(value, parts)
        if parts.problems:
            where = f"{self.parameter.where}: " if self.parameter.where else ""
            raise SheetError(f"{where}value of {parts.problems[0]}")

    def add_misfit(self, value: Any, error: ValueError, parts: RequestParts) -> None:
        """Add to the problems that the value does not fit; that of a secret is not shown."""
        found = "" if self.is_secret else f", found {found_value(value)}"
        parts.problems.append(f"`{self.argument}` ({self.described}): {error}{found}")

    def add_missing(self, parts: RequestParts) -> None:
        """Add to the problems that no value was given, if one must be."""
        if self.parameter.required:
            parts.problems.append(f"`{self.argument}` ({self.described}): missing")


def found_value(value: Any) -> str:
    """The value, short enough for a message."""
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
