"""Makes bodies of `content=`, and compresses bodies as they are sent."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from callsheet.errors import ArgumentError, UsageError
from callsheet.http.body import Body, Content
from callsheet.http.body_sources import AsyncPieces, BodySource, InMemory, Joined, Pieces, Stored, piece_of, text_piece
from callsheet.http.files import OpenFile, PathFile

GZIP_LEVEL = 6
GZIP_WINDOW = 31
"""zlib's number for the gzip format: zlib writes a modification time of 0, so that equal bodies stay equal compressed."""
STEP = 64 * 1024
"""Bytes compressed at a time."""


class ReadBody(Body, Protocol):
    """A body that is read while it is sent, such as a file or an iterator: its `content` is None."""

    @property
    def length(self) -> int | None:
        """Its length in bytes, sent as Content-Length; None if it is not known, so that it is sent in chunks."""

    @property
    def is_read_once(self) -> bool:
        """Whether it can be read only once, so that nothing may look at it before it is sent."""

    @property
    def asynchronous(self) -> AsyncPieces | None:
        """The pieces of an async iterator, which an AsyncTransport sends instead of opening the body. Else None."""

    def open(self) -> BodySource:
        """Begin to read from the start, once for each attempt. The transport closes the source."""


class StreamedBody:
    """A body read from a file or an iterator as it is sent."""

    content = None

    def __init__(self, stored: Stored | AsyncPieces, content_type: str | None = None) -> None:
        self.stored = stored
        self.content_type = content_type
        self.length = stored.length
        self.is_read_once = stored.is_read_once

    @property
    def asynchronous(self) -> AsyncPieces | None:
        """The pieces of an async iterator, which only an AsyncClient can send; None for a body that `open` reads."""
        return self.stored if isinstance(self.stored, AsyncPieces) else None

    @property
    def is_replayable(self) -> bool:
        """Whether a further attempt can send all of it."""
        return self.stored.is_replayable

    def open(self) -> BodySource:
        """Begin to read from the start. Raises UsageError for an async iterator."""
        if isinstance(self.stored, AsyncPieces):
            raise UsageError("content: an async iterator can be sent by AsyncClient only; give a plain iterator")
        return self.stored.open()

    def __repr__(self) -> str:
        size = "unknown length" if self.length is None else f"{self.length} bytes"
        return f"<{size} of {self.content_type or 'unnamed type'}>"


def body_from(content: Any, content_type: str | None = None) -> Body:
    """The body that `content=` stands for: bytes, text (UTF-8), a Path, a file open as bytes, or their iterator.

    A list or tuple of pieces can be sent again, any other iterable once. Raises ArgumentError for anything else.
    """
    if isinstance(content, str):
        return Content(text_piece(content), content_type)
    if isinstance(content, bytes | bytearray | memoryview):
        return Content(bytes(content), content_type)
    return StreamedBody(_stored(content), content_type)


def _stored(content: Any) -> Stored | AsyncPieces:
    if isinstance(content, Path):
        return PathFile(content)
    if isinstance(content, list | tuple):
        return Joined([InMemory(piece_of(piece)) for piece in content])
    if callable(getattr(content, "read", None)):
        return OpenFile(content)
    if isinstance(content, AsyncIterable):
        return AsyncPieces(content)
    if isinstance(content, Iterable) and not isinstance(content, Mapping | set | frozenset):
        return Pieces(content)
    raise ArgumentError(
        f"content: expected bytes, text, a Path, a file or an iterator of bytes, found {type(content).__name__}; "
        "a mapping is sent by `json` or `data`"
    )


def gzipped(body: Body) -> Body:
    """The body compressed, for `Content-Encoding: gzip`. Its length is known only if the body is in memory."""
    if body.content is not None:
        compressor = _compressor()
        return Content(compressor.compress(body.content) + compressor.flush(), body.content_type)
    return StreamedBody(_gzipped_store(body), body.content_type)


def _gzipped_store(body: Any) -> Stored | AsyncPieces:
    pieces = body.asynchronous
    return Gzipped(body) if pieces is None else GzippedPieces(pieces)


def _compressor() -> Any:
    return zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP_WINDOW)


class Gzipped:
    """The compressed form of a Stored, made as it is read."""

    length = None

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        self.is_read_once = stored.is_read_once

    @property
    def is_replayable(self) -> bool:
        """Whether the uncompressed data can (still) be read."""
        return self._stored.is_replayable

    def open(self) -> BodySource:
        """Begin to read from the start."""
        return GzipSource(self._stored.open())


class GzipSource:
    """Reads a source and gives its gzip form (RFC 1952)."""

    def __init__(self, source: BodySource) -> None:
        self._source = source
        self._compressor: Any = _compressor()
        self._ready = b""

    def read(self, size: int) -> bytes:
        """At most `size` bytes, b"" at the end."""
        while not self._ready and self._compressor is not None:
            piece = self._source.read(STEP)
            if piece:
                self._ready = self._compressor.compress(piece)
            else:
                self._ready = self._compressor.flush()
                self._compressor = None
        taken, self._ready = self._ready[:size], self._ready[size:]
        return taken

    def close(self) -> None:
        """Close what was opened for this attempt."""
        self._source.close()


class GzippedPieces(AsyncPieces):
    """An async iterator's pieces, compressed one by one."""

    def __init__(self, pieces: AsyncPieces) -> None:
        super().__init__(pieces.pieces)
        self._compressor = _compressor()

    def encoded(self, piece: Any) -> bytes:
        """The compressed bytes to send for a piece; b"" while the compressor keeps them."""
        return bytes(self._compressor.compress(piece_of(piece)))

    def ending(self) -> bytes:
        """The end of the gzip stream."""
        return bytes(self._compressor.flush())
