"""Puts the arguments of a call into its request: a binder for each parameter, and one for the body."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from callsheet.errors import ArgumentError
from callsheet.http.body import Body
from callsheet.http.headers import check_field
from callsheet.plan.bodies import BodyBinder
from callsheet.plan.path import query_text, segment
from callsheet.plan.plan import Given
from callsheet.plan.request_parts import ArgumentBinder, RequestParts
from callsheet.secret import MASK, Secret
from callsheet.sheet.words.operation import MISSING, Operation, Parameter
from callsheet.unset import UNSET
from callsheet.values.text import Texter, text_of


class ParameterBinder(ArgumentBinder):
    """Puts the argument of one parameter into the path, the query or the header fields."""

    __slots__ = ("_put", "_texter")

    def __init__(self, parameter: Parameter) -> None:
        self._texter = Texter(parameter.type)
        super().__init__(parameter, self._texter)
        self._put = {"path": self._put_path, "query": self._put_query, "header": self._put_header}[parameter.location]

    def bind(self, value: Any, parts: RequestParts) -> None:
        """Check the value and put it in; what is wrong with it is added to the problems of the parts."""
        try:
            for text in self._texter.texts(value):
                if self.is_secret:
                    parts.secrets.append(Secret(text))
                self._put(text, parts)
        except ValueError as error:
            self.add_misfit(value, error, parts)
        except ArgumentError as error:
            parts.problems.append(str(error))

    def _put_path(self, text: str, parts: RequestParts) -> None:
        parts.segments[self.parameter.name] = written = segment(text)
        parts.shown_segments[self.parameter.name] = MASK if self.is_secret else written

    def _put_query(self, text: str, parts: RequestParts) -> None:
        name = quote(self.parameter.name, safe="")
        written = query_text(text)
        parts.query.append(f"{name}={written}")
        parts.shown_query.append(f"{name}={MASK if self.is_secret else written}")

    def _put_header(self, text: str, parts: RequestParts) -> None:
        check_field(self.parameter.name, text)
        parts.headers.append((self.parameter.name, Secret(text) if self.is_secret else text))


class Arguments:
    """The arguments an operation takes: its parameters, and the fields of its body."""

    def __init__(self, operation: Operation, body_binder: BodyBinder) -> None:
        self._operation = operation
        self._body_binder = body_binder
        self._binders = [ParameterBinder(p) for p in operation.parameters if p.value is MISSING]
        self._constants = [ParameterBinder(p) for p in operation.parameters if p.value is not MISSING]
        for constant in self._constants:
            constant.check_constant()
        self._constant_names = body_binder.constants.union(constant.argument for constant in self._constants)
        self.takes_parameters = bool(operation.parameters)

    @property
    def names(self) -> list[str]:
        """The names of all arguments that a caller may give, parameters first."""
        return [binder.argument for binder in self._binders] + sorted(self._body_binder.fields or ())

    def bind(self, arguments: Mapping[str, Any], given: Given) -> tuple[RequestParts, Body | None]:
        """The parts and the body of a request. Raises ArgumentError naming everything that is wrong with the arguments."""
        parts = RequestParts()
        fields = dict(arguments)
        for constant in self._constants:
            constant.bind_constant(parts)
        for binder in self._binders:
            value = fields.pop(binder.argument, None)
            if value is not None:
                binder.bind(value, parts)
            else:
                binder.add_missing(parts)
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


def listed(names: list[str]) -> str:
    """The names in backticks, separated by commas, for a message; `none` if there are none."""
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
            written += [
                f"{query_text(str(name))}={query_text(text_of(v))}" for v in values if v is not None and v is not UNSET
            ]
        except ValueError as error:
            raise ArgumentError(f"params: `{name}`: {error}") from None
    return written
