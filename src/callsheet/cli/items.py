r"""Reads items of a command line, in HTTPie's notation: `name=value name:=json name==value Header:value name=@file name@file @file`.

The first separator in an item counts, the longest where several begin there. A backslash before one of `:=@;` makes it
an ordinary character: `filter\:by=x` is the field `filter:by`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, NamedTuple

from callsheet.cli import exact_json
from callsheet.errors import ArgumentError

ItemKind = Literal["field", "json", "query", "header", "file", "body"]
KINDS: dict[str, ItemKind] = {
    ":=@": "json",
    "==@": "query",
    ":=": "json",
    "==": "query",
    "=@": "field",
    ":@": "header",
    "=": "field",
    ":": "header",
    "@": "file",
}
"""The kind of item for each separator, longest first. The longer ones that end in `@` take the text of a file."""

SPECIAL = ":=@;"
ESCAPE = re.compile(r"\\(.)", re.DOTALL)
OPTION = re.compile(r";(type|filename)=((?:(?!;(?:type|filename)=).)*)", re.DOTALL)
FORMS = "name=value, name:=json, name==query, Header:value, name=@file, name@file, @file"
STDIN = "-"
JSON_STRING = re.compile(r'"(?:[^"\\\r\n]|\\.)*("?)')


class FileArgument(NamedTuple):
    """A file to send as it is: its `path` (`-` is the standard input), and the file name and type to send it with."""

    path: str
    filename: str | None = None
    media_type: str | None = None


class ItemArgument(NamedTuple):
    """One item. `text` is what was typed.

    `value` is text; for the kind `json` the parsed value, for `file` and `body` a FileArgument, and None for a header that is
    to be taken out.
    """

    kind: ItemKind
    name: str
    value: Any
    text: str


def parse_items(texts: Iterable[str]) -> list[ItemArgument]:
    """The items. Raises ArgumentError naming every one that cannot be read."""
    items, problems = [], []
    texts = list(texts)
    readers = [text for text in texts if _reads_stdin(text)]
    if len(readers) > 1:
        raise ArgumentError(f"items {', '.join(map(shown, readers))}: the standard input can be read once")
    for text in texts:
        try:
            items.append(parse_item(text))
        except ArgumentError as error:
            problems.append(str(error))
    if problems:
        raise ArgumentError("\n".join(problems))
    return items


def taken_out(items: Iterable[ItemArgument]) -> list[str]:
    """The names of the header fields that `Header:` removes, even if the sheet or a default sets them."""
    return [item.name for item in items if item.kind == "header" and item.value is None]


def _reads_stdin(text: str) -> bool:
    _, separator, rest = split(text)
    return separator.endswith("@") and OPTION.sub("", rest) == STDIN


def parse_item(text: str) -> ItemArgument:
    """One item. Raises ArgumentError."""
    name, separator, rest = split(text)
    if not separator and text.endswith(";") and len(name) > 1:
        return ItemArgument("header", name[:-1], "", text)
    if not separator:
        raise ArgumentError(f"item {shown(text)}: expected one of {FORMS}")
    kind = KINDS[separator]
    if kind == "file":
        return ItemArgument(kind if name else "body", name, _upload(rest, text), text)
    if not name:
        raise ArgumentError(f"item {shown(text)}: expected a name before `{separator}`")
    value = text_of_file(rest, text) if separator.endswith("@") else rest
    if kind == "json":
        return ItemArgument(kind, name, _parsed(value, text), text)
    if kind == "header":
        return ItemArgument(kind, name, value.strip() if rest else None, text)
    return ItemArgument(kind, name, value, text)


def _upload(rest: str, text: str) -> FileArgument:
    path = OPTION.sub("", rest)
    if not path:
        raise ArgumentError(f"item {shown(text)}: expected the path of a file after `@`")
    options = dict(OPTION.findall(rest))
    return FileArgument(path, options.get("filename") or None, options.get("type") or None)


def split(text: str) -> tuple[str, str, str]:
    """Name, separator (empty if there is none) and value, escapes undone."""
    name: list[str] = []
    at = 0
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text):
            name.append(_unescaped(text[at : at + 2]))
            at += 2
            continue
        separator = next((known for known in KINDS if text.startswith(known, at)), None)
        if separator:
            return "".join(name), separator, _unescaped(text[at + len(separator) :])
        name.append(text[at])
        at += 1
    return "".join(name), "", ""


def _unescaped(text: str) -> str:
    return ESCAPE.sub(lambda found: found[1] if found[1] in SPECIAL else found[0], text)


def text_of_file(path: str, item: str) -> str:
    """The text of a file; `-` is the standard input. Raises ArgumentError."""
    try:
        return sys.stdin.read() if path == STDIN else Path(path).expanduser().read_text("utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ArgumentError(f"item {shown(item)}: cannot read {path!r}: {reason}") from None


def _parsed(text: str, item: str) -> Any:
    try:
        return exact_json.loads(text)
    except ValueError as error:
        hint = "a text is given as name=value"
        raise ArgumentError(
            f"item {shown(item)}: expected JSON after `:=`: {json_problem(text, error)}; {hint}"
        ) from None


def json_problem(text: str, error: ValueError) -> str:
    """What is wrong with a text that is no JSON, with line and column: of a quote that is not closed, where it opened."""
    opened = next((found.start() for found in JSON_STRING.finditer(text) if not found[1]), None)
    if opened is None:
        return str(error)
    line, column = text.count("\n", 0, opened) + 1, opened - text.rfind("\n", 0, opened)
    return f"a quote that is not closed at line {line} column {column}"


def shown(item: str) -> str:
    """An item's name and separator, for a message; the value is left out, as it may be a secret."""
    name, separator, rest = split(item)
    return f"`{name[:60]}{separator}{'...' if rest else ''}`"


def whole_json(text: str) -> Any:
    """The value of `--json`: JSON, or `@file`, `@-`. Raises ArgumentError."""
    content = text_of_file(text[1:], "--json=") if text.startswith("@") else text
    return _parsed(content, "--json:=")
