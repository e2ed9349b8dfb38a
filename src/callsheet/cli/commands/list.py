"""`callsheet list`: what can be called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from callsheet.cli.find_sheet import Wanted
from callsheet.cli.options import sheet_options
from callsheet.cli.screen import Screen, columns

if TYPE_CHECKING:
    from callsheet.declare.operation import Operation
    from callsheet.sheet import ServiceSheet

HELP = """List services and operations.

A table on a terminal; piped, one line each: target, method, path, arguments,
summary, separated by tabs.

\b
  callsheet list
  callsheet list shop
  callsheet list -o json | jq -r '.[].operation'
"""


@click.command("list", help=HELP, short_help="List services and operations.")
@click.argument("service", required=False)
@click.option("--output", "-o", "form", type=click.Choice(["json"]), help="As JSON.")
@sheet_options
@click.pass_obj
def command(screen: Screen, wanted: Wanted, service: str | None, form: str | None) -> int:
    """List services and operations."""
    from callsheet.cli.find_sheet import chosen_service
    from callsheet.cli.output import show_json

    sheet = wanted.load(screen)
    services = [chosen_service(sheet.services, service, sheet.name)] if service else list(sheet.services.values())
    if form == "json":
        show_json([record for found in services for record in records(found)], screen)
    elif screen.is_terminal:
        screen.show(*[table for found in services for table in tables(found)])
    else:
        rows = [row for found in services for row in rows_of(found)]
        screen.write(f"{columns(rows)}\n".encode() if rows else b"")
    return 0


def records(service: ServiceSheet) -> list[dict[str, Any]]:
    """The operations of a service, as data."""
    return [
        {
            "service": service.name,
            "operation": name,
            "method": operation.method,
            "path": operation.path,
            "arguments": [{"name": p.argument, "in": p.location, "required": p.required} for p in given_to(operation)],
            "body": body_of(operation),
            "has_body": operation.has_body,
            "summary": operation.summary,
        }
        for name, operation in operations(service).items()
    ]


def rows_of(service: ServiceSheet) -> list[list[str]]:
    """The operations of a service, a line each."""
    return [
        [f"{service.name}.{name}", operation.method, operation.path, arguments_of(operation), operation.summary]
        for name, operation in operations(service).items()
    ]


def tables(service: ServiceSheet) -> list[Any]:
    """A heading and a table."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    heading = Text.assemble(
        (service.name, "bold"), f"  {service.description}".rstrip(), "  ", (base_url(service), "dim")
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for name in ("operation", "method", "path", "arguments", "summary"):
        table.add_column(name, overflow="fold")
    for target, method, path, arguments, summary in rows_of(service):
        table.add_row(Text(target, "cyan"), method, path, arguments, summary)
    return [heading, table]


def base_url(service: ServiceSheet) -> str:
    """Where a service is."""
    return str(service.settings().base_url)


def arguments_of(operation: Operation) -> str:
    """What an operation takes: a `?` behind what may be left out, `{}` for a body."""
    named = [p.argument if p.required else f"{p.argument}?" for p in given_to(operation)]
    has_typed_body = operation.has_body and not operation.fields and operation.content is None
    whole = "content" if operation.content is not None else "{}" if has_typed_body else ""
    return " ".join([*named, *([whole] if whole else [])])


def body_of(operation: Operation) -> str | None:
    """The kind of the body that an operation sends."""
    kinds = ("json", "form", "multipart", "content")
    return next((kind for kind in kinds if getattr(operation, kind) is not None), None)


def given_to(operation: Operation) -> list[Any]:
    """The parameters, and the fields of the body, that a caller gives."""
    from callsheet.declare.operation import MISSING

    return [p for p in (*operation.parameters, *operation.fields) if p.value is MISSING]


def operations(service: ServiceSheet) -> dict[str, Operation]:
    """The declared operations."""
    from callsheet.declare.from_sheet import operations_of

    return dict(operations_of(service))
