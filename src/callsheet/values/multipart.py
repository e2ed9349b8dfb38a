"""Multipart bodies (RFC 7578), written as browsers write them (WHATWG HTML 4.10.21.8).

In names and filenames CR, LF and the quote are percent-encoded, everything else is sent in UTF-8 as it is. A media
type with a control character is refused.
"""

from __future__ import annotations

import io
import mimetypes
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from callsheet.errors import ArgumentError
from callsheet.http.sources import InMemory, Joined, OpenFile, PathFile, Pieces, Source, Stored
from callsheet.values.form import Fields, flat

ESCAPES = str.maketrans({"\r": "%0D", "\n": "%0A", '"': "%22"})
MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(?:\s*;[\x20-\x7e]*)?\Z", re.ASCII)
BOUNDARY_BYTES = 16
"""128 random bits: nobody can write a file that ends its part."""
UNNAMED_TYPE = "application/octet-stream"

Files = Mapping[str, Any] | Iterable[tuple[str, Any]]
"""By field name: a path, a file object, bytes, text, `(filename, content)`, `(filename, content, type)`, or a list of them."""


class Multipart:
    """Fields and files as one body. It can be sent again if each of its files can."""

    content = None

    def __init__(self, files: Files, fields: Fields = (), boundary: str | None = None) -> None:
        self._boundary = boundary or secrets.token_hex(BOUNDARY_BYTES)
        self.content_type = f"multipart/form-data; boundary={self._boundary}"
        parts: list[Stored] = []
        for name, text in flat(fields):
            parts += (self._head(name, None, None), InMemory(_utf8(text, name) + b"\r\n"))
        for name, filename, content, media_type in _each_file(files):
            parts += (self._head(name, filename, media_type), content, InMemory(b"\r\n"))
        parts.append(InMemory(f"--{self._boundary}--\r\n".encode()))
        self._joined = Joined(parts)
        self.length = self._joined.length
        self.is_replayable = self._joined.is_replayable

    def _head(self, name: str, filename: str | None, media_type: str | None) -> InMemory:
        named = f'; filename="{escaped(filename)}"' if filename is not None else ""
        typed = f"Content-Type: {media_type}\r\n" if media_type else ""
        head = f'--{self._boundary}\r\nContent-Disposition: form-data; name="{escaped(name)}"{named}\r\n{typed}\r\n'
        return InMemory(_utf8(head, name))

    def open(self) -> Source:
        """Begin to read from the start."""
        return self._joined.open()

    def __repr__(self) -> str:
        return f"<multipart of {'unknown length' if self.length is None else f'{self.length} bytes'}>"


def escaped(text: str) -> str:
    """A name or filename as it stands between quotes."""
    return text.translate(ESCAPES)


def _utf8(text: str, name: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise ArgumentError(f"field {name!r}: it holds half a surrogate pair, which has no UTF-8 form") from None


def _each_file(files: Files) -> Iterator[tuple[str, str, Stored, str]]:
    pairs = files.items() if isinstance(files, Mapping) else files
    for name, value in pairs:
        for one in value if isinstance(value, list) else [value]:
            filename, content, media_type = _described(str(name), one)
            guessed = media_type or mimetypes.guess_type(filename)[0] or UNNAMED_TYPE
            if not MEDIA_TYPE.match(guessed):
                raise ArgumentError(f"file `{name}`: {guessed[:60]!r} is not a media type, as in text/plain")
            yield str(name), filename, _stored(str(name), content), guessed


def _described(name: str, value: Any) -> tuple[str, Any, str | None]:
    """Filename, content and media type, as far as they are told."""
    if isinstance(value, tuple):
        if len(value) not in (2, 3):
            raise ArgumentError(f"file `{name}`: expected (filename, content) or (filename, content, type)")
        filename, content = value[:2]
        return str(filename or _name_of(content, name)), content, value[2] if len(value) == 3 else None
    return _name_of(value, name), value, None


def _name_of(content: Any, name: str) -> str:
    found = content if isinstance(content, Path) else getattr(content, "name", None)
    return Path(found).name if isinstance(found, str | Path) else name


def _stored(name: str, content: Any) -> Stored:
    if isinstance(content, Path):
        return PathFile(content)
    if isinstance(content, str):
        return InMemory(_utf8(content, name))
    if isinstance(content, bytes | bytearray | memoryview):
        return InMemory(bytes(content))
    if isinstance(content, io.IOBase) or hasattr(content, "read"):
        return OpenFile(content)
    if hasattr(content, "__iter__"):
        return Pieces(content)
    raise ArgumentError(f"file `{name}`: expected a path, a file, bytes or text, found {type(content).__name__}")
