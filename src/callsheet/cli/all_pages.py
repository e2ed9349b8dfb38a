"""`call --all`: prints the items of every page as they come, and says where to go on if it is ended early."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from callsheet.cli.output import json_text, ndjson_of
from callsheet.cli.page_options import ItemForm, PageWishes
from callsheet.cli.prepared_call import Prepared
from callsheet.cli.screen import Screen, visible
from callsheet.client.maker import CallMaker
from callsheet.client.paged import begun, requests_of, start_of
from callsheet.errors import APIError
from callsheet.many.page_threads import AheadInThreads, Pages
from callsheet.many.page_walk import PageOptions
from callsheet.plan.plan import Given
from callsheet.sheet.words.operation import Location, Operation, Parameter
from callsheet.values.page_items import PageReader
from callsheet.values.typeref import TypeRef


def show_items(
    maker: CallMaker, operation: str, arguments: Mapping[str, Any], given: Given, walk: PageWishes, screen: Screen
) -> int:
    """Print the items of every page, and return the exit code. Raises APIError."""
    _look(maker, operation, arguments, given)
    requests = requests_of(maker, operation, arguments, given)
    pages: Pages[Any] = Pages(begun(maker, requests, PageOptions(walk.from_position), AheadInThreads))
    settings, envelope = requests.pages.settings, requests.pages.plan.settings.envelope
    # As the service gave them: a declared type may leave members out.
    plain = PageReader(settings, None, envelope.data if envelope else None).items
    printer, position = PRINTERS[walk.form](screen), walk.from_position
    items = count = 0
    began = time.monotonic()
    try:
        for page in pages:
            printer.print(plain(page.response))
            position = page.next_position
            items, count = items + len(page.items), count + 1
            screen.draw(_counted(items, count, began))
            if screen.is_over or count == walk.max_pages:
                break
    except (APIError, OSError, KeyboardInterrupt) as error:
        is_interrupt = isinstance(error, KeyboardInterrupt)
        with suppress(OSError):
            printer.end()
        screen.draw("")
        screen.say(f"{'interrupted' if is_interrupt else 'ended'} after {_counted(items, count, began)}")
        screen.say(_go_on(error.position if isinstance(error, APIError) and position is None else position))
        if is_interrupt:
            return 130
        raise
    printer.end()
    screen.draw("")
    screen.say(_counted(items, count, began))
    if position is not None and count == walk.max_pages:
        screen.say(_go_on(position))
    return 0


def first_page(
    maker: CallMaker, operation: str, arguments: Mapping[str, Any], given: Given, from_position: str | None
) -> Prepared:
    """The call of the page that a walk would begin with, to be shown. Raises UsageError, ArgumentError."""
    requests = requests_of(maker, operation, arguments, given)
    plan = requests.pages.plan
    call = maker.begin_page(plan, lambda: requests.at(start_of(requests, from_position).at), given, arguments)
    return Prepared(call, plan, maker)


def with_paging(operation: Operation, maker: CallMaker) -> Operation:
    """The operation, with the parameters that its `paginate` names among those that may be given."""
    pages = maker.plans.pages(operation.name)
    if pages is None or pages.settings.is_link or pages.settings.into not in ("query", "header"):
        return operation
    names = [name for name in (pages.settings.name, pages.size_name) if name and pages.declared(name) is None]
    text = TypeRef("name", "string")
    location: Location = "header" if pages.settings.into == "header" else "query"
    return replace(operation, parameters=(*operation.parameters, *(Parameter(name, location, text) for name in names)))


def _look(maker: CallMaker, operation: str, arguments: Mapping[str, Any], given: Given) -> None:
    """Make the call of an operation that only reads and declares no pages: its answer shows how to declare them."""
    if maker.plans.pages(operation) is None and maker.plans.operations[operation].method == "GET":
        call, plan = maker.declared(operation, arguments, {}, given)
        maker.noted(Prepared(call, plan, maker).send(), plan)


def _go_on(position: int | str | None) -> str:
    return "begin anew: no page was complete" if position is None else f"go on with --from {position}"


def _counted(items: int, pages: int, began: float) -> str:
    took = max(time.monotonic() - began, 0.001)
    each = f"{items:,} item{'s'[: items != 1]} on {pages:,} page{'s'[: pages != 1]}"
    return f"{each} in {took:.1f} s ({items / took:,.0f}/s)"


class Lines:
    """One item on each line, as JSON."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def print(self, items: list[Any]) -> None:
        """Print the items of a page."""
        self._screen.write(b"".join(map(ndjson_of, items)))

    def end(self) -> None:
        """Nothing: each line is complete."""


class Array(Lines):
    """One JSON array, which is closed even if the walk ends early."""

    _begun = False

    def print(self, items: list[Any]) -> None:
        """Print the items of a page."""
        texts = ["  " + json_text(item).replace("\n", "\n  ") for item in items]
        if texts:
            self._screen.write(
                (",\n" if self._begun else "[\n").encode() + ",\n".join(texts).encode("utf-8", "replace")
            )
            self._begun = True

    def end(self) -> None:
        """Close the array."""
        self._screen.write(b"\n]\n" if self._begun else b"[]\n")


class Table(Lines):
    """Comma-separated values (RFC 4180). The columns are the members of the first page's items."""

    _columns: list[str] | None = None
    _left_out: frozenset[str] = frozenset()

    def print(self, items: list[Any]) -> None:
        """Print the items of a page; what is an object or a list in one stands as JSON in its cell."""
        rows = [item if isinstance(item, dict) else {"value": item} for item in items]
        text = io.StringIO()
        if self._columns is None and rows:
            self._columns = list(dict.fromkeys(name for row in rows for name in row))
            csv.writer(text).writerow(self._columns)
        columns = self._columns or []
        csv.writer(text).writerows([_cell(row.get(name)) for name in columns] for row in rows)
        self._left_out |= {name for row in rows for name in row.keys() - set(columns)}
        table = text.getvalue()
        table = visible(table.replace("\r\n", "\n")) if self._screen.is_terminal else table
        self._screen.write(table.encode("utf-8", "replace"))

    def end(self) -> None:
        """Say which members had no column."""
        if self._left_out:
            names = ", ".join(f"`{name}`" for name in sorted(self._left_out)[:10])
            self._screen.complain(f"warning: {names} came after the first page, and has no column; use -o ndjson")


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    return ndjson_of(value).decode().rstrip("\n")


PRINTERS: dict[ItemForm, type[Lines]] = {"ndjson": Lines, "json": Array, "csv": Table}
