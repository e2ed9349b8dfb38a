"""The command `callsheet` and its commands, each loaded when it is run: `callsheet --help` loads none of them."""

from __future__ import annotations

import importlib
import re
from typing import Any

import click

from callsheet.cli.shared_options import ENV, ENV_FILES, FILE

HELP = """Call the HTTP APIs declared on a sheet, callsheet.yaml.

\b
  callsheet init                             write a first sheet
  callsheet call shop.create_user name=Ada   call an operation
  callsheet request shop GET /users page==2  call what is not declared
  callsheet list                             see what can be called
  callsheet explain shop.create_user         see its settings and worst case
  callsheet demo                             watch all of it, on this machine

Data goes to stdout, everything else to stderr. Exit codes: 0 ok, 1 the way or
we failed, 2 usage or sheet error, 3 a redirect, 4 a 4xx, 5 a 5xx or an unusable
answer, 6 we stopped (timeout, limit), 130 Ctrl-C.
"""

SUMMARIES = {
    "call": "Call a declared operation.",
    "request": "Send a request that no operation declares.",
    "list": "List services and operations.",
    "explain": "Show every setting, where it came from, and the worst case.",
    "check": "Check the sheet, and compile all of it.",
    "doctor": "Check all that calls depend on: certificates, clock, proxy, store.",
    "cache": "See and clear stored answers.",
    "init": "Write a first sheet.",
    "import": "Make an operation of a curl command.",
    "schema": "Print the JSON Schema of the sheet.",
    "demo": "Show all of it against a practice API on this machine.",
    "practice": "Run the practice API.",
    "completion": "Print the completion script of a shell.",
}
"""Every command and its line in the help, in the order of the help. Command `x` is `command` in `commands/x.py`."""

OPERATION = re.compile(r"[A-Za-z][A-Za-z0-9-]*[._][A-Za-z_][\w.-]*")
HTTP_METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "POST", "PATCH")


class Commands(click.Group):
    """The commands of SUMMARIES; a module is imported when its command is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the help."""
        return list(SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One command, or None."""
        if cmd_name not in SUMMARIES:
            return None
        name = "import_curl" if cmd_name == "import" else cmd_name
        command: click.Command = importlib.import_module(f"callsheet.cli.commands.{name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The named command. Raises click.UsageError that suggests the nearest one for an unknown name."""
        if args and args[0] not in SUMMARIES and not args[0].startswith("-"):
            import difflib

            close = difflib.get_close_matches(args[0], SUMMARIES, n=1)
            hint = f"did you mean `{close[0]}`?" if close else f"expected one of {', '.join(SUMMARIES)}"
            hint = _as_target(args[0]) or hint
            raise click.UsageError(f"no command `{args[0]}`; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from SUMMARIES, so that no command is imported for the help."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


def _as_target(word: str) -> str:
    """The hint for what is no command, but an operation or a URL to be called."""
    if "/" in word or word.startswith(":") or word.upper() in HTTP_METHODS:
        return f"did you mean `callsheet request {word} ...`?"
    return f"did you mean `callsheet call {word}`?" if OPERATION.fullmatch(word) else ""


def show_version(context: click.Context, _option: click.Parameter, value: bool) -> None:
    """Print the version, and end."""
    if value:
        from callsheet.version import __version__

        context.obj.print(f"callsheet {__version__}")
        context.exit()


@click.group(
    cls=Commands, help=HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=show_version, help="Show the version."
)
@FILE
@ENV
@ENV_FILES
def commands(**_sheet: Any) -> None:
    """Run a command; options about the sheet may stand before its name."""
