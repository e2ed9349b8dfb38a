"""`callsheet demo`: shows what Callsheet does, in a few seconds."""

from __future__ import annotations

import click

from callsheet.cli.screen import Screen

HELP = """Show what Callsheet does, against a practice API on a free loopback port.

It ends by itself within a few seconds, and touches neither the network nor your
files. It leaves its sheet and a program in a new temporary folder, and says how
to go on with them. Exit code 1 if a step did not end as it must.
"""


@click.command("demo", help=HELP, short_help="Show all of it against a practice API on this machine.")
@click.pass_obj
def command(screen: Screen) -> int:
    """Show what Callsheet does."""
    from callsheet.cli.demo import show_demo

    return show_demo(screen)
