"""`paginate`: how one page of a collection leads to the next."""

from __future__ import annotations

import re
from typing import Any

from callsheet.http.headers import TOKEN
from callsheet.http.json_path import ItemsPath, PagePath
from callsheet.settings.pages import LINKS, NUMBERS, PAGE_KINDS, PageKind, PageSize, Paginate
from callsheet.sheet.forms.reading import FormOf, Reading, Spot, Unread, misfit
from callsheet.sheet.forms.record import Key, Record, Written, plain
from callsheet.sheet.forms.scalars import DURATION, VARIABLE_SCHEMA, Choice, Text, WholeNumber, scalar
from callsheet.sheet.forms.shorthand import is_off
from callsheet.sheet.tree.findings import Findings, Misfit, one_of
from callsheet.sheet.tree.node import MappingNode, Node
from callsheet.sheet.words.body_tests import WholeRecord, place_of, unread_in
from callsheet.sheet.words.operation import Operation

HEADER = "header:"
EXPECTED = "`off` or a mapping such as `{page: page, items: results, total: total}`"
SOURCE_EXPECTED = "a dotted path such as `meta.next`, or a header such as `header:X-Next`"
COUNTS_PAGES = re.compile(r"(total|num(ber)?_?(of)?)?_?pages?(_?(count|total))?|last_?page", re.IGNORECASE)
SOURCE_SCHEMA = {"anyOf": [{"type": "string", "minLength": 1}, VARIABLE_SCHEMA]}


def _source(node: Node, spot: Spot, reading: Reading) -> str:
    """A path into the body, or the name of a header field, as written."""
    text = Text(SOURCE_EXPECTED).read(node, spot, reading)
    if text.lower().startswith(HEADER):
        if not TOKEN.match(text[len(HEADER) :].strip()):
            raise misfit(node, spot, SOURCE_EXPECTED, "the name of a header stands behind `header:`")
        return HEADER + text[len(HEADER) :].strip()
    try:
        return PagePath(text).text
    except ValueError as error:
        raise misfit(node, spot, SOURCE_EXPECTED, str(error)) from None


def _items(node: Node, spot: Spot, reading: Reading) -> str:
    """The path of the list of items, as written."""
    expected = "the dotted path of a list such as `results`, or `edges[].node` for a value in every element"
    text = Text(expected).read(node, spot, reading)
    try:
        return ItemsPath(text).text
    except ValueError as error:
        raise misfit(node, spot, expected, str(error)) from None


SOURCE = FormOf(_source, SOURCE_SCHEMA)
TOTAL_OF_PAGES = Record((Key("pages", SOURCE, "where the number of pages stands", is_required=True),), "paginate.total")


def _total(node: Node, spot: Spot, reading: Reading) -> str | dict[str, Written]:
    """Where the number of items stands, or as `{pages: ...}` that of pages."""
    if isinstance(node, MappingNode):
        return TOTAL_OF_PAGES.read(node, spot, reading)
    text = _source(node, spot, reading)
    if COUNTS_PAGES.fullmatch(text.rpartition(".")[2]):
        hint = f"`total` counts items; if `{text}` counts pages, write `total: {{pages: {text}}}`"
        raise misfit(node, spot, "where the number of items stands", hint)
    return text


NAME = Text("the name of a parameter of the request")
NUMBER = WholeNumber(0, 10**15)
SIZE = Record(
    (
        Key("name", NAME, "the parameter that takes it", is_required=True),
        Key("value", WholeNumber(1, 1_000_000), "how many items", is_required=True),
    ),
    topic="paginate.size",
    expected="a mapping such as `{name: size, value: 100}`",
)
KINDS = (
    Key("page", NAME, "the parameter that takes the number of the page"),
    Key("offset", NAME, "the parameter that takes how many items come before the page"),
    Key("cursor", NAME, "the parameter that takes what the page before gave under `from`"),
    Key("next", SOURCE, "where the URL of the next page stands"),
    Key("link", Text("a relation such as `next`"), "the relation, in the `Link` header (RFC 8288), of the next page"),
)
KEYS = (
    *KINDS,
    Key("from", SOURCE, "where the next cursor stands"),
    Key("into", Choice(("query", "json", "form", "header")), "the part of the request that takes the position"),
    Key("items", FormOf(_items, SOURCE_SCHEMA), "where the list of items stands"),
    Key("size", SIZE, "how many items to ask for"),
    Key("start", NUMBER, "the number to begin with"),
    Key("step", WholeNumber(1, 10**9), "from one number to the next"),
    Key("total", FormOf(_total, {"anyOf": [SOURCE_SCHEMA, TOTAL_OF_PAGES.schema()]}), "where the number of items stands"),
    Key("has_more", SOURCE, "where it stands whether there are more"),
    Key("end", Choice(("empty", "absent")), "the cursor that ends: an empty one as well, or only none"),
    Key("direction", Choice(("next", "previous")), "which way to go"),
    Key("max_pages", WholeNumber(1, 10**9), "more pages are an error"),
    Key("max_time", DURATION, "a longer walk is an error"),
)  # fmt: skip
RECORD = WholeRecord(KEYS, topic="paginate", expected=EXPECTED)
ONLY_OF = {"from": ("cursor",), "end": ("cursor",), "start": NUMBERS, "step": NUMBERS}
"""The kinds that a key belongs to; others belong to all."""


