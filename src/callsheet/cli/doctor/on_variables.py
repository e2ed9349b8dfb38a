"""Checks what the sheet takes from outside: variables, `.env` files and mounted files. Values are never shown."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from callsheet.cli.doctor.examined import ENVIRONMENT, Examined
from callsheet.cli.doctor.found import Found, ok, problem, warning
from callsheet.cli.env_file import read_env_file
from callsheet.errors import UsageError
from callsheet.process.exposure import exposed_mode
from callsheet.process.regular_file import small_file
from callsheet.sheet.references import Reference, references_in


def check_variables(examined: Examined) -> Iterator[Found]:
    """Every `${NAME}` and `${file:PATH}` of the sheet, and every `.env` file that was named."""
    yield from (problem(why) for why in examined.unread)
    yield from (found for path in examined.wanted.env_files for found in _env_file(Path(path)))
    if examined.text is None:
        return
    references = references_in(examined.text, str(examined.path), examined.wanted.env, examined.variables)
    for reference in references:
        yield _mounted(reference, examined) if reference.is_file else _variable(reference, examined)
    if not references:
        yield ok("the sheet refers to none")
    yield from _beside(examined, {reference.name for reference in references})


def _env_file(path: Path) -> Iterator[Found]:
    mode = exposed_mode(path)
    if mode:
        yield warning(f"{path}: others on this machine can read it (mode {mode})", f"chmod 600 {path}")


def _variable(reference: Reference, examined: Examined) -> Found:
    name, value = reference.name, examined.variables.get(reference.name)
    if value:
        source = examined.sources.get(name, ENVIRONMENT)
        return ok(f"{name} is set" + ("" if source == ENVIRONMENT else f", by {source}"))
    state = "not set" if value is None else "empty"
    if reference.has_default:
        return ok(f"{name} is {state}: the sheet's default holds")
    return problem(f"{name} is {state} (line {reference.line})", reference.why or f"set it: export {name}=...")


def _mounted(reference: Reference, examined: Examined) -> Found:
    path = examined.folder / reference.name
    told = f"the file {reference.name}"
    try:
        content = small_file(path)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a path"
        return problem(f"{told} cannot be read: {why} (line {reference.line})", f"mount it at {path}, or mend the path")
    if not content.rstrip(b"\r\n"):
        return problem(f"{told} is empty (line {reference.line})", "put the secret into it")
    mode = exposed_mode(path)
    if mode and path.stat().st_uid == os.geteuid():
        return warning(f"{told}: others on this machine can read it (mode {mode})", f"chmod 600 {path}")
    return ok(f"{told} can be read" + (f" (mode {mode}, by whoever mounted it)" if mode else ""))


def _beside(examined: Examined, names: set[str]) -> Iterator[Found]:
    """Look at a `.env` file beside the sheet, which is read only if `--env-file` names it."""
    beside = examined.folder / ".env"
    if examined.wanted.env_files or not beside.is_file():
        return
    yield from _env_file(beside)
    try:
        known = sorted(name for name in names & read_env_file(str(beside)).keys() if not examined.variables.get(name))
    except UsageError:
        return
    if known:
        yield warning(f"{beside} names {', '.join(known)} and was not read", f"--env-file {beside} reads it")
