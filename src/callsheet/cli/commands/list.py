"""`callsheet list`: shows the operations that can be called."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from callsheet.cli.find_sheet import Wanted
from callsheet.cli.screen import Screen, columns
from callsheet.cli.shared_options import sheet_options
from callsheet.values.typeref import FILE, TypeRef

if TYPE_CHECKING:
    from callsheet.sheet import ServiceSheet
    from callsheet.sheet.words.operation import Operation, Parameter

HELP = """List services and operations.

A table on a terminal; piped, one line each: target, method, path, arguments,
result, summary, separated by tabs. The variables of the sheet need not be set,
and no type is imported.

\b
  name  name?      must be given; may be left out
  Header:          a header field
  name@            a file
  {}  {mod:Type}   a JSON body, field by field or whole

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

    sheet = wanted.outline(screen)
    services = [chosen_service(sheet.services, service, sheet.name)] if service else list(sheet.services.values())
    if form == "json":
        show_json([record for found in services for record in records(found)], screen)
    elif screen.is_terminal:
        if all(width_of(found) <= screen.columns() for found in services):
            screen.show(*[table for found in services for table in tables(found)])
        else:
            screen.show(*[text for found in services for text in blocks(found, screen.columns())])
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
            "body": operation.body_kind,
            "fields": [name.removesuffix("?") for name in fields_of(operation.json)],
            "returns": result_of(operation),
            "has_body": operation.has_body,
            "summary": operation.summary,
        }
        for name, operation in service.operations.items()
    ]


def rows_of(service: ServiceSheet) -> list[list[str]]:
    """The operations of a service, a row of texts each."""
    return [
        [
            f"{service.name}.{name}",
            operation.method,
            operation.path,
            arguments_of(operation),
            result_of(operation),
            operation.summary,
        ]
        for name, operation in service.operations.items()
    ]


def tables(service: ServiceSheet) -> list[Any]:
    """A heading and a table of the service's operations, for rich."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    heading = Text.assemble(
        (service.name, "bold"), f"  {service.description}".rstrip(), "  ", (base_url(service), "dim")
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for name in ("operation", "method", "path", "arguments", "result", "summary"):
        table.add_column(name, overflow="fold")
    for target, *others in rows_of(service):
        table.add_row(Text(target, "cyan"), *map(Text, others))
    return [heading, table]


def width_of(service: ServiceSheet) -> int:
    """The columns that the table of a service takes."""
    rows = [["operation", "method", "path", "arguments", "result", "summary"], *rows_of(service)]
    heading = len(f"{service.name}  {service.description}  {base_url(service)}")
    return max(heading, sum(max(map(len, column)) + 2 for column in zip(*rows, strict=True)) + 2)


def blocks(service: ServiceSheet, width: int) -> list[Any]:
    """What stands in the table, below each other, for rich: for a screen that is too narrow for it."""
    from rich.text import Text

    def wrapped(text: str, style: str, indent: int = 2) -> list[Text]:
        """The text in lines that fit; those after the first go further in."""
        first, rest = " " * indent, " " * (indent + 2)
        lines = textwrap.wrap(text, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
        return [Text(line, style) for line in lines]

    lines = [*wrapped(service.name, "bold", 0), *wrapped(service.description, ""), *wrapped(base_url(service), "dim")]
    for target, method, path, arguments, result, summary in rows_of(service):
        lines += [Text(), *wrapped(target, "cyan", 0), *wrapped(f"{method} {path}", "")]
        lines += [*wrapped(arguments, ""), *wrapped(f"-> {result}" if result else "", ""), *wrapped(summary, "dim")]
    return [*lines, Text()]


def base_url(service: ServiceSheet) -> str:
    """The base URL of a service for its heading."""
    return service.settings().base_url or "(its base_url needs a variable)"


def arguments_of(operation: Operation) -> str:
    """The items that an operation takes: `?` behind one that may be left out, `{}` for a body of any fields."""
    named = [f"{_typed_name(p)}{'' if p.required else '?'}" for p in given_to(operation)]
    typed = operation.json or (operation.form if isinstance(operation.form, TypeRef) else None)
    whole = ["content"] if operation.content is not None else fields_of(typed) or _whole(typed)
    return " ".join([*named, *whole])


def _typed_name(parameter: Parameter) -> str:
    if parameter.location == "header":
        return f"{parameter.name}:"
    return f"{parameter.argument}@" if parameter.type.value == FILE else parameter.argument


def fields_of(ref: TypeRef | None) -> list[str]:
    """The fields of a body whose JSON Schema stands on the sheet, with `?` behind those that may be left out."""
    schema = ref.value if ref is not None and ref.kind == "json_schema" else {}
    required = schema.get("required") or ()
    return [name if name in required else f"{name}?" for name in schema.get("properties") or ()]


def _whole(ref: TypeRef | None) -> list[str]:
    if ref is None:
        return []
    return ["{}" if ref.value == "object" or ref.kind == "json_schema" else f"{{{name_of(ref)}}}"]


def result_of(operation: Operation) -> str:
    """The name of the type that a call returns, for each status if it depends on that; empty if it returns a Response."""
    returns = operation.returns
    if returns is None:
        return "stream" if operation.stream else ""
    if isinstance(returns, Mapping):
        return " ".join(f"{status}:{name_of(ref) if ref else 'nothing'}" for status, ref in returns.items())
    return name_of(returns)


def name_of(ref: TypeRef) -> str:
    """The name of a type on the sheet; a JSON Schema is named by `schemas`, its title or its `type`."""
    if ref.kind != "json_schema":
        return str(ref)
    schemas = ref.definitions or {}
    named = next((name for name, schema in schemas.items() if schema is ref.value), None)
    inner = ref.value.get("items")
    if named is None and isinstance(inner, dict) and ref.value.get("type") == "array":
        return f"list[{name_of(TypeRef('json_schema', inner, definitions=schemas))}]"
    pointed = str(ref.value.get("$ref", "")).removeprefix("#/schemas/")
    return named or pointed or str(ref.value.get("title") or ref.value.get("type") or "any")


def given_to(operation: Operation) -> list[Parameter]:
    """The parameters, and the fields of the body, that a caller gives."""
    from callsheet.sheet.words.operation import MISSING

    return [p for p in (*operation.parameters, *operation.fields) if p.value is MISSING]
