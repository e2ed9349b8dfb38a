"""`callsheet import curl`: a curl command becomes an operation on the sheet."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from callsheet.cli.screen import Screen
from callsheet.errors import Finding, SheetError, UsageError

if TYPE_CHECKING:
    from callsheet.cli.curl_words import CurlRequest
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
UNSET = "the variable `"


@click.command("import", help=HELP, short_help="Make an operation of a curl command.")
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
    from callsheet.cli.curl_import import draft, service_name
    from callsheet.cli.sheet_text import NoPlaceError, added, indented, target_in

    path = Path(file or os.environ.get("CALLSHEET_FILE") or "callsheet.yaml")
    request = read(words)
    text = text_of(path)
    try:
        target = target_in(text, request, service)
        made = draft(request, target.service, target.prefix, operation, parameters=path_parameters)
        result = added(text, made)
    except NoPlaceError as error:
        name = service or service_name(urlsplit(request.url).hostname or "")
        lines = draft(request, name, "", operation, parameters=path_parameters).service_lines()
        screen.print(indented(lines, 2).rstrip())
        raise UsageError(f"{path} is left as it is: {error}; add the lines above to its services yourself") from None
    refuse_unusable(path, text, result.text, made.variables)
    if dry_run:
        screen.write(result.text.encode())
    else:
        write(path, result.text)
        screen.say(f"callsheet: {result.service}.{result.operation} is on {path}")
    variables = [] if result.inherits_auth else made.variables
    tell(request, result, variables, made.items, screen)
    return 0


def read(words: tuple[str, ...]) -> CurlRequest:
    """The request of the command, given as one text, as words, or on stdin."""
    from callsheet.cli.curl_words import read_curl, read_words

    if not words or words == ("-",):
        return read_curl(sys.stdin.read())
    return read_curl(words[0]) if len(words) == 1 else read_words(list(words))


def text_of(path: Path) -> str:
    """The sheet as it is, line breaks and all; empty if there is none."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}") from None


def write(path: Path, text: str) -> None:
    """Put the text in place."""
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None


def refuse_unusable(path: Path, before: str, after: str, variables: list[str]) -> None:
    """Raise SheetError if the new text has anything wrong with it that the old one has not."""
    known = {finding.message for finding in findings_in(before, path, [])} if before.strip() else set()
    wrong = [finding for finding in findings_in(after, path, variables) if finding.message not in known]
    if wrong:
        raise SheetError(wrong)


def findings_in(text: str, path: Path, variables: list[str]) -> list[Finding]:
    """What is wrong with a sheet, variables that are not set aside."""
    from callsheet.sheet import Sheet

    values = dict.fromkeys(variables, "placeholder") | dict(os.environ)
    try:
        Sheet.parse(text, name=str(path), variables=values, folder=path.absolute().parent)
    except SheetError as error:
        return [finding for finding in error.findings if not finding.message.startswith(UNSET)]
    return []


def tell(request: CurlRequest, result: Added, variables: list[str], items: list[str], screen: Screen) -> None:
    """Say what to set, what was left out, and how to call it."""
    for note in request.notes:
        screen.say(f"callsheet: {note}")
    if result.inherits_auth:
        screen.say(f"callsheet: the auth of service `{result.service}` is used")
    if variables:
        screen.say(f"callsheet: set {', '.join(variables)}; the values stand nowhere on the sheet")
    shown = [item if item.startswith("--json") else shlex.quote(item) for item in items]
    screen.say(" ".join(["try:", "callsheet", "call", f"{result.service}.{result.operation}", *shown]))
