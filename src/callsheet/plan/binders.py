"""Binders: each puts one argument into a request. A plan holds a small list of them and loops over it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from callsheet.declare.operation import MISSING, Operation, Parameter
from callsheet.errors import ArgumentError
from callsheet.http.body import Body, Content
from callsheet.http.headers import check_field
from callsheet.http.json import MEDIA_TYPE
from callsheet.plan.path import segment
from callsheet.plan.plan import Given
from callsheet.secret import MASK, Secret
from callsheet.values.codec import Codec, Mismatch, place
from callsheet.values.text import Texter, text_of


class Parts:
    """A request being put together."""

    __slots__ = ("headers", "problems", "query", "secrets", "segments", "shown_query", "shown_segments")

    def __init__(self) -> None:
        self.segments: dict[str, str] = {}
        self.shown_segments: dict[str, str] = {}
        self.query: list[str] = []
        self.shown_query: list[str] = []
        self.headers: list[tuple[str, str | Secret]] = []
        self.secrets: list[Secret] = []
        self.problems: list[str] = []


class Binder:
    """Puts the argument of one parameter where it belongs."""

    __slots__ = ("_put", "_texter", "argument", "parameter")

    def __init__(self, parameter: Parameter) -> None:
        self.parameter = parameter
        self.argument = parameter.argument
        self._texter = Texter(parameter.type)
        self._put = {"path": self._put_path, "query": self._put_query, "header": self._put_header}[parameter.location]

    def bind(self, value: Any, parts: Parts) -> None:
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

    def bind_constant(self, value: Any, parts: Parts) -> None:
        """The same for a value of the sheet; a secret is read now, and means what it would if it were typed."""
        if isinstance(value, Secret):
            text = value.reveal()
            try:
                value = self._texter.value_of(text)
            except ValueError:
                value = text
        self.bind(value, parts)

    @property
    def described(self) -> str:
        """Where the parameter stands and what it takes."""
        return f"{self.parameter.location}, {self._texter.expected}"

    def _put_path(self, text: str, parts: Parts) -> None:
        parts.segments[self.parameter.name] = written = segment(text)
        parts.shown_segments[self.parameter.name] = MASK if self.parameter.secret else written

    def _put_query(self, text: str, parts: Parts) -> None:
        name = quote(self.parameter.name, safe="")
        written = query_text(text)
        parts.query.append(f"{name}={written}")
        parts.shown_query.append(f"{name}={MASK if self.parameter.secret else written}")

    def _put_header(self, text: str, parts: Parts) -> None:
        check_field(self.parameter.name, text)
        parts.headers.append((self.parameter.name, Secret(text) if self.parameter.secret else text))


def found_value(value: Any) -> str:
    """The value, short enough for a message."""
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def query_text(text: str) -> str:
    """One name or value of a query, percent-encoded. Raises ValueError for half a surrogate pair."""
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise ValueError("it holds half a surrogate pair, which has no UTF-8 form") from None


class Arguments:
    """The arguments an operation takes: its parameters, and the fields of its body."""

    def __init__(self, operation: Operation, codec: Codec | None) -> None:
        self._operation = operation
        self._codec = codec
        self._binders = [Binder(parameter) for parameter in operation.parameters if parameter.value is MISSING]
        constants = [(Binder(_masked(p)), p.value) for p in operation.parameters if p.value is not MISSING]
        self._constants = constants
        self._constant_names = frozenset(binder.argument for binder, _ in constants)
        self.takes_parameters = bool(operation.parameters)

    @property
    def names(self) -> list[str]:
        """Every name that may be given, parameters first."""
        fields = sorted(self._codec.fields or ()) if self._codec else []
        return [binder.argument for binder in self._binders] + fields

    def bind(self, arguments: Mapping[str, Any], given: Given) -> tuple[Parts, Body | None]:
        """The parts of a request. Raises ArgumentError naming everything that is wrong."""
        parts = Parts()
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

    def _body(self, fields: dict[str, Any], given: Given, parts: Parts) -> Body | None:
        codec = self._codec
        if codec is None:
            if given.json is not None:
                parts.problems.append("`json`: this operation declares no body")
            parts.problems.extend(self._unknown(name) for name in fields)
            return None
        if given.json is not None and fields:
            parts.problems.append(f"`json` gives the body whole; leave out the fields {', '.join(map(repr, fields))}")
            return None
        known = codec.fields
        if known is not None and not known.issuperset(fields):
            parts.problems.extend(self._unknown(name) for name in fields if name not in known)
        if parts.problems:
            return None
        try:
            content = (
                codec.encode(given.json)
                if given.json is not None
                else codec.encode_fields({name: value for name, value in fields.items() if value is not None})
            )
        except Mismatch as mismatch:
            parts.problems.extend(f"{_field(error)}{error['msg']}" for error in mismatch.errors)
            return None
        return Content(content, MEDIA_TYPE)

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
    """A constant that came through `${...}` is masked, however the parameter is declared."""
    return replace(parameter, secret=True) if isinstance(parameter.value, Secret) else parameter


def _field(error: Mapping[str, Any]) -> str:
    path = place(error).removesuffix(": ")
    return f"`{path}` (body): " if path else "body: "


def listed(names: list[str]) -> str:
    """Names as a message shows them."""
    return ", ".join(f"`{name}`" for name in names) if names else "none"


def query_pairs(params: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> list[str]:
    """`name=value` of each parameter, percent-encoded; a list repeats its name, None is left out."""
    pairs = params.items() if isinstance(params, Mapping) else params
    written: list[str] = []
    for name, value in pairs:
        values = value if isinstance(value, list | tuple) else [value]
        try:
            written += [f"{query_text(str(name))}={query_text(text_of(v))}" for v in values if v is not None]
        except ValueError as error:
            raise ArgumentError(f"params: `{name}`: {error}") from None
    return written
