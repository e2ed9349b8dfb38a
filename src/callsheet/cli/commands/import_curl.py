"""`callsheet import curl`: makes an operation on the sheet from a curl command."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from callsheet.cli.find_sheet import unset_in
from callsheet.cli.screen import Screen
from callsheet.errors import Finding, SheetError, UsageError
from callsheet.process.exposure import open_private

if TYPE_CHECKING:
    from callsheet.cli.curl.command_line import CurlRequest
    from callsheet.cli.curl.draft import Draft
    from callsheet.cli.sheet_text import Added

HELP = """Make an operation of a curl command, on the sheet (which is created if there is none).

The command is one quoted text, or comes from stdin. Comments and layout of the
sheet stay. Secrets (credentials, cookies, API keys) are written as ${NAME}, and
stderr says which variables to set; their values are written nowhere.

\b
  callsheet import curl 'curl https://api.github.com/user -H "Authorization: Bearer abc"'
  pbpaste | callsheet import curl
  callsheet import curl --path-parameters 'curl https://api.example.com/users/7'
"""


class Import(click.Command):
    """Takes the curl command also without quotes around it, as far as the shell did not change it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Split the words; those from the curl command on are no options of `import`."""
        starts = [at for at, word in enumerate(args) if word.startswith("curl ")]
        if starts and "curl" not in args[: starts[0]]:
            args = [*args[: starts[0]], "curl", *args[starts[0] :]]
        doubled = next((at for at, pair in enumerate(pairwise(args)) if pair == ("curl", "curl")), None)
        if doubled is not None:
            args = [*args[: doubled + 1], "--", *args[doubled + 1 :]]
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            hint = "quote the whole curl command: callsheet import curl 'curl https://...'"
            raise click.UsageError(f"{error.format_message()} {hint}", ctx) from None


@click.command("import", cls=Import, help=HELP, short_help="Make an operation of a curl command.")
@click.argument("kind", type=click.Choice(["curl"]), metavar="curl")
@click.argument("words", nargs=-1, metavar="['CURL COMMAND']")
@click.option("--file", "file", metavar="FILE", help="The sheet; else CALLSHEET_FILE, else callsheet.yaml here.")
@click.option("--service", metavar="NAME", help="The service; else the one at this URL, else named after the host.")
@click.option("--operation", metavar="NAME", help="The operation; else named after method and path.")
@click.option("--path-parameters", is_flag=True, help="Make numbers and UUIDs in the path parameters.")
@click.option("--dry-run", is_flag=True, help="Print the new text of the sheet, and write nothing.")
@click.pass_obj
def command(
    screen: Screen,
    /,
    kind: str,
    words: tuple[str, ...],
    file: str | None,
    service: str | None,
    operation: str | None,
    path_parameters: bool,
    dry_run: bool,
) -> int:
    """Make an operation of a curl command."""
    from callsheet.cli.curl.command_secrets import Secrets
    from callsheet.cli.curl.draft import draft, service_name
    from callsheet.cli.sheet_text import NoPlaceError, added, indented, target_in

    path = Path(file or os.environ.get("CALLSHEET_FILE") or "callsheet.yaml")
    request = read(words)
    text = text_of(path)
    try:
        target = target_in(text, request, service)
        secrets = Secrets.beside(text, target.service, os.environ)
        made = draft(request, target.service, target.prefix, operation, secrets, parameters=path_parameters)
        result = added(text, made)
    except NoPlaceError as error:
        name = service or service_name(urlsplit(request.url).hostname or "")
        made = draft(request, name, "", operation, Secrets(name), parameters=path_parameters)
        lines = made.service_lines()
        screen.print(indented(lines, 2).rstrip())
        raise UsageError(f"{path} is left as it is: {error}; add the lines above to its services yourself") from None
    others = refuse_unusable(path, text, result.text, made.secrets.names.values())
    if dry_run:
        screen.write(result.text.encode())
    else:
        write(path, result.text)
        screen.say(f"callsheet: {result.service}.{result.operation} is on {path}")
    place = ["--file", file] if file else []
    tell(request, result, made, others, screen)
    words_to_try = ["try:", "callsheet", "call", f"{result.service}.{result.operation}", *map(shlex.quote, place)]
    screen.say(" ".join([*words_to_try, *made.items]))
    return 0


def read(words: tuple[str, ...]) -> CurlRequest:
    """The request of the command, given as one text, as words, or on stdin."""
    from callsheet.cli.curl.command_line import read_curl, read_words

    if not words or words == ("-",):
        return read_curl(sys.stdin.read())
    return read_curl(words[0]) if len(words) == 1 else read_words(list(words))


def text_of(path: Path) -> str:
    """The text of the sheet with its line breaks unchanged; empty if there is no sheet."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}") from None


def write(path: Path, text: str) -> None:
    """Write the sheet; only the owner can read a new one. Raises UsageError."""
    try:
        with open_private(path, is_new=False) as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None


def refuse_unusable(path: Path, before: str, after: str, variables: Iterable[str]) -> list[str]:
    """The variables of the new sheet that are not set, except these. Raises SheetError for errors that it did not have."""
    known = {finding.message for finding in findings_in(before, path, [])} if before.strip() else set()
    found = findings_in(after, path, variables)
    wrong = [finding for finding in found if finding.message not in known and not unset_in(finding)]
    if wrong:
        raise SheetError(wrong)
    return list(dict.fromkeys(name for finding in found for name in unset_in(finding)))


def findings_in(text: str, path: Path, variables: Iterable[str]) -> tuple[Finding, ...]:
    """The errors of a sheet, as if these variables were set."""
    from callsheet.sheet import Sheet

    values = dict.fromkeys(variables, "placeholder") | dict(os.environ)
    try:
        Sheet.parse(text, name=str(path), variables=values, folder=path.absolute().parent)
    except SheetError as error:
        return error.findings
    return ()


def tell(request: CurlRequest, result: Added, made: Draft, others: list[str], screen: Screen) -> None:
    """Say what of the curl command was left out, and which variables to set."""
    from callsheet.cli.curl.shell_words import REFERENCE

    for note in request.notes:
        screen.say(f"callsheet: {note}")
    if result.inherited is not None:
        screen.say(f"callsheet: the auth of service `{result.service}` is used")
    held = {name: value for value, name in made.secrets.names.items()}
    named = dict.fromkeys(REFERENCE.findall("\n".join((*result.lines, *made.items))))
    unset = [name for name in named if name in held and os.environ.get(name) != held[name]]
    if unset:
        screen.say(f"callsheet: set {', '.join(unset)}; the values stand nowhere on the sheet")
    rest = [name for name in dict.fromkeys((*(result.inherited or ()), *others)) if not os.environ.get(name)]
    if rest := [name for name in rest if name not in unset]:
        screen.say(f"callsheet: the sheet needs {', '.join(rest)} too, which {'are' if rest[1:] else 'is'} not set")
