"""The standard input as the body of a request: of what a pipe or a file brings, where no item gives a body."""

from __future__ import annotations

import os
import select
import stat
import sys
from io import BufferedReader
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from callsheet.cli import exact_json
from callsheet.cli.items import ItemArgument, json_problem
from callsheet.cli.screen import Screen
from callsheet.errors import ArgumentError

if TYPE_CHECKING:
    from callsheet.sheet.words.operation import Operation

PATIENCE = 1.0
"""Seconds after which a person is told what is waited for."""
WAITING = "callsheet: waiting for the body on the standard input; `--ignore-stdin` sends none"


def piped(screen: Screen) -> BufferedReader | None:
    """The standard input, if it is a pipe or a file and holds anything; waits until that is known."""
    try:
        descriptor = sys.stdin.fileno()
        mode = os.fstat(descriptor).st_mode
    except (AttributeError, OSError, ValueError):  # it is closed, or no file of the system's
        return None
    if not (stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)):
        return None
    if os.name == "posix" and not select.select([descriptor], [], [], PATIENCE)[0]:
        screen.say(WAITING)
    stdin = sys.stdin.buffer
    return stdin if isinstance(stdin, BufferedReader) and stdin.peek(1) else None


def json_of(stdin: BufferedReader) -> Any:
    """The JSON document. Raises ArgumentError with line and column for what is none, and for `null`."""
    text = _text_of(stdin)
    try:
        value = exact_json.loads(text)
    except ValueError as error:
        raise ArgumentError(f"the standard input: expected JSON: {json_problem(text, error)}") from None
    if value is None:
        raise ArgumentError("the standard input: a body of `null` is not sent; `--ignore-stdin` sends none")
    return value


def items_of(stdin: BufferedReader) -> list[ItemArgument]:
    """The fields of a form, `a=1&b=2`. Raises ArgumentError for what is none."""
    try:
        pairs = parse_qsl(_text_of(stdin).strip(), keep_blank_values=True, strict_parsing=True)
    except ValueError:
        raise ArgumentError("the standard input: expected the fields of a form: a=1&b=2") from None
    return [ItemArgument("field", name, value, f"{name}=") for name, value in pairs]


def body_of(operation: Operation, screen: Screen) -> dict[str, Any]:
    """What the standard input is for an operation: `json`, `content` or `items`; nothing where it has no such body."""
    if operation.json is None and operation.content is None and operation.form is None:
        return {}
    stdin = piped(screen)
    if stdin is None:
        return {}
    if operation.content is not None:
        return {"content": stdin}
    return {"json": json_of(stdin)} if operation.json is not None else {"items": items_of(stdin)}


def content_in(stdin: BufferedReader) -> dict[str, Any]:
    """The body of an undeclared request: JSON where it looks like that, else bytes as they come. Raises ArgumentError."""
    beginning = stdin.peek(1).lstrip()
    return {"json": json_of(stdin)} if beginning[:1] in (b"{", b"[") else {"content": stdin}


def _text_of(stdin: BufferedReader) -> str:
    try:
        return stdin.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ArgumentError(f"the standard input: it is not UTF-8 text (at byte {error.start})") from None
