"""`callsheet check`: whether the sheet is right, and all of it compiles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from callsheet.cli.find_sheet import Wanted, entries_under, unset_in
from callsheet.cli.screen import Screen
from callsheet.cli.shared_options import sheet_options
from callsheet.errors import Finding, SheetError

if TYPE_CHECKING:
    from callsheet.sheet import Sheet

HELP = """Check the sheet: every key and value, every environment, every type that it names.

Exit code 2 if anything is wrong; warnings alone are 0, or 7 with --strict.
Without --env every environment is checked; one whose variables are not set here
is left out, and said so.

\b
  callsheet check
  callsheet check --env prod
  callsheet check --format github        for a GitHub workflow
"""
UNCHOSEN = "no environment was chosen"


class Checked(NamedTuple):
    """The errors and warnings of one environment, or the finding for which it was left out."""

    environment: str | None
    errors: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    left_out: Finding | None = None


@click.command("check", help=HELP, short_help="Check the sheet, and compile all of it.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "github"]), default="text", help="Of the findings."
)
@click.option("--strict", is_flag=True, help="Exit code 7 if there are warnings.")
@sheet_options
@click.pass_obj
def command(screen: Screen, wanted: Wanted, form: str, strict: bool) -> int:
    """Check the sheet."""
    path = wanted.path()
    wanted.prepare(path, screen)
    checked = list(all_checked(path, wanted))
    # Each finding once: most of them are the same in every environment.
    errors = list(dict.fromkeys(finding for found in checked for finding in found.errors))
    warnings = list(dict.fromkeys(finding for found in checked for finding in found.warnings))
    report(errors, warnings, str(path), form, screen)
    told = {finding.message for finding in errors}
    for found in checked:
        if found.left_out:
            why = " either" if found.left_out.message in told else f": {found.left_out.message}"
            screen.say(f"callsheet: environment `{found.environment}` was not checked{why}")
    hint = wanted.env_file_hint(path, [*errors, *(found.left_out for found in checked if found.left_out)])
    if hint:
        screen.say(hint)
    if not errors and form == "text":
        screen.say(f"{path}: ok{_environments(checked)}")
    return 2 if errors else 7 if warnings and strict else 0


def all_checked(path: Path, wanted: Wanted) -> Iterator[Checked]:
    """Check the environment that was asked for, else the default one and then all others."""
    from callsheet.sheet.sheet_file import sheet_text

    text = sheet_text(str(path))
    if wanted.env is not None:
        yield checked_in(path, wanted, wanted.env)
        return
    names = [key.value for key, _ in entries_under("environments", text) if isinstance(key.value, str)]
    first = checked_in(path, wanted, None)
    unchosen = tuple(finding for finding in first.errors if finding.message.startswith(UNCHOSEN))
    # That there is no default environment is a warning only: each of them may be right.
    yield Checked(None, warnings=unchosen) if unchosen and names else first
    for name in names:
        if name != first.environment:
            found = checked_in(path, wanted, name)
            unset = [finding for finding in found.errors if unset_in(finding)]
            yield Checked(name, left_out=unset[0]) if unset and len(unset) == len(found.errors) else found


def checked_in(path: Path, wanted: Wanted, env: str | None) -> Checked:
    """Read the sheet for one environment, and compile every plan."""
    from callsheet.sheet import Sheet

    try:
        sheet = wanted.parsed(Sheet.parse, path, env)
    except SheetError as error:
        return Checked(env, error.findings)
    return Checked(sheet.environment, tuple(compiled(sheet)), sheet.warnings)


def compiled(sheet: Sheet) -> Iterator[Finding]:
    """The findings of compiling each operation, such as a type that cannot be imported."""
    from callsheet.plan.service import ServicePlans

    for service in sheet.services.values():
        plans = ServicePlans(service, {}, ())
        for operation in (None, *plans.operations):
            try:
                plans.undeclared("GET") if operation is None else plans.plan(operation)
            except SheetError as error:
                yield from error.findings


def report(errors: list[Finding], warnings: list[Finding], path: str, form: str, screen: Screen) -> None:
    """Put the findings on the data stream."""
    graded = [("error", finding) for finding in errors] + [("warning", finding) for finding in warnings]
    if form == "json":
        screen.print(json.dumps([record(grade, finding, path) for grade, finding in graded], indent=2))
        return
    for grade, finding in graded:
        plain = str(finding) if grade == "error" else f"warning: {finding}"
        screen.print(github_line(grade, finding, path) if form == "github" else plain)


def record(grade: str, finding: Finding, path: str) -> dict[str, object]:
    """A finding as data."""
    return {
        "severity": grade,
        "file": path,
        "line": finding.line or None,
        "column": finding.column or None,
        "message": finding.message,
        "excerpt": finding.excerpt or None,
    }


def github_line(grade: str, finding: Finding, path: str) -> str:
    """A workflow command, as GitHub reads it from a job's output."""
    place = f",line={finding.line},col={finding.column}" if finding.line else ""
    message = f"{finding.message}\n{finding.excerpt}".strip()
    return f"::{grade} file={_property(path)}{place}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _environments(checked: list[Checked]) -> str:
    names = [found.environment for found in checked if found.environment and not found.left_out]
    return f" ({', '.join(names)})" if names else ""
