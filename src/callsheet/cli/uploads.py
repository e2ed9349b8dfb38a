"""`name@path` and `@path`: makes the values for `files=` and `content=`; a regular file is opened when it is sent."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from callsheet.cli.items import STDIN, FileArgument, ItemArgument, shown
from callsheet.errors import ArgumentError


def file_of(item: ItemArgument) -> Any:
    """What `files=` takes for an item: a path, or `(filename, content, type)`. Raises ArgumentError."""
    upload: FileArgument = item.value
    content = content_of(item)
    if upload.filename is None and upload.media_type is None and upload.path != STDIN:
        return content
    name = upload.filename or (item.name if upload.path == STDIN else Path(upload.path).name)
    return (name, content, upload.media_type) if upload.media_type else (name, content)


def content_of(item: ItemArgument) -> Any:
    """What `content=` takes for an item: a path, or an open file for a pipe or stdin. Raises ArgumentError."""
    upload: FileArgument = item.value
    if upload.path == STDIN:
        return sys.stdin.buffer
    path = Path(upload.path).expanduser()
    if path.is_file() or path.is_dir() or not path.exists():
        return path
    # `@<(command)` gives a pipe: it has no length and can be read once.
    try:
        file = path.open("rb")
    except OSError as error:
        raise ArgumentError(f"item {shown(item.text)}: cannot read {upload.path!r}: {error.strerror}") from None
    context = click.get_current_context(silent=True)
    if context is not None:
        context.call_on_close(file.close)
    return file


def media_type_of(upload: FileArgument) -> str | None:
    """The media type that was given, else the one that the file's name stands for, if it stands for one."""
    from callsheet.values.multipart import UNNAMED_TYPE, guessed_type

    if upload.media_type or upload.path == STDIN:
        return upload.media_type
    found = guessed_type(Path(upload.path).name)
    return None if found == UNNAMED_TYPE else found
