"""Offers names from the sheet after TAB. The sheet is read as plain YAML, for speed; from a broken one nothing is offered."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from callsheet.cli.find_sheet import nearest_sheet
from callsheet.errors import UsageError

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
LOCATIONS = ("path", "query", "header", "form", "multipart")
"""METHODS and LOCATIONS repeat those of `sheet/`, whose import would take 0.2 s at every TAB."""


def names_on_sheet(ctx: click.Context) -> dict[str, dict[str, Any]]:
    """The operations of each service, as they are written: nothing is checked, no variable replaced."""
    import yaml

    named = ctx.params.get("file") or ctx.find_root().params.get("file") or os.environ.get("CALLSHEET_FILE")
    try:
        text = Path(named or nearest_sheet(Path.cwd())).read_text("utf-8")
        tree = yaml.load(text, Loader=yaml.CSafeLoader)
    except (OSError, ValueError, UsageError, yaml.YAMLError, RecursionError):
        return {}
    flat = _mapping(_mapping(tree).get("api_config"))
    services = _mapping(_mapping(tree).get("services")) or ({"api": flat} if flat else {})
    return {str(name): _mapping(_mapping(service).get("operations")) for name, service in services.items()}


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def complete_target(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer `service.operation`, each with its summary."""
    services = names_on_sheet(ctx)
    found = [
        CompletionItem(f"{service}.{name}", help=_mapping(operation).get("summary"))
        for service, operations in services.items()
        for name, operation in operations.items()
    ]
    if len(services) == 1 and "." not in incomplete:
        bare = [CompletionItem(item.value.partition(".")[2], help=item.help) for item in found]
        found = [item for item in bare if item.value.startswith(incomplete)] or found
    return [item for item in found if item.value.startswith(incomplete)]


def complete_service(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer services."""
    return [CompletionItem(name) for name in names_on_sheet(ctx) if name.startswith(incomplete)]


def complete_explained(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer services and `service.operation`."""
    return [*complete_service(ctx, param, incomplete), *complete_target(ctx, param, incomplete)]


def complete_item(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer `name=` for each parameter of the operation named before, and `name@` for each file."""
    services = names_on_sheet(ctx)
    service, dot, name = str(ctx.params.get("target") or "").partition(".")
    operations = services.get(service, {}) if dot else next(iter(services.values()), {})
    operation = _mapping(operations.get(name if dot else service))
    fields = _mapping(_mapping(operation.get("json")).get("properties"))
    names = [f"{argument(name, place)}=" for place in LOCATIONS for name in _mapping(operation.get(place))]
    files = [f"{name}@" for name, kind in _mapping(operation.get("multipart")).items() if _is_file(kind)]
    offered = [name for name in names if f"{name[:-1]}@" not in files] + files + [f"{name}=" for name in fields]
    return [CompletionItem(name) for name in offered if name.startswith(incomplete)]


def _is_file(kind: Any) -> bool:
    return (kind.get("type") if isinstance(kind, dict) else kind) == "file"


def argument(name: str, location: str) -> str:
    """The name under which a parameter is given: that of a header in lower case with `_`."""
    return "".join(c if c.isalnum() else "_" for c in name.lower()) if location == "header" else name


def complete_request(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer services, then methods."""
    given = ctx.params.get("words") or ()
    offered = METHODS if given else tuple(names_on_sheet(ctx))
    return [CompletionItem(name) for name in offered if len(given) < 2 and name.startswith(incomplete)]
