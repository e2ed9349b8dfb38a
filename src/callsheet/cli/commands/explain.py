"""`callsheet explain`: shows the settings in force, where each came from, and the worst case that they allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from callsheet.cli.completion import complete_explained
from callsheet.cli.find_sheet import Wanted
from callsheet.cli.screen import Screen, visible
from callsheet.cli.shared_options import sheet_options
from callsheet.errors import UsageError

if TYPE_CHECKING:
    from rich.text import Text

    from callsheet.explain.explanation import Explanation
    from callsheet.explain.layout import TextLine
    from callsheet.sheet import ServiceSheet, Sheet

HELP = """Show every setting of a service or an operation and where it came from, the
policies in the order in which they are asked, and the worst case: attempts,
longest time, requests that an outage would cause. What is off is left out.

TARGET is SERVICE or SERVICE.OPERATION; the service may be left out where the
sheet has one. Nothing is sent or imported, and the variables of the sheet need
not be set. Secrets are never shown.

\b
  callsheet explain shop
  callsheet explain shop.create_user --changed
  callsheet explain shop.create_user --why --all
  callsheet explain shop --env prod --calls 500/s
  callsheet explain shop -o json | jq '.settings["timeout.total"]'
"""
STYLES = {"heading": "bold", "strong": "", "plain": "", "quiet": "dim"}


@click.command("explain", help=HELP, short_help="Show every setting, where it came from, and the worst case.")
@click.argument("target", required=False, shell_complete=complete_explained)
@click.option("--changed", is_flag=True, help="Only the settings that are not built-in.")
@click.option("--all", "everything", is_flag=True, help="What is off, too.")
@click.option("--why", is_flag=True, help="What each setting is for, and the reason for its default.")
@click.option(
    "--calls", metavar="RATE", default="100/s", help="Calls in an outage, such as 20/s or 600/min; else 100/s."
)
@click.option("--output", "-o", "form", type=click.Choice(["json"]), help="As JSON.")
@sheet_options
@click.pass_obj
def command(screen: Screen, /, wanted: Wanted, target: str | None, calls: str, form: str | None, **chosen: bool) -> int:
    """Explain a service or an operation."""
    from callsheet.cli.output import show_json
    from callsheet.explain.explanation import lines_of, lines_with_reasons
    from callsheet.explain.layout import WIDTH, TextLine, fitted

    found = explanation(wanted.outline(screen), target, calls)
    found = found.changed() if chosen["changed"] else found
    if form == "json":
        show_json(found.as_dict(), screen)
        return 0
    shown = found if chosen["everything"] else found.without_off()
    columns = min(screen.columns(), WIDTH) if screen.is_terminal else WIDTH
    lines = lines_with_reasons(shown, columns) if chosen["why"] else lines_of(shown, columns)
    hidden = len(found.settings) + len(found.pipeline) - len(shown.settings) - len(shown.pipeline)
    lines += [TextLine(""), TextLine(f"{hidden} that are off are hidden: `--all`", "quiet")] if hidden else []
    show(list(fitted(lines, columns)) if screen.is_terminal else lines, screen)
    return 0


def explanation(sheet: Sheet, target: str | None, calls: str) -> Explanation:
    """The explanation of a service or an operation. Raises UsageError, ArgumentError."""
    from callsheet.explain.explain import explained
    from callsheet.plan.service import ServicePlans

    service, operation = meant(sheet, target)
    return explained(ServicePlans(service, {}, ()), operation, calls)


def meant(sheet: Sheet, target: str | None) -> tuple[ServiceSheet, str | None]:
    """The service that a target names, and the operation if it names one. Raises UsageError."""
    from callsheet.cli.find_sheet import chosen_service
    from callsheet.sheet.tree.findings import one_of

    services = sheet.services
    only = next(iter(services.values())) if len(services) == 1 else None
    if target is None:
        if only is None:
            raise UsageError(
                f"{sheet.name} has several services: explain {one_of(services)}, or one of their operations"
            )
        return only, None
    name, dot, operation = target.partition(".")
    if only is not None and not dot and name not in services:
        return only, name
    return chosen_service(services, name, sheet.name), operation if dot else None


def show(lines: list[TextLine], screen: Screen) -> None:
    """Put the lines on the data stream, coloured if the screen has colours."""
    if not screen.has_colour:
        screen.print("\n".join(visible(line.text) for line in lines))
        return
    screen.show(*map(_coloured, lines))


def _coloured(line: TextLine) -> Text:
    from rich.text import Text

    text, style = visible(line.text), STYLES[line.tone]
    if line.tone == "strong":
        return Text.assemble((text[:1], "bold cyan"), text[1:])
    return Text(text, style)
