"""Binders: each puts one argument into a request. A plan holds a small list of them and loops over it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from callsheet.errors import ArgumentError, SheetError
from callsheet.http.body import Body
from callsheet.http.headers import check_field
from callsheet.plan.bodies import BodyBinder
from callsheet.plan.path import segment
from callsheet.plan.plan import Given
from callsheet.plan.request_parts import RequestParts, found_value
from callsheet.secret import MASK, Secret
from callsheet.sheet.words.operation import MISSING, Operation, Parameter
from callsheet.values.text import Texter, text_of


class Binder:
    """Puts the argument of one parameter where it belongs."""

    __slots__ = ("_put", "_texter", "argument", "parameter")

    def __init__(self, parameter: Parameter) -> None:
        self.parameter = parameter
        self.argument = parameter.argument
        self._texter = Texter(parameter.type)
        self._put = {"path": self._put_path, "query": self._put_query, "header": self._put_header}[parameter.location]

    def bind(self, value: Any, parts: RequestParts) -> None:
        """Check the value and put it in; what is wrong is added to the problems."""
        parameter = self.parameter
        try:
            texts = self._texter.texts(value)
            for text in texts:
                if parameter.secret:
                    parts.secrets.append(Secret(text))
                self._put(text, parts)
        except ValueError as error:
            found = "" if parameter.secret else f", found {found_value(value)}"
            parts.problems.append(f"`{self.argument}` ({self.described}): {error}{found}")
        except ArgumentError as error:
            parts.problems.append(str(error))

    def bind_constant(self, value: Any, parts: RequestParts) -> None:
        """Put in a value fixed on the sheet; the text of a secret is read now, and converted to the declared type."""
        if isinstance(value, Secret):
            text = value.reveal()
            try:
                value = self._texter.value_of(text)
            except ValueError:
                value = text
        self.bind(value, parts)

    @property
    def described(self) -> str:
        """The location and type of the parameter, for a message."""
        return f"{self.parameter.location}, {self._texter.expected}"

    def _put_path(self, text: str, parts: RequestParts) -> None:
        parts.segments[self.parameter.name] = written = segment(text)
        parts.shown_segments[self.parameter.name] = MASK if self.parameter.secret else written

    def _put_query(self, text: str, parts: RequestParts) -> None:
        name = quote(self.parameter.name, safe="")
        written = query_text(text)
        parts.query.append(f"{name}={written}")
        parts.shown_query.append(f"{name}={MASK if self.parameter.secret else written}")

    def _put_header(self, text: str, parts: RequestParts) -> None:
        check_field(self.parameter.name, text)
        parts.headers.append((self.parameter.name, Secret(text) if self.parameter.secret else text))


def query_text(text: str) -> str:
    """One name or value of a query, percent-encoded. Raises ValueError for half a surrogate pair."""
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise ValueError("it holds half a surrogate pair, which has no UTF-8 form") from None


class Arguments:
    """The arguments an operation takes: its parameters, and the fields of its body."""

    def __init__(self, operation: Operation, body_binder: BodyBinder) -> None:
        self._operation = operation
        self._body_binder = body_binder
        self._binders = [Binder(parameter) for parameter in operation.parameters if parameter.value is MISSING]
        constants = [(Binder(_masked(p)), p.value) for p in operation.parameters if p.value is not MISSING]
        self._constants = constants
        self._constant_names = body_binder.constants.union(binder.argument for binder, _ in constants)
        self.takes_parameters = bool(operation.parameters)
        self._check_constants()

    def _check_constants(self) -> None:
        """Raise SheetError for a fixed value that does not fit its type; a secret is only read, and checked, by a call."""
        for binder, value in self._constants:
            parts = RequestParts()
            if not isinstance(value, Secret):
                binder.bind(value, parts)
            if parts.problems:
                where = f"{binder.parameter.where}: " if binder.parameter.where else ""
                raise SheetError(f"{where}value of {parts.problems[0]}")

    @property
    def names(self) -> list[str]:
        """Every name that may be given, parameters first."""
        return [binder.argument for binder in self._binders] + sorted(self._body_binder.fields or ())

    def bind(self, arguments: Mapping[str, Any], given: Given) -> tuple[RequestParts, Body | None]:
        """The parts of a request. Raises ArgumentError naming everything that is wrong."""
        parts = RequestParts()
        fields = dict(arguments)
        for binder, value in self._constants:
            binder.bind_constant(value, parts)
        for binder in self._binders:
            value = fields.pop(binder.argument, None)
            if value is not None:
                binder.bind(value, parts)
            elif binder.parameter.required:
                parts.problems.append(f"`{binder.argument}` ({binder.described}): missing")
        body = self._body(fields, given, parts)
        if parts.problems:
            raise ArgumentError(self._message(parts.problems))
        return parts, body

    def _body(self, fields: dict[str, Any], given: Given, parts: RequestParts) -> Body | None:
        binder = self._body_binder
        if given.json is not None:
            if binder.instead is not None:
                parts.problems.append(f"`json`: this operation {binder.instead}")
            elif fields:
                names = ", ".join(map(repr, fields))
                parts.problems.append(f"`json` gives the body whole; leave out the fields {names}")
                return None
        known = binder.fields
        if known is not None and not known.issuperset(fields):
            parts.problems.extend(self._unknown(name) for name in fields if name not in known)
        return binder.bind(fields, given, parts)

    def _unknown(self, name: str) -> str:
        if name in self._constant_names:
            return f"`{name}`: its value is set on the sheet and cannot be given"
        close = difflib.get_close_matches(name.lower().replace("-", "_"), self.names, n=1)
        hint = (
            f"did you mean `{close[0]}`?"
            if close
            else f"expected {listed(self.names) if self.names else 'no arguments'}"
        )
        return f"`{name}`: unknown; {hint}"

    def _message(self, problems: list[str]) -> str:
        declared = f" (declared at {self._operation.where})" if self._operation.where else ""
        lines = "\n".join(f"   {problem}" for problem in problems)
        return f"these arguments do not fit{declared}; nothing was sent\n{lines}"


def _masked(parameter: Parameter) -> Parameter:
    """The parameter, marked `secret` if its fixed value is a Secret."""
    return replace(parameter, secret=True) if isinstance(parameter.value, Secret) else parameter


def listed(names: list[str]) -> str:
    """Names as a message shows them."""
    return ", ".join(f"`{name}`" for name in names) if names else "none"


def query_pairs(params: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> list[str]:
    """`name=value` of each parameter, percent-encoded; a list repeats its name, None is left out."""
    try:
        pairs = [(name, value) for name, value in (params.items() if isinstance(params, Mapping) else params)]
    except (TypeError, ValueError):
        message = f"params: expected a mapping or pairs of name and value, found {type(params).__name__}"
        raise ArgumentError(message) from None
    written: list[str] = []
    for name, value in pairs:
        values = value if isinstance(value, list | tuple) else [value]
        try:
            written += [f"{query_text(str(name))}={query_text(text_of(v))}" for v in values if v is not None]
        except ValueError as error:
            raise ArgumentError(f"params: `{name}`: {error}") from None
    return written
