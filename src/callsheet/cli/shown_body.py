"""Shows the body of a request for `--dry-run`: text as it is, files by name and size, secrets masked."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

from callsheet.cli import exact_json
from callsheet.cli.output import is_binary, json_text
from callsheet.cli.screen import Screen, visible
from callsheet.http.body_sources import InMemory
from callsheet.http.files import OpenFile, PathFile
from callsheet.http.request import Request
from callsheet.http.streamed_body import Gzipped, StreamedBody
from callsheet.secret import MASK, Secret, redact
from callsheet.values import form
from callsheet.values.multipart import Multipart, Part, head_of

AS_GZIP = 31


def shown_body(request: Request, screen: Screen) -> str:
    """The body as text for a person, empty if there is none; no file is read."""
    body: Any = request.body
    if body is None:
        return ""
    if isinstance(body, Multipart):
        text = "\n".join(_multipart(body, request.secrets))
    elif isinstance(body, StreamedBody):
        text = _of_store(body.stored)
    else:
        text = _in_memory(body.content or b"", request, screen)
    return redact(visible(text), request.secrets)


def _multipart(body: Multipart, secrets: tuple[Secret, ...]) -> Iterator[str]:
    boundary = body.content_type.partition("boundary=")[2].strip('"')
    for part in body.parts:
        yield f"--{boundary}\n{head_of(part)}\n{_content_of(part, secrets)}".replace("\r\n", "\n")
    yield f"--{boundary}--"


def _content_of(part: Part, secrets: tuple[Secret, ...]) -> str:
    if part.filename is not None or not isinstance(part.content, InMemory):
        return _of_store(part.content)
    text = part.content.content.decode("utf-8", "replace")
    return MASK if is_a_secret(text, secrets) else text


def is_a_secret(text: str, secrets: tuple[Secret, ...]) -> bool:
    """Whether the text is the value of a secret; unlike `redact`, this also finds short values."""
    return any(secret.reveal() == text for secret in secrets)


def _of_store(stored: Any) -> str:
    if isinstance(stored, Gzipped):
        return "<compressed as it is sent>"
    size = "bytes" if stored.length is None else f"{stored.length} bytes"
    name = stored.path if isinstance(stored, PathFile) else stored.name if isinstance(stored, OpenFile) else ""
    return f"<{size} of {name}>" if name else f"<{size}>"


def _in_memory(content: bytes, request: Request, screen: Screen) -> str:
    if request.headers.get("content-encoding") == "gzip":
        content = zlib.decompress(content, AS_GZIP)
    if request.body is not None and request.body.content_type == form.MEDIA_TYPE:
        return _form(content.decode("utf-8", "replace"), request.secrets)
    if screen.is_terminal:
        try:
            return json_text(exact_json.loads(content))
        except ValueError:
            pass
    text = content.decode("utf-8", "replace")
    return f"<{len(content)} bytes>" if is_binary(text, "") else text


def _form(text: str, secrets: tuple[Secret, ...]) -> str:
    from urllib.parse import unquote_plus

    pairs = [pair.partition("=") for pair in text.split("&")]
    masked = ((name, MASK if is_a_secret(unquote_plus(value), secrets) else value) for name, _, value in pairs)
    return "&".join(f"{name}={value}" for name, value in masked) if text else ""
