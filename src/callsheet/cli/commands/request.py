"""`callsheet request`: what no operation declares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from callsheet.cli.completion import complete_request
from callsheet.cli.find_sheet import Wanted, chosen_service
from callsheet.cli.items import Item
from callsheet.cli.options import call_options, sheet_options
from callsheet.cli.screen import Screen
from callsheet.errors import ArgumentError, UsageError

HELP = """Send a request that no operation declares, under the service's settings.

SERVICE may be left out where the sheet has one service.

\b
  name=value      a text field of a JSON body
  name:=json      a field of it given as JSON: age:=36
  name==value     a query parameter
  Header:value    a header field
  name=@file      the text of a file

\b
  callsheet request shop GET /users status==active
  callsheet request shop POST /users name=Ada age:=36
  callsheet request shop DELETE /users/7 -v
"""


@click.command("request", help=HELP, short_help="Send a request that no operation declares.")
@click.argument("words", nargs=-1, metavar="[SERVICE] METHOD PATH [ITEMS]...", shell_complete=complete_request)
@sheet_options
@call_options
@click.pass_obj
def command(screen: Screen, /, wanted: Wanted, words: tuple[str, ...], **options: Any) -> int:
    """Send a request that no operation declares."""
    from callsheet.cli.acting import Wishes, act
    from callsheet.cli.calling import Prepared, maker_of

    wishes = Wishes(**options)
    sheet = wanted.load(screen)
    is_left_out = len(sheet.services) == 1 and words[1:2] != () and words[1].startswith("/")
    name, rest = (None, words) if is_left_out else (words[0] if words else None, words[1:])
    if len(rest) < 2:
        raise UsageError("expected SERVICE METHOD PATH, as in: callsheet request shop GET /users")
    service = chosen_service(sheet.services, name, sheet.name)
    asked = request_options(rest[2:], wishes.json())
    asked |= {"timeout": wishes.timeout, "idempotency_key": wishes.idempotency_key}
    with maker_of(service, wishes.settings(), *wishes.listeners(screen)) as maker:
        call, plan, _ = maker.undeclared(rest[0].upper(), rest[1], asked, is_stream=False)  # type: ignore[arg-type]
        return act(Prepared(call, plan, maker), wishes, wanted, screen)


def request_options(texts: Sequence[str], body: Any) -> dict[str, Any]:
    """Query, headers and JSON body of the items. Raises ArgumentError."""
    from callsheet.cli.items import parse_items

    items = parse_items(texts)
    fields = fields_of(items)
    if fields and body is not None:
        raise ArgumentError(f"--json gives the body whole; leave out the fields {', '.join(map(repr, fields))}")
    return {
        "params": [(item.name, item.value) for item in items if item.kind == "query"],
        "headers": {item.name: item.value for item in items if item.kind == "header"},
        "json": fields or body,
    }


def fields_of(items: Sequence[Item]) -> dict[str, Any]:
    """The fields of a body; a name given more than once is an array."""
    found: dict[str, list[Any]] = {}
    for item in items:
        if item.kind in ("field", "json"):
            found.setdefault(item.name, []).append(item.value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}
