"""Which sheet a command means, and how it is loaded."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from callsheet.cli.env_file import read_env_file
from callsheet.errors import Finding, SheetError, UsageError

if TYPE_CHECKING:
    from callsheet.cli.screen import Screen
    from callsheet.sheet import ServiceSheet, Sheet

NAME = "callsheet.yaml"
Target = TypeVar("Target")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The sheet, environment and `.env` files that a command line asks for."""

    file: str | None = None
    env: str | None = None
    env_files: tuple[str, ...] = ()

    def path(self) -> Path:
        """`--file`, else CALLSHEET_FILE, else the nearest `callsheet.yaml`. Raises UsageError."""
        named = self.file or os.environ.get("CALLSHEET_FILE")
        return Path(named) if named else nearest_sheet(Path.cwd())

    def variables(self) -> dict[str, str] | None:
        """The values for `${NAME}`: the environment over the `.env` files, of which later ones win; None without such files."""
        if not self.env_files:
            return None
        read: dict[str, str] = {}
        for path in self.env_files:
            read |= read_env_file(path)
        return read | dict(os.environ)

    def load(
        self, screen: Screen, choose: Callable[[Sheet], tuple[ServiceSheet, Target]]
    ) -> tuple[ServiceSheet, Target]:
        """The service that `choose` finds on the sheet, and what else that gives. Raises SheetError, UsageError.

        The variables of other services need not be set.
        """
        from callsheet.sheet import Sheet

        def read(path: Path) -> tuple[ServiceSheet, Target]:
            """What is chosen on the whole sheet; if that cannot be used, on its outline, to read it for one service alone."""
            try:
                return choose(self.parsed(Sheet.parse, path))
            except SheetError as error:
                try:
                    outline = self.parsed(Sheet.outline, path)
                except SheetError:
                    raise error from None
            service, target = choose(outline)
            sheet = self.parsed(partial(Sheet.parse, services=[service.name]), path)
            return sheet.services[service.name], target

        return self._read(read, screen)

    def outline(self, screen: Screen) -> Sheet:
        """The sheet, for showing it only: its variables need not be set. Raises SheetError, UsageError."""
        from callsheet.sheet import Sheet

        return self._read(partial(self.parsed, Sheet.outline), screen)

    def _read(self, read: Callable[[Path], Target], screen: Screen) -> Target:
        path = self.path()
        self.prepare(path, screen)
        try:
            return read(path)
        except SheetError as error:
            hint = self.env_file_hint(path, error.findings)
            if hint:
                screen.say(hint)
            raise

    def parsed(self, read: Callable[..., Sheet], path: Path, env: str | None = None) -> Sheet:
        """The sheet as `read` takes it from its text. Raises SheetError in the words of the command line."""
        from callsheet.sheet.sheet_file import sheet_text

        given = {"env": env or self.env, "variables": self.variables(), "folder": path.absolute().parent}
        try:
            return read(sheet_text(str(path)), name=str(path), **given)
        except SheetError as error:
            if not error.findings:
                raise
            raise SheetError([_as_typed(finding) for finding in error.findings]) from None

    def salvaged(self, path: Path, text: str, variables: Mapping[str, str]) -> tuple[Sheet, tuple[Finding, ...]]:
        """What can be read of a broken sheet's text, and all of its errors in the words of the command line."""
        from callsheet.sheet import Sheet

        folder = path.absolute().parent
        sheet, errors = Sheet.salvage(text, name=str(path), env=self.env, variables=variables, folder=folder)
        return sheet, tuple(_as_typed(finding) for finding in errors)

    def env_file_hint(self, path: Path, findings: Iterable[Finding]) -> str:
        """A hint if a `.env` file beside the sheet, which was not read, has variables that are not set; else an empty text."""
        beside = path.parent / ".env"
        unset = {name for finding in findings for name in unset_in(finding)}
        if not unset or self.env_files or not beside.is_file():
            return ""
        try:
            known = sorted(unset & read_env_file(str(beside)).keys())
        except UsageError:
            return ""
        return f"callsheet: {beside} names {', '.join(known)}: `--env-file {beside}` reads it" if known else ""

    def prepare(self, path: Path, screen: Screen) -> None:
        """Say which sheet is used unless it is the one in this folder, and let `module:Type` be imported from beside it."""
        if self.file is None and path.absolute() != Path.cwd() / NAME:
            screen.say(f"callsheet: using {path}")
        folder = str(path.absolute().parent)
        if folder not in sys.path:
            sys.path.insert(0, folder)


def unset_in(finding: Finding) -> list[str]:
    """The names of the variables that a finding says are not set or empty."""
    return re.findall(r"the variable `(\w+)` is ", finding.message)


def entries_under(key: str, text: str) -> list[tuple[Any, Any]]:
    """Keys and values, as YAML nodes, of the mapping under a key of the sheet; none if the text is no YAML."""
    import yaml

    try:
        tree = yaml.compose(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, RecursionError):
        return []
    entries = tree.value if isinstance(tree, yaml.MappingNode) else []
    found = [value for name, value in entries if name.value == key and isinstance(value, yaml.MappingNode)]
    return found[0].value if found else []


def _as_typed(finding: Finding) -> Finding:
    """The finding with `--env` where the library says `env=`."""
    message = finding.message.replace("(from env=)", "(from --env)")
    return replace(finding, message=message, excerpt=finding.excerpt.replace("give env=,", "give --env NAME,"))


def nearest_sheet(folder: Path) -> Path:
    """The sheet of a folder or of one above it, up to the one with `.git` or the home directory. Raises UsageError."""
    home = Path.home()
    for place in (folder, *folder.parents):
        if (place / NAME).is_file():
            return Path(NAME) if place == Path.cwd() else place / NAME
        if (place / ".git").exists() or place == home:
            break
    raise UsageError(
        f"no {NAME} in {folder}, nor above it up to the folder with .git or the home directory; "
        "name one with --file or CALLSHEET_FILE, or write a first one with `callsheet init`"
    )


def chosen_service(services: Mapping[str, ServiceSheet], name: str | None, sheet: str) -> ServiceSheet:
    """The service of this name, or the only one. Raises UsageError."""
    from callsheet.sheet.tree.findings import did_you_mean, one_of

    if name is None:
        if len(services) == 1:
            return next(iter(services.values()))
        raise UsageError(f"{sheet} has several services: name {one_of(services)} before the operation")
    if name not in services:
        raise UsageError(
            f"{sheet}: no service `{name}`; {did_you_mean(name, services) or f'it has {one_of(services)}'}"
        )
    return services[name]
