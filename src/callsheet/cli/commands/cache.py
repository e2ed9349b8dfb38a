"""`callsheet cache`: what is stored, in the store that the sheet names."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from callsheet.cli.find_sheet import Wanted
from callsheet.cli.screen import Screen, columns
from callsheet.cli.shared_options import sheet_options
from callsheet.errors import UsageError

if TYPE_CHECKING:
    from callsheet.sheet import Sheet
    from callsheet.stores.base import Shown

HELP = """See and clear what is stored, in the store that `stores: {cache: ...}` names.

\b
  callsheet cache info                  how many answers, how many bytes
  callsheet cache show                  the newest, without their bodies
  callsheet cache clear                 drop all
  callsheet cache clear shop.get_user   drop those of an operation
"""
PATIENCE = 10.0
"""Seconds that a store may take."""


@click.group("cache", help=HELP, short_help="See and clear stored answers.")
def command() -> None:
    """See and clear what is stored."""


@command.command("info", short_help="How many answers are stored, and how many bytes.")
@click.option("--output", "-o", "form", type=click.Choice(["json"]), help="As JSON.")
@sheet_options
@click.pass_obj
def info(screen: Screen, wanted: Wanted, form: str | None) -> int:
    """Print how much is stored."""
    from callsheet.cli.output import show_json
    from callsheet.sheet.forms.quantities import spelled_octets
    from callsheet.stores.base import Info

    with _store(wanted.outline(screen)) as ask:
        held = ask(Info())
    if form == "json":
        show_json(held._asdict(), screen)
        return 0
    most = f" of {spelled_octets(held.most)}" if held.most else ""
    screen.print(f"{held.place}: {_counted(held.entries)}, {spelled_octets(held.size) if held.size else '0B'}{most}")
    return 0


@command.command("show", short_help="The newest of the stored answers, without their bodies.")
@click.option("--limit", "-n", type=click.IntRange(min=1), default=20, metavar="N", help="At most so many (20).")
@click.option("--output", "-o", "form", type=click.Choice(["json"]), help="As JSON.")
@sheet_options
@click.pass_obj
def show(screen: Screen, wanted: Wanted, limit: int, form: str | None) -> int:
    """Print the newest of the stored answers."""
    from callsheet.cli.output import show_json
    from callsheet.stores.base import Show

    with _store(wanted.outline(screen)) as ask:
        found = ask(Show(limit))
    now = time.time()
    if form == "json":
        show_json([_record(each, now) for each in found], screen)
    elif found:
        screen.print(columns(map(str, _record(each, now).values()) for each in found))
    return 0


@command.command("clear", short_help="Drop stored answers.")
@click.argument("target", required=False)
@sheet_options
@click.pass_obj
def clear(screen: Screen, wanted: Wanted, target: str | None) -> int:
    """Drop what is stored for all, a service or an operation."""
    from callsheet.cli.commands.explain import meant
    from callsheet.stores.base import Clear

    sheet = wanted.outline(screen)
    question = Clear()
    if target is not None:
        service, operation = meant(sheet, target)
        if operation is not None and operation not in service.operations:
            raise UsageError(f"service `{service.name}` has no operation `{operation}`", service=service.name)
        question = Clear(service.name, operation)
    with _store(sheet) as ask:
        dropped = ask(question)
    screen.say(f"{_counted(dropped)} dropped")
    return 0


def _counted(answers: int) -> str:
    return "1 answer" if answers == 1 else f"{answers} answers"


@contextmanager
def _store(sheet: Sheet) -> Iterator[Any]:
    """Asks the store of the sheet. Raises UsageError for the memory of a process, APIError for a store in trouble."""
    from callsheet.client.wiring import ThreadWiring
    from callsheet.errors import APIError
    from callsheet.stores.base import StoreUnavailableError

    chosen = sheet.stores.cache
    if chosen.place == "memory":
        raise UsageError(
            "answers are kept in the memory of each process, and end with it; "
            'name a store that stays at the top of the sheet: `stores: {cache: "sqlite:.callsheet/cache.db"}`'
        )
    wiring = ThreadWiring()
    try:
        store = wiring.cache_store(chosen)
        yield lambda question: store.ask(question, PATIENCE)
    except StoreUnavailableError as error:
        raise APIError(f"the store of the cache could not be asked: {error}") from None
    finally:
        wiring.close()


def _record(shown: Shown, now: float) -> dict[str, Any]:
    """A stored answer for people, without its body, fields and keys."""
    entry = shown.entry
    return {
        "service": entry.service,
        "operation": entry.operation,
        "method": entry.method,
        "url": entry.url,
        "status": entry.status,
        "bytes": shown.size,
        "age": round(now - entry.answered),
        "fresh_for": round(entry.fresh_until - now),
    }
