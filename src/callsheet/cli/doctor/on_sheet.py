"""Checks the sheet itself: which one it is, its errors, its environment, its types, and who else can read it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from callsheet.cli.doctor.examined import Examined
from callsheet.cli.doctor.found import Found, counted, ok, problem, skipped, warning
from callsheet.cli.find_sheet import NAME, Wanted, unset_in
from callsheet.errors import APIError, Finding
from callsheet.process.exposure import exposed_mode
from callsheet.sheet.forms.reading import LITERAL


def check_sheet(examined: Examined) -> Iterator[Found]:
    """Which sheet was found and how, its errors except for variables, and its warnings."""
    if examined.path is None:
        yield problem(f"no {NAME} here or above", "name one with --file, or write a first one: callsheet init")
        return
    if examined.text is None or examined.sheet is None:
        yield problem(examined.why_not)
        return
    yield ok(f"{examined.path}, {how_found(examined.wanted, examined.path)}")
    told = [finding for finding in examined.errors if not is_of_a_variable(finding)]
    yield from (problem(head_of(finding), hint_of(finding)) for finding in told)
    yield _summary(examined, len(told))
    yield from _who_else(examined)
    yield from (warning(head_of(finding), hint_of(finding)) for finding in examined.sheet.warnings)


def _summary(examined: Examined, wrong: int) -> Found:
    assert examined.sheet is not None
    services = examined.sheet.services
    operations = sum(len(service.operations) for service in services.values())
    size = f"{counted(len(services), 'service')}, {counted(operations, 'operation')}"
    if not wrong:
        return ok(f"it can be read: {size}")
    # A broken sheet cannot be used for calls, but the parts that can be read are examined.
    return skipped(f"what follows is of what could be read all the same: {size}")


def how_found(wanted: Wanted, path: Path) -> str:
    """How this sheet was chosen."""
    if wanted.file:
        return "named with --file"
    if os.environ.get("CALLSHEET_FILE"):
        return "named by CALLSHEET_FILE"
    return "in the working directory" if path == Path(NAME) else "the nearest one above the working directory"


def is_of_a_variable(finding: Finding) -> bool:
    """Whether the error is a missing variable or mounted file; these are listed under `variables`."""
    return bool(unset_in(finding)) or finding.message.startswith("the file `")


def head_of(finding: Finding) -> str:
    """The place of a finding and its message."""
    return f"{finding.where}: {finding.message}" if finding.where else finding.message


def hint_of(finding: Finding) -> str:
    """The advice of a finding: the text behind the carets of its excerpt."""
    return finding.excerpt.rpartition("\n")[2].lstrip(" |^").strip()


def _who_else(examined: Examined) -> Iterator[Found]:
    """Whether others can read the sheet. If it holds a secret, its own warnings say so, and this says nothing."""
    assert examined.path is not None
    assert examined.sheet is not None
    if os.name != "posix":
        return
    mode = exposed_mode(examined.path)
    if not mode:
        yield ok("only its owner can read it")
    elif not examined.errors and not any(LITERAL in finding.message for finding in examined.sheet.warnings):
        yield ok(f"others can read it (mode {mode}), and no secret is written out on it")


def check_environment(examined: Examined) -> Iterator[Found]:
    """Which environment was chosen, and how."""
    sheet = examined.sheet
    if sheet is None:
        return
    if not sheet.environments and "environments" in (examined.text or ""):
        yield skipped("they cannot be read as the sheet is")
    elif not sheet.environments:
        yield ok("the sheet has no environments")
    elif sheet.environment is None:
        yield skipped(f"none of {', '.join(sheet.environments)} is chosen, and services are read under one")
    else:
        yield ok(f"{sheet.environment}, {_how_chosen(examined)} (of {', '.join(sheet.environments)})")


def _how_chosen(examined: Examined) -> str:
    if examined.wanted.env:
        return "named with --env"
    named = examined.variables.get("CALLSHEET_ENV")
    return f"named by CALLSHEET_ENV ({examined.sources['CALLSHEET_ENV']})" if named else "the sheet's default"


def check_types(examined: Examined) -> Iterator[Found]:
    """Whether every operation compiles, which imports the types that it names."""
    from callsheet.plan.service import ServicePlans

    compiled = 0
    for service in examined.services:
        if not examined.is_whole(service.name):
            yield skipped(f"those of {service.name} are compiled when its settings can be read whole")
            continue
        plans = ServicePlans(service, {}, ())
        for operation in plans.operations:
            try:
                plans.plan(operation)
                compiled += 1
            except APIError as error:
                yield problem(str(error).partition("\n")[0])
    if compiled:
        yield ok(f"{counted(compiled, 'operation')} compiled")
