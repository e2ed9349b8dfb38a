"""`callsheet request`: sends a request that no operation declares."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from callsheet.cli.completion import complete_request
from callsheet.cli.find_sheet import Wanted, chosen_service
from callsheet.cli.items import ItemArgument, parse_items, shown, taken_out
from callsheet.cli.screen import Screen
from callsheet.cli.shared_options import call_options, sheet_options
from callsheet.errors import ArgumentError, UsageError

if TYPE_CHECKING:
    from callsheet.cli.preview_or_send import Wishes
    from callsheet.sheet import ServiceSheet, Sheet

HELP = """Send a request that no operation declares, under the service's settings.

SERVICE may be left out where the sheet has one service. A URL in place of
SERVICE, METHOD and PATH needs no sheet: https://host/path, host/path, :8000/path.

\b
  name=value      a text field of a JSON body
  name:=json      a field of it given as JSON: age:=36
  name==value     a query parameter
  Header:value    a header field
  Header:         take a header of the sheet out; `Header;` sends an empty one
  name=@file      the text of a file
  name@file       a file of a multipart body, beside fields and other files;
                  name@file;type=text/csv names its type
  @file           the whole body; @- is stdin

A pipe or a file on stdin is the body, where no item gives one (not of GET, HEAD ...).

\b
  callsheet request shop GET /users status==active
  callsheet request shop POST /users name=Ada age:=36
  callsheet request shop DELETE /users/7 -v
  callsheet request shop POST /login --form name=ada 'card[number]=1'
  callsheet request shop POST /photos title=Me photo@me.png
  callsheet request shop PUT /backup @backup.tar.gz --timeout 1h
  callsheet request shop GET /export --download export.csv
  callsheet request :8000/users name=Ada -v
  callsheet request DELETE https://host.example/users/7
"""

WITHOUT_BODY = ("GET", "HEAD", "OPTIONS", "TRACE", "DELETE")
IS_TARGET = re.compile("/|https?://", re.IGNORECASE)


@click.command("request", help=HELP, short_help="Send a request that no operation declares.")
@click.argument("words", nargs=-1, metavar="[SERVICE] METHOD PATH|URL [ITEMS]...", shell_complete=complete_request)
@sheet_options
@call_options
@click.pass_obj
def command(screen: Screen, /, wanted: Wanted, words: tuple[str, ...], **options: Any) -> int:
    """Send a request that no operation declares."""
    from callsheet.cli.prepared_call import Prepared, maker_of
    from callsheet.cli.preview_or_send import Wishes, act
    from callsheet.cli.standard_input import content_in, piped
    from callsheet.cli.url import without_sheet

    wishes = Wishes(**options)
    wishes.check()
    free = without_sheet(words, wanted)
    service, rest = free or wanted.load(screen, lambda sheet: _named(sheet, words))
    items = parse_items(rest[2:])
    has_body = wishes.form or wishes.body is not None or any(item.kind not in ("header", "query") for item in items)
    may_read = not has_body and not wishes.ignore_stdin and rest[0].upper() not in WITHOUT_BODY
    stdin = piped(screen) if may_read else None
    method = rest[0].upper() or ("POST" if has_body or stdin else "GET")
    asked = request_options(items, wishes) | (content_in(stdin) if stdin else {})
    with maker_of(service, wishes.settings(), screen, *wishes.listeners(screen), left_out=taken_out(items)) as maker:

        def made(fields: Mapping[str, str]) -> Prepared:
            options: Any = asked | {"headers": asked["headers"] | fields}
            call, plan, _ = maker.undeclared(method, rest[1], options, is_stream=wishes.is_transfer)
            return Prepared(call, plan, maker)

        return act(made, wishes, None if free else wanted, screen)


def _named(sheet: Sheet, words: tuple[str, ...]) -> tuple[ServiceSheet, tuple[str, ...]]:
    """The service, and the words behind its name. Raises UsageError."""
    is_left_out = len(sheet.services) == 1 and words[1:2] != () and IS_TARGET.match(words[1])
    name, rest = (None, words) if is_left_out else (words[0] if words else None, words[1:])
    if len(rest) < 2:
        example = "callsheet request shop GET /users, callsheet request https://host.example/path"
        raise UsageError(f"expected SERVICE METHOD PATH or an http URL, as in: {example}")
    return chosen_service(sheet.services, name, sheet.name), rest


def request_options(items: Sequence[ItemArgument], wishes: Wishes) -> dict[str, Any]:
    """The options of the request: query, headers and body from the items, and the limits. Raises ArgumentError."""
    headers = {item.name: item.value for item in items if item.kind == "header" and item.value is not None}
    options = body_options(items, wishes)
    content_type = options.pop("content_type", None)
    if content_type and not any(item.name.lower() == "content-type" for item in items if item.kind == "header"):
        headers["Content-Type"] = content_type
    return {
        "params": [(item.name, item.value) for item in items if item.kind == "query"],
        "headers": headers,
        "timeout": wishes.timeout,
        "idempotency_key": wishes.idempotency_key,
        "cache": wishes.cache,
        **options,
    }


def body_options(items: Sequence[ItemArgument], wishes: Wishes) -> dict[str, Any]:
    """The one body that items and options stand for. Raises ArgumentError for two of them."""
    from callsheet.cli.uploads import content_of, file_of, media_type_of

    bodies = [item for item in items if item.kind == "body"]
    pairs = [(item.name, item.value) for item in items if item.kind in ("field", "json")]
    files = [(item.name, file_of(item)) for item in items if item.kind == "file"]
    _refuse_two_bodies(items, wishes)
    if bodies:
        return {"content": content_of(bodies[0]), "content_type": media_type_of(bodies[0].value)}
    if files:
        return {"files": files, "data": pairs}
    if wishes.form:
        return {"data": pairs}
    return {"json": fields_of(items) or wishes.json()}


def _refuse_two_bodies(items: Sequence[ItemArgument], wishes: Wishes) -> None:
    bodies = [shown(item.text) for item in items if item.kind == "body"]
    parts = [repr(item.name) for item in items if item.kind in ("field", "json", "file")]
    if wishes.body is not None:
        bodies.insert(0, "--json")
    if len(bodies) > 1:
        raise ArgumentError(f"{' and '.join(bodies)}: a request has one body")
    if bodies and parts:
        raise ArgumentError(f"{bodies[0]} gives the body whole; leave out the fields {', '.join(parts)}")


def fields_of(items: Sequence[ItemArgument]) -> dict[str, Any]:
    """The fields of a body; a name given more than once is an array."""
    found: dict[str, list[Any]] = {}
    for item in items:
        if item.kind in ("field", "json"):
            found.setdefault(item.name, []).append(item.value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}
