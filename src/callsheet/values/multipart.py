"""Multipart bodies (RFC 7578), written as browsers write them (WHATWG HTML 4.10.21.8).

In names and filenames CR, LF and the quote are percent-encoded, everything else is sent in UTF-8 as it is; a line break in a
name, but not in a filename, is CR LF first. Characters that
servers read differently are refused: other control characters, and the backslash, which some take for an escape, some
for the end of a folder's name, and some for itself.
"""

from __future__ import annotations

import mimetypes
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from callsheet.errors import ArgumentError
from callsheet.http.body_sources import BodySource, InMemory, Joined, Pieces, Stored, text_piece
from callsheet.http.files import OpenFile, PathFile
from callsheet.http.headers import check_field
from callsheet.unset import UNSET
from callsheet.values.form import Fields, flat, pairs

ESCAPES = str.maketrans({"\r": "%0D", "\n": "%0A", '"': "%22"})
LINE_BREAK = re.compile(r"\r\n|\r|\n")
REFUSED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\\]")
"""Characters that servers read differently. CR and LF are not among them, since they are escaped."""
TCHAR = r"[\w!#$%&'*+.^`|~-]+"
MEDIA_TYPE = re.compile(rf"{TCHAR}/{TCHAR}(?:[ \t]*;[\x20-\x7e]*)?\Z", re.ASCII)
BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=?-]{1,70}\Z")
BOUNDARY_BYTES = 16
"""128 random bits, so that no file can contain the boundary and end its part early."""
UNNAMED_TYPE = "application/octet-stream"
COMPRESSED = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}
TYPES = mimetypes.MimeTypes()
"""Python's own table. The machine's table would give a file another type on another machine."""

Files = Mapping[str, Any] | Iterable[tuple[str, Any]]
"""By field name: a path, a file object, bytes, text, `(filename, content)`, `(filename, content, type)`,
`(filename, content, type, headers)`, or a list of them. A filename of None makes it a field without one."""


class Part(NamedTuple):
    """One field or file: `filename` is None for a field. `headers` stand beside those that name it and its type."""

    name: str
    filename: str | None
    content: Stored
    media_type: str | None
    headers: tuple[tuple[str, str], ...] = ()


class Multipart:
    """Fields and files as one body, fields first. It can be sent again if each of its files can.

    Raises ArgumentError, or ValueError for a field that has no text.
    """

    content = None
    asynchronous = None

    def __init__(self, files: Files, fields: Fields = (), boundary: str | None = None) -> None:
        self._boundary = boundary if boundary is not None else secrets.token_hex(BOUNDARY_BYTES)
        if not BOUNDARY.match(self._boundary):
            raise ArgumentError(f"boundary {self._boundary!r}: expected 1 to 70 letters, digits and '()+_,./:=?-")
        self.content_type = f"multipart/form-data; boundary={_quoted(self._boundary)}"
        self.parts = tuple(_all_parts(fields, files))
        self._joined = Joined(self._stores())
        self.length = self._joined.length

    @property
    def is_replayable(self) -> bool:
        """Whether each file can be read again."""
        return self._joined.is_replayable

    @property
    def is_read_once(self) -> bool:
        """Whether a file can be read only once."""
        return self._joined.is_read_once

    def _stores(self) -> Iterator[Stored]:
        for part in self.parts:
            yield InMemory(f"--{self._boundary}\r\n{head_of(part)}\r\n".encode())
            yield part.content
            yield InMemory(b"\r\n")
        yield InMemory(f"--{self._boundary}--\r\n".encode())

    def open(self) -> BodySource:
        """Begin to read from the start."""
        return self._joined.open()

    def __repr__(self) -> str:
        return f"<multipart of {'unknown length' if self.length is None else f'{self.length} bytes'}>"


def _all_parts(fields: Fields, files: Files) -> Iterator[Part]:
    for name, text in flat(fields):
        yield Part(name, None, InMemory(text_piece(text, f"field {name!r}")), None)
    yield from parts_of(files)


def head_of(part: Part) -> str:
    """The header lines of a part. Raises ArgumentError for a name that servers would read differently."""
    named = f'; filename="{escaped(part.filename)}"' if part.filename is not None else ""
    typed = f"Content-Type: {part.media_type}\r\n" if part.media_type else ""
    others = "".join(f"{name}: {value}\r\n" for name, value in part.headers)
    name = escaped(LINE_BREAK.sub("\r\n", part.name))
    return f'Content-Disposition: form-data; name="{name}"{named}\r\n{typed}{others}'


