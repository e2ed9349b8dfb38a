"""The bytes that a request would put on the wire."""

from __future__ import annotations

from typing import Any

from callsheet.http.request import Request

PIECE = 64 * 1024


def content_of(request: Request) -> bytes:
    """The whole body. Raises UsageError for an async iterator, and what reading the body raises."""
    body: Any = request.body
    if body is None:
        return b""
    return _read(body) if body.content is None else body.content


async def task_content_of(request: Request) -> bytes:
    """The whole body, which may be an async iterator. Raises what reading the body raises."""
    body: Any = request.body
    if body is None or body.content is not None or body.asynchronous is None:
        return content_of(request)
    pieces = body.asynchronous
    pieces.begin()
    read = [pieces.encoded(piece) async for piece in pieces.pieces]
    return b"".join([*read, pieces.ending()])


def _read(body: Any) -> bytes:
    source = body.open()
    try:
        return b"".join(iter(lambda: source.read(PIECE), b""))
    finally:
        source.close()
