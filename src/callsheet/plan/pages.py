"""Compiles an operation to the requests of its pages, and to the reader of their items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote_plus

from callsheet.errors import ArgumentError, UsageError
from callsheet.http.headers import check_field
from callsheet.http.json import dumps, loads
from callsheet.http.json_path import MISSING, JSONPath
from callsheet.http.request import Request
from callsheet.plan.binders import query_pairs
from callsheet.plan.compile import RequestBase, joined_url
from callsheet.plan.next_link import request_at
from callsheet.plan.plan import Given, Plan
from callsheet.plan.results import page_reader
from callsheet.secret import Secret, redact
from callsheet.settings.pages import Paginate
from callsheet.sheet.words.operation import Operation, Parameter
from callsheet.sheet.words.pages import problem_of_pages
from callsheet.unset import UNSET
from callsheet.values.page_items import no_page


class PagePlan:
    """An operation whose answers are pages: `plan` reads their items, `settings` say how they follow each other."""

    def __init__(self, operation: Operation, plan: Plan, settings: Paginate, secrets: Iterable[Secret]) -> None:
        if problem := problem_of_pages(settings, operation):
            raise UsageError(f"operation `{operation.name}`: {problem}", service=plan.service, operation=plan.operation)
        reader = page_reader(operation, plan.settings, settings)
        self.operation = operation
        self.settings = settings
        self.plan = replace(plan, read=reader, read_ignored=no_page, fallback=None)
        self.base = RequestBase(plan.settings, secrets)
        self.size_name = settings.size.name if settings.size else None

    def declared(self, name: str) -> Parameter | None:
        """The parameter or field of this name, if the operation declares it where positions are put."""
        into = self.settings.into
        fields = self.operation.fields if into == "form" else self.operation.parameters
        fold = str.lower if into == "header" else str
        return next((p for p in fields if p.location in (into, "multipart") and fold(p.name) == fold(name)), None)


class PageRequests:
    """The requests of one walk: those of the operation with the caller's arguments, each with its position.

    `start` is the position that the caller gave by the name of its parameter, or None. `mask` is that of the last answer: a
    careless service may give a secret of the request back as the next position.
    """

    def __init__(self, pages: PagePlan, arguments: Mapping[str, Any], given: Given) -> None:
        settings = pages.settings
        self.pages = pages
        self.mask: Callable[[str], str] = str
        self.arguments = {name: value for name, value in arguments.items() if value is not UNSET}
        self.given = given = given.without_unset()
        if settings.into == "json" and given.json is not None and not isinstance(given.json, Mapping):
            self.given = given._replace(json=_plain(given.json))  # a model, into which a position is put
        self.start = None if settings.is_link else self._taken(settings.name)
        size = self._taken(pages.size_name) if pages.size_name else None
        self.size: Any = size if size is not None or settings.size is None else settings.size.value

    def _taken(self, name: str) -> Any:
        """The value that the caller gave under a name; what no declaration takes is taken out of the arguments."""
        if self.pages.settings.into == "json":
            body = self.given.json if self.given.json is not None else self.arguments
            found = JSONPath(name).find(body)
            return None if found is MISSING else found
        declared = self.pages.declared(name)
        return self.arguments.get(declared.argument) if declared else self.arguments.pop(name, None)

    def at(self, position: Any) -> Request:
        """The request of the page at a position; None is the first. Raises ArgumentError, OriginRefused."""
        pages, settings = self.pages, self.pages.settings
        placed = {} if pages.size_name is None or self.size is None else {pages.size_name: self.size}
        if position is not None and not settings.is_link:
            placed[settings.name] = position
        arguments, given = self._with(placed)
        request = pages.plan.bind(arguments, given)
        if placed and settings.into == "query":
            request = _with_query(request, placed, self.mask)
        elif settings.into == "header":
            for name, value in placed.items():
                text = str(value)
                check_field(name, text)
                request = request.plus(name, text if self.mask(text) == text else Secret(text))
        if settings.is_link and position is not None:
            return request_at(position, request, pages.base, self.mask)
        return request

    def _with(self, placed: Mapping[str, Any]) -> tuple[dict[str, Any], Given]:
        """The arguments with what only they can take: fields of the body, and parameters that must be given."""
        arguments, given, into = self.arguments, self.given, self.pages.settings.into
        if into == "json":
            for name, value in placed.items():
                names = [str(step) for step in JSONPath(name).names]
                if given.json is None:
                    arguments = _put(arguments, names, value)
                else:
                    given = given._replace(json=_put(given.json, names, value))
            return arguments, given
        for name, value in placed.items():
            declared = self.pages.declared(name)
            if into == "form" or (declared is not None and declared.required):
                arguments = {**arguments, declared.argument if declared else name: value}
        return arguments, given


def _plain(body: Any) -> Any:
    try:
        return loads(dumps(body))
    except ValueError as error:
        raise ArgumentError(f"json: {error}") from None


def _put(document: Any, names: list[str], value: Any) -> dict[str, Any]:
    """A copy of an object with the value at this path."""
    if not isinstance(document, Mapping):
        raise ArgumentError(f"the position is put at `{'.'.join(names)}`, and the body there is no object")
    name, *rest = names
    inner = document.get(name)
    return {**document, name: _put({} if inner is None else inner, rest, value) if rest else value}


def _with_query(request: Request, values: Mapping[str, Any], mask: Callable[[str], str]) -> Request:
    """A copy of the request with these parameters in its query, in place of those of the same name."""
    pairs = query_pairs(values)

    def placed(url: str) -> str:
        start, _, query = url.partition("?")
        kept = [pair for pair in query.split("&") if pair and unquote_plus(pair.partition("=")[0]) not in values]
        return joined_url(start, "", [*kept, *pairs])

    return Request(
        request.method,
        mask(redact(placed(request.url), request.secrets)),
        request.headers,
        request.body,
        wire_url=placed(request.wire_url),
        secrets=request.secrets,
        origin=request.origin,
    )
