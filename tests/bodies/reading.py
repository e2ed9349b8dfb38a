"""Reads bodies as a transport would, and multipart bodies with two parsers that are not ours."""

from __future__ import annotations

import io
from typing import Any, NamedTuple

from python_multipart import parse_form
from werkzeug.formparser import parse_form_data

from callsheet.http.body_sources import BodySource


class Field(NamedTuple):
    """What a server made of one part: `filename` is None for a field."""

    name: str
    filename: str | None
    content: bytes
    media_type: str | None = None


def drained(source: BodySource, size: int = 65536) -> bytes:
    """All of a source, closed at the end. No piece is longer than asked for."""
    pieces = []
    try:
        while piece := source.read(size):
            assert len(piece) <= size
            pieces.append(piece)
        assert source.read(size) == b""
    finally:
        source.close()
    return b"".join(pieces)


def whole(body: Any, size: int = 65536) -> bytes:
    """The bytes of a body, from memory or read."""
    return drained(body.open(), size) if body.content is None else body.content


def by_python_multipart(content: bytes, content_type: str) -> list[Field]:
    """The parts as python-multipart reads them, in the order of the body."""
    found: list[Field] = []

    def take_field(field: Any) -> None:
        found.append(Field(field.field_name.decode(), None, field.value or b""))

    def take_file(file: Any) -> None:
        file.file_object.seek(0)
        media_type = file.content_type
        found.append(Field(file.field_name.decode(), file.file_name.decode(), file.file_object.read(), media_type))
        file.close()

    headers = {"Content-Type": content_type.encode(), "Content-Length": str(len(content)).encode()}
    parse_form(headers, io.BytesIO(content), take_field, take_file)
    return found


def by_werkzeug(content: bytes, content_type: str) -> list[Field]:
    """The parts as werkzeug reads them: fields, then files, each in the order of the body."""
    environ = {
        "wsgi.input": io.BytesIO(content),
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(content)),
        "REQUEST_METHOD": "POST",
    }
    _, form, files = parse_form_data(environ, silent=False)
    fields = [Field(name, None, text.encode()) for name, text in form.items(multi=True)]
    uploads = []
    for name, file in files.items(multi=True):
        with file.stream:
            uploads.append(Field(name, file.filename, file.stream.read(), file.content_type))
    return fields + uploads