def _paginate(node: Node, spot: Spot, reading: Reading) -> Paginate | Unread | None:
    """The settings; None for `off`; Unread if an outline could not read one of the values."""
    if not isinstance(node, MappingNode):
        filled = scalar(node, spot, reading, EXPECTED)
        if is_off(filled):
            return None
        word = str(filled.value)
        raise misfit(filled, spot, EXPECTED, f"write `{{{word}: ...}}`" if word in PAGE_KINDS else "")
    written = RECORD.read(node, spot, reading)
    kind = _kind(written, node, spot)
    for name, kinds in ONLY_OF.items():
        if name in written and kind not in kinds:
            hint = f"it belongs to {one_of(kinds)}: remove it"
            raise Misfit(place_of(written[name]), f"{spot}: `{name}` beside `{kind}`", hint)
    unread = next(unread_in(written), None)
    return unread or _settings(kind, written, spot)


def _kind(written: dict[str, Written], node: Node, spot: Spot) -> PageKind:
    places = {kind: place_of(written[kind]) for kind in PAGE_KINDS if kind in written}
    if not places:
        raise Misfit(node.place, f"{spot}: no kind of pages", f"write one of {one_of(PAGE_KINDS)}")
    kind, *others = sorted(places, key=lambda each: (places[each].line, places[each].column))
    if others:
        hint = "a walk over pages has one kind of position: keep one"
        raise Misfit(places[others[0]], f"{spot}: `{others[0]}` beside `{kind}`", hint)
    if kind == "cursor" and "from" not in written:
        hint = 'write where the next cursor stands: `from: next_cursor`, or `from: "header:X-Next"`'
        raise Misfit(places[kind], f"{spot}: `cursor` without `from`", hint)
    return kind


def _settings(kind: PageKind, written: dict[str, Written], spot: Spot) -> Paginate:
    values = plain(written)
    _check_names(kind, values, written, spot)
    if values.get("direction") == "previous" and kind == "offset" and not values.keys() & {"step", "size"}:
        hint = "write `step`, or the `size` of a page"
        raise Misfit(place_of(written["direction"]), f"{spot}: offsets that count down need a step", hint)
    size, total = values.pop("size", None), values.get("total")
    if size is not None and size.keys() != {"name", "value"}:
        hint = "write both: `size: {name: size, value: 100}`"
        raise Misfit(place_of(written["size"]), f"{spot.under('size')}: `name` or `value` is missing", hint)
    if isinstance(total, dict):
        if "pages" not in total:
            hint = "write where the number of pages stands: `total: {pages: meta.pages}`"
            raise Misfit(place_of(written["total"]), f"{spot.under('total')}: `pages` is missing", hint)
        values |= {"total": None, "total_pages": total["pages"]}
    name = values.pop(kind)
    return Paginate(
        kind, name.lower() if kind == "link" else name, source=values.pop("from", None), size=size and PageSize(**size), **values
    )  # fmt: skip


def _check_names(kind: PageKind, values: dict[str, Any], written: dict[str, Written], spot: Spot) -> None:
    """Raise Misfit for a name that the part of the request which takes it cannot have."""
    into = values.get("into", "query")
    named: list[tuple[str, Any]] = [(kind, values[kind])] if kind not in LINKS else []
    named += [("size", values["size"]["name"])] if "name" in values.get("size", {}) else []
    if "into" in values and not named:
        hint = "the URL of the next page has its position: remove it"
        raise Misfit(place_of(written["into"]), f"{spot}: `into` beside `{kind}`", hint)
    for key, name in named:
        if into == "header" and not TOKEN.match(name):
            raise Misfit(place_of(written[key]), f"{spot}: `{name}` is no name of a header", "")
        if into == "json":
            try:
                PagePath(name)
            except ValueError as error:
                raise Misfit(place_of(written[key]), f"{spot}: `{name}` is no path in a body", str(error)) from None


_ONE = {"oneOf": [{"required": [kind]} for kind in PAGE_KINDS]}
PAGINATE = FormOf(_paginate, {"anyOf": [{"enum": ["off", False]}, {**RECORD.schema(), **_ONE}]})


def paginate_data(paginate: Paginate) -> dict[str, Any]:
    """The settings as they would be written."""
    default = Paginate(paginate.kind, paginate.name)
    names = [name for name in Paginate.__slots__ if name not in ("kind", "name", "total_pages")]
    changed = {name: getattr(paginate, name) for name in names if getattr(paginate, name) != getattr(default, name)}
    if paginate.total_pages is not None:
        changed["total"] = {"pages": paginate.total_pages}
    if paginate.size is not None:
        changed["size"] = {"name": paginate.size.name, "value": paginate.size.value}
    if "source" in changed:
        changed = {"from": changed.pop("source"), **changed}
    return {paginate.kind: paginate.name, **changed}


def check_pages(operation: Operation, spot: Spot, findings: Findings) -> None:
    """Note a `paginate`, written at an operation, that no request of it could go by."""
    written = operation.layer.get("paginate")
    if written is None or not isinstance(written.value, Paginate):
        return
    problem = problem_of_pages(written.value, operation)
    if problem:
        hint = "remove one, declare what is missing, or choose another `into`"
        findings.add(Misfit(place_of(written), f"{spot}: {problem}", hint))


def problem_of_pages(paginate: Paginate, operation: Operation) -> str:
    """Why the pages of an operation cannot be walked over; empty if they can."""
    if operation.stream:
        return "`paginate` beside `stream`: what is read as it comes has no items to take apart"
    if paginate.is_link:
        return ""
    if paginate.into == "json" and operation.json is None:
        return "`paginate` puts the position into a `json` body, and none is declared"
    if paginate.into != "form":
        return ""
    if operation.form is None and operation.multipart is None:
        return "`paginate` puts the position into a form, and none is declared"
    size = [paginate.size.name] if paginate.size else []
    known = {field.name for field in operation.fields}
    unknown = [name for name in (paginate.name, *size) if known and name not in known]
    return f"`paginate` puts the position into `{unknown[0]}`, which is no field of the form" if unknown else ""
