"""What the doctor examines: the sheet as far as it can be read, and the variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callsheet.cli.env_file import read_env_file
from callsheet.cli.find_sheet import NAME, Wanted, chosen_service, entries_under
from callsheet.errors import Finding, SheetError, UsageError

if TYPE_CHECKING:
    from callsheet.sheet import ServiceSheet, Sheet

ENVIRONMENT = "the environment"


@dataclass(frozen=True, slots=True)
class Examined:
    """A sheet, which may be broken or missing. `sources` says where a variable is set; `services` are those to examine.

    If there is no sheet, `why_not` says why; `text` is None then, and `path` too if no file was found.
    """

    wanted: Wanted
    path: Path | None = None
    text: str | None = None
    why_not: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    sheet: Sheet | None = None
    errors: tuple[Finding, ...] = ()
    services: tuple[ServiceSheet, ...] = ()

    def is_whole(self, service: str) -> bool:
        """Whether no error is in this service, nor in what all services share."""
        lines = lines_of(self.text or "")
        first, last = lines.get(service, (0, 0))
        elsewhere = [span for name, span in lines.items() if name != service]
        return all(
            not first <= finding.line <= last and any(one <= finding.line <= other for one, other in elsewhere)
            for finding in self.errors
        )

    @property
    def folder(self) -> Path:
        """The folder that relative paths of the sheet begin at."""
        return (self.path or Path(NAME)).absolute().parent


def examined(wanted: Wanted, names: tuple[str, ...] = ()) -> Examined:
    """Read the sheet and the variables. Raises UsageError for a service that the sheet does not have."""
    from callsheet.sheet.sheet_file import sheet_text

    variables, sources, unread = _variables(wanted.env_files)
    path, text, why_not = None, None, ""
    try:
        path = wanted.path()
        text = sheet_text(str(path))
    except (UsageError, SheetError) as error:
        why_not = str(error)
    if path is None or text is None:
        return Examined(wanted, path, None, why_not, variables, sources, unread)
    sheet, errors = wanted.salvaged(path, text, variables)
    services = _chosen(sheet, names, is_whole=not errors)
    return Examined(wanted, path, text, "", variables, sources, unread, sheet, errors, services)


def lines_of(text: str) -> dict[str, tuple[int, int]]:
    """The first and the last line of each service of a sheet; none if the text is no YAML."""
    services = entries_under("services", text)
    return {str(key.value): (key.start_mark.line + 1, _last_line(value)) for key, value in services}


def _last_line(node: Any) -> int:
    """The line of the last value in a node. The end mark of a block is no help: it is behind the empty lines after it."""
    while node.value and isinstance(node.value, list):
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return int(max(node.start_mark.line, node.end_mark.line - (1 if node.end_mark.column == 0 else 0))) + 1


def _chosen(sheet: Sheet, names: tuple[str, ...], *, is_whole: bool) -> tuple[ServiceSheet, ...]:
    if not names:
        return tuple(sheet.services.values())
    if is_whole:
        return tuple(chosen_service(sheet.services, name, sheet.name) for name in names)
    return tuple(sheet.services[name] for name in names if name in sheet.services)


def _variables(files: tuple[str, ...]) -> tuple[dict[str, str], dict[str, str], tuple[str, ...]]:
    """The variables, where each of them is set, and why `.env` files could not be read."""
    values: dict[str, str] = {}
    sources: dict[str, str] = {}
    unread = []
    for path in files:
        try:
            read = read_env_file(path)
        except UsageError as error:
            unread.append(str(error))
            continue
        values |= read
        sources |= dict.fromkeys(read, path)
    return values | dict(os.environ), sources | dict.fromkeys(os.environ, ENVIRONMENT), tuple(unread)
