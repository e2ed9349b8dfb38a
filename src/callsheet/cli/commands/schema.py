"""`callsheet schema`: prints the JSON Schema of the sheet, for editors."""

from __future__ import annotations

import click

from callsheet.cli.screen import Screen

HELP = """Print the JSON Schema of callsheet.yaml, so that an editor completes and checks it.

\b
  callsheet schema > callsheet.schema.json
  # yaml-language-server: $schema=callsheet.schema.json     first line of the sheet
"""


@click.command("schema", help=HELP, short_help="Print the JSON Schema of the sheet.")
@click.pass_obj
def command(screen: Screen) -> int:
    """Print the JSON Schema of the sheet."""
    from callsheet.cli.output import show_json
    from callsheet.sheet.schema import json_schema

    show_json(json_schema(), screen)
    return 0
