"""Reads `.env` files: lines of `NAME=value`."""

from __future__ import annotations

import re
from pathlib import Path

from callsheet.errors import UsageError
from callsheet.process.regular_file import small_file

LINE = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?P<value>.*)", re.DOTALL)
COMMENT = re.compile(r"\s+#.*\Z")
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "$": "$", "`": "`"}


def read_env_file(path: str) -> dict[str, str]:
    r"""The variables of a file. Raises UsageError with the number of the wrong line, never its text.

    Text in single quotes is taken as it is; in double quotes `\n`, `\t`, `\"`, `\$` and `\\` are read as in a shell.
    Nothing is substituted. Unquoted, ` #` begins a comment.
    """
    try:
        text = small_file(Path(path)).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"--env-file {path}: {reason}") from None
    variables: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            name, value = _read(line.strip(), f"{path}:{number}")
            variables[name] = value
    return variables


def _read(line: str, where: str) -> tuple[str, str]:
    found = LINE.fullmatch(line)
    if found is None:
        raise UsageError(f"{where}: expected NAME=value")
    value = found["value"]
    if value[:1] in ("'", '"'):
        return found["name"], _quoted(value, where)
    return found["name"], COMMENT.sub("", f" {value}").strip()


def _quoted(value: str, where: str) -> str:
    quote = value[0]
    pattern = r"'([^']*)'" if quote == "'" else r'"((?:[^"\\]|\\.)*)"'
    found = re.match(pattern + r"\s*(?:#.*)?\Z", value)
    if found is None:
        raise UsageError(f"{where}: expected a closing {quote} at the end of the line")
    if quote == "'":
        return found[1]
    return re.sub(r"\\(.)", lambda escape: ESCAPES.get(escape[1], escape[0]), found[1])
