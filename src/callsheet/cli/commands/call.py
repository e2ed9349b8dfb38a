"""`callsheet call`: a declared operation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from callsheet.cli.completion import complete_item, complete_target
from callsheet.cli.find_sheet import Wanted
from callsheet.cli.page_options import PageWishes, page_options
from callsheet.cli.screen import Screen
from callsheet.cli.shared_options import call_options, sheet_options
from callsheet.errors import UsageError

if TYPE_CHECKING:
    from callsheet.sheet import ServiceSheet, Sheet

MOST_SHOWN = 12
HELP = """Call a declared operation: callsheet call shop.create_user name=Ada age=36

SERVICE may be left out where the sheet has one service.

\b
  name=value      a parameter, or a field of the body; converted to its declared
                  type. Repeat it for an array: tag=a tag=b
  name:=json      the same, given as JSON: tags:='["a", "b"]'
  name==value     a query parameter
  Header:value    a header field (`Header;` sends an empty one)
  Header:         take a header of the sheet out
  name=@file      the text of a file; `:=@`, `==@` and `:@` likewise
  name@file       a file of a multipart body; name@file;type=text/csv
  @file           the whole body, where the sheet says `content`; @- is stdin
  \\               before one of : = @ ; makes it an ordinary character

A pipe or a file on stdin is the body, where one is declared and no item gives it.

\b
  callsheet call shop.get_user id=7
  callsheet call shop.list_users status==active -o json | jq .results
  callsheet call shop.create_user --json @user.json -v
  jq .user all.json | callsheet call shop.create_user -p HhBb
  callsheet call shop.get_user id=7 --curl
  callsheet call shop.set_photo id=7 photo@me.png
  callsheet call shop.export --download export.csv
  callsheet call shop.list_users --all -o csv > users.csv
"""


class CallCommand(click.Command):
    """The `call` command; for an unknown option its error says how an argument is given."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the words. Raises click.UsageError with the item to write in place of an unknown option."""
        given = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise click.UsageError(f"{error.format_message()} {_as_item(error.option_name, given)}", ctx) from None


def _as_item(option: str, words: list[str]) -> str:
    """The hint for an option such as `--page 2`: write `page=2`, without the value if it may be secret."""
    from callsheet.cli.curl.command_secrets import is_secret_field

    name = option.lstrip("-").replace("-", "_")
    at = next((at for at, word in enumerate(words) if word.partition("=")[0] == option), len(words))
    word, following = words[at] if at < len(words) else "", words[at + 1 : at + 2]
    value = word.partition("=")[2] or (following[0] if following and not following[0].startswith("-") else "...")
    shown = "..." if len(value) > 40 or is_secret_field(name, value) else value
    return f"An argument of the operation has no dashes: write {name}={shown}"


@click.command("call", cls=CallCommand, help=HELP, short_help="Call a declared operation.")
@click.argument("target", metavar="[SERVICE.]OPERATION", shell_complete=complete_target)
@click.argument("items", nargs=-1, metavar="[ITEMS]...", shell_complete=complete_item)
@sheet_options
@page_options
@call_options
@click.pass_obj
def command(
    screen: Screen, /, wanted: Wanted, target: str, items: tuple[str, ...], walk: PageWishes, **options: Any
) -> int:
    """Call a declared operation."""
    from callsheet.cli.all_pages import first_page, show_items, with_paging
    from callsheet.cli.arguments import gives_body, typed
    from callsheet.cli.items import parse_items, taken_out
    from callsheet.cli.prepared_call import Prepared, maker_of
    from callsheet.cli.preview_or_send import Wishes, act
    from callsheet.cli.standard_input import body_of
    from callsheet.plan.plan import Given

    wishes = Wishes(**options)
    walk.check(wishes)
    service, operation = wanted.load(screen, lambda sheet: named(sheet, target, items))
    parsed = parse_items(items)
    with maker_of(service, wishes.settings(), screen, *wishes.listeners(screen), left_out=taken_out(parsed)) as maker:
        maker.plans.plan(operation)
        declared = maker.plans.operations[operation]
        may_read = wishes.body is None and not wishes.ignore_stdin and not gives_body(declared, parsed)
        read = body_of(declared, screen) if may_read else {}
        given = typed(with_paging(declared, maker) if walk.everything else declared, [*parsed, *read.get("items", ())])
        arguments = given.arguments | {name: read[name] for name in read if name == "content"}
        body = read["json"] if "json" in read else wishes.json()
        wishes = wishes.of(declared)

        def made(fields: Mapping[str, str]) -> Prepared:
            if walk.everything:
                return first_page(maker, operation, given.arguments, Given(given.headers, body, wishes.timeout))
            extra = Given(
                {**given.headers, **fields},
                body,
                wishes.timeout,
                wishes.idempotency_key,
                wishes.cache,
                is_stream=wishes.is_transfer,
            )
            call, plan = maker.declared(operation, arguments, {}, extra)
            return Prepared(call, plan, maker)

        if not walk.everything or wishes.dry_run or wishes.curl:
            return act(made, wishes, wanted, screen)
        return show_items(maker, operation, given.arguments, Given(given.headers, body, wishes.timeout), walk, screen)


def named(sheet: Sheet, target: str, items: tuple[str, ...] = ()) -> tuple[ServiceSheet, str]:
    """The service and the operation name for a target such as `shop.get_user`. Raises UsageError."""
    from callsheet.cli.find_sheet import chosen_service

    if target in sheet.services and not any(target in service.operations for service in sheet.services.values()):
        raise UsageError(_without_operation(sheet.services[target], items))
    service, dot, operation = target.partition(".")
    only = next(iter(sheet.services.values())) if len(sheet.services) == 1 else None
    if only is not None and (not dot or target in only.operations):
        return only, target
    return chosen_service(sheet.services, service if dot else None, sheet.name), operation if dot else target


def _without_operation(service: ServiceSheet, items: tuple[str, ...]) -> str:
    from callsheet.sheet.tree.findings import one_of

    found = f"`{service.name}` is a service"
    if items[:1] and items[0] in service.operations:
        return f"{found}; did you mean `{service.name}.{items[0]}`?"
    names = [f"{service.name}.{name}" for name in service.operations]
    if not names:
        return f"{found} without operations; `callsheet request {service.name} GET /path` sends any request"
    more = f", and {len(names) - MOST_SHOWN} more: see `callsheet list {service.name}`" if names[MOST_SHOWN:] else ""
    return f"{found}; name the operation: {one_of(names[:MOST_SHOWN])}{more}"
