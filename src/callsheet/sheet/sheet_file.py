"""Finding the file of a sheet and reading its text, which is not parsed here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from callsheet.errors import SheetError

VARIABLE = "CALLSHEET_FILE"
USUAL_NAME = "callsheet.yaml"
LARGEST = 5 * 1024 * 1024


def sheet_path(path: str | os.PathLike[str] | None, variables: Mapping[str, str]) -> str:
    """The path of the sheet: the argument, else CALLSHEET_FILE, else `callsheet.yaml` in the working directory."""
    return os.fspath(path) if path is not None else variables.get(VARIABLE) or USUAL_NAME


def sheet_text(name: str) -> str:
    """The text of a sheet. Raises SheetError, saying what to do, for a file that cannot be read."""
    try:
        with Path(name).open("rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        looked = "" if Path(name).is_absolute() else f" in {Path.cwd()}"
        raise SheetError(f"{name}: no such file{looked}; `callsheet init` writes a first sheet") from None
    except IsADirectoryError:
        raise SheetError(f"{name}: a directory; name the sheet itself, such as {Path(name, USUAL_NAME)}") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a path"
        raise SheetError(f"{name}: cannot be read: {why}; check the path and its permissions") from None
    if len(content) > LARGEST:
        raise SheetError(f"{name}: larger than 5 MiB, which no sheet needs; split it by service")
    return decoded(name, content)


def decoded(name: str, content: bytes) -> str:
    """The text of a file in UTF-8, with or without a byte order mark. Raises SheetError for another encoding."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise SheetError(f"{name}:{line}: not UTF-8; save the file in that encoding") from None