def _quoted(boundary: str) -> str:
    return boundary if boundary.replace("-", "").replace("_", "").isalnum() else f'"{boundary}"'


def escaped(text: str) -> str:
    """A name or filename, escaped to stand in quotes. Raises ArgumentError for one that servers would read differently."""
    found = REFUSED.search(text)
    if found:
        raise ArgumentError(
            f"name {text[:80]!r}: servers differ in how they read {found[0]!r}; give another, as in (filename, content)"
        )
    text_piece(text, f"name {text[:80]!r}")
    return text.translate(ESCAPES)


def parts_of(files: Files) -> Iterator[Part]:
    """The parts for the argument `files=`, in order, without those that are None or UNSET. Raises ArgumentError or ValueError."""
    for name, value in pairs(files):
        for one in value if isinstance(value, list) else [value]:
            if one is not None and one is not UNSET:
                yield _part_of(str(name), one)


def _part_of(name: str, value: Any) -> Part:
    if not isinstance(value, tuple):
        filename = _name_of(value, name)
        return Part(name, filename, _stored(name, value), guessed_type(filename))
    if len(value) not in (2, 3, 4):
        expected = "(filename, content) or (filename, content, type)"
        raise ArgumentError(f"file `{name}`: expected {expected}, with header fields as a fourth")
    filename, content, media_type, given = (*value, None, None)[:4]
    headers = _headers(name, given)
    typed = [text for field, text in headers if field.lower() == "content-type"]
    if len(typed) + (media_type is not None) > 1:
        raise ArgumentError(f"file `{name}`: its type is given twice; leave `Content-Type` out of its headers")
    media_type = typed[0] if typed else media_type
    named = filename.name if isinstance(filename, PurePath) else filename
    if not isinstance(named, str | None):
        raise ArgumentError(f"file `{name}`: expected a filename or None first, found {type(named).__name__}")
    if media_type is None and named is not None:
        media_type = guessed_type(named)
    if media_type is not None and not (isinstance(media_type, str) and MEDIA_TYPE.match(media_type)):
        raise ArgumentError(f"file `{name}`: {media_type!r:.60} is not a media type, as in text/plain")
    others = tuple(field for field in headers if field[0].lower() != "content-type")
    return Part(name, named, _stored(name, content), media_type, others)


def _headers(name: str, given: Any) -> list[tuple[str, str]]:
    try:
        fields = () if given is None else pairs(given)
        headers = [(field, value) for field, value in fields if value is not None and value is not UNSET]
        for field, value in headers:
            check_field(field, value)
    except (ArgumentError, ValueError) as error:
        raise ArgumentError(f"file `{name}`: headers: {error}") from None
    if any(field.lower() == "content-disposition" for field, _ in headers):
        raise ArgumentError(f"file `{name}`: headers: `Content-Disposition` is made of the name and the filename")
    return headers


def guessed_type(filename: str) -> str:
    """The media type for the suffix of a filename; `application/octet-stream` for an unknown one."""
    found, coding = TYPES.guess_type(f"file{PurePath(filename).suffix}")
    return COMPRESSED.get(coding, UNNAMED_TYPE) if coding else found or UNNAMED_TYPE


def _name_of(content: Any, name: str) -> str:
    found = content if isinstance(content, PurePath) else getattr(content, "name", None)
    last = PurePath(found).name if isinstance(found, str | PurePath) else ""
    is_stream = last.startswith("<") and last.endswith(">")
    return name if is_stream or not last else last


def _stored(name: str, content: Any) -> Stored:
    if isinstance(content, Path):
        return PathFile(content)
    if isinstance(content, str):
        return InMemory(text_piece(content, f"file `{name}`"))
    if isinstance(content, bytes | bytearray | memoryview):
        return InMemory(bytes(content))
    if callable(getattr(content, "read", None)):
        return OpenFile(content)
    if isinstance(content, Iterable) and not isinstance(content, Mapping | set | frozenset):
        return Pieces(content)
    raise ArgumentError(
        f"file `{name}`: expected a Path, a file, bytes, text or an iterator of bytes, found {type(content).__name__}"
    )
