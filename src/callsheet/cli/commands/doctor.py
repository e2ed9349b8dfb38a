"""`callsheet doctor`: checks everything on this machine that calls depend on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from callsheet.cli.completion import complete_service
from callsheet.cli.find_sheet import Wanted
from callsheet.cli.screen import Screen
from callsheet.cli.shared_options import sheet_options

if TYPE_CHECKING:
    from callsheet.cli.doctor.found import Topic

HELP = """Check everything that calls depend on: the sheet, its variables, certificates
and their dates, proxy, store, permissions and versions. It works with a broken
sheet, too, and with none.

With --online each service (or those that are named) is asked once, with HEAD:
name lookup, TCP, TLS and first byte with their timings, and its clock beside
ours. Without it nothing leaves this machine.

Exit code 0, also with warnings; 7 if there is a problem. No secret is shown.

\b
  callsheet doctor
  callsheet doctor --env prod --online
  callsheet doctor shop --online -o json
"""


@click.command("doctor", help=HELP, short_help="Check all that calls depend on: certificates, clock, proxy, store.")
@click.argument("services", nargs=-1, shell_complete=complete_service)
@click.option("--online", is_flag=True, help="Ask each service once, too.")
@click.option("--output", "-o", "form", type=click.Choice(["json"]), help="As JSON.")
@click.option("--json", "form", flag_value="json", help="The same as -o json.")
@sheet_options
@click.pass_obj
def command(screen: Screen, wanted: Wanted, services: tuple[str, ...], online: bool, form: str | None) -> int:
    """Check everything."""
    from callsheet.cli.doctor.examined import examined
    from callsheet.cli.doctor.shown import as_data, show_all
    from callsheet.cli.doctor.topics import online_topics, topics
    from callsheet.cli.exits import FOUND, OK
    from callsheet.cli.output import show_json

    found = examined(wanted, services)
    listed: list[Topic] = topics(found, online=online)
    if online:
        listed += online_topics(found, screen)
    if form == "json":
        show_json(as_data(listed), screen)
    else:
        show_all(listed, screen)
    return FOUND if any(each.grade == "problem" for topic in listed for each in topic.found) else OK
