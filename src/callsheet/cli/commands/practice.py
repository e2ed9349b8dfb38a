"""`callsheet practice`: runs the practice API until Ctrl-C."""

from __future__ import annotations

import click

from callsheet.cli.screen import Screen
from callsheet.errors import UsageError

HELP = """Run the practice API on loopback until Ctrl-C.

\b
  callsheet practice                       http://127.0.0.1:8000
  callsheet practice --port 0              a free port; stderr says which
  callsheet practice --sheet               print a sheet for it, and end
"""


@click.command("practice", help=HELP, short_help="Run the practice API.")
@click.option(
    "--port", "-p", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free one."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--sheet", is_flag=True, help="Print a sheet for it, and end.")
@click.pass_obj
def command(screen: Screen, port: int, host: str, sheet: bool) -> int:
    """Run the practice API."""
    from callsheet.practice import SHEET

    if sheet:
        screen.write(SHEET.read_bytes())
        return 0
    try:
        from callsheet.practice import serve
    except ModuleNotFoundError as error:
        raise UsageError(str(error)) from None
    serve(port, host)
    return 0
