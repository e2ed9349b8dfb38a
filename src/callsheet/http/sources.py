"""Bodies that are read as they are sent: files, iterators, and several of them one after another.

A body knows its length, if it can be known, and whether it can be sent again. A file begins where it stood when it was
handed over, for every attempt; it is closed by whoever opened it. An iterator can be read once.
"""

from __future__ import annotations

import io
import os
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

from callsheet.errors import ArgumentError

STEP = 256 * 1024
"""Bytes read of a file at a time."""


class Source(Protocol):
    """A body being read for one attempt."""

    def read(self, size: int) -> bytes:
        """At most `size` bytes, b"" at the end."""

    def close(self) -> None:
        """Close what was opened for this attempt."""


class Stored(Protocol):
    """Something a body can be made of: its length in bytes, whether it can be read again, and a way to begin."""

    @property
    def length(self) -> int | None:
        """The length in bytes, or None if it is not known before the end."""

    @property
    def is_replayable(self) -> bool:
        """Whether `open` may be called again."""

    def open(self) -> Source:
        """Begin to read from the start."""


class InMemory:
    """Bytes."""

    __slots__ = ("content",)
    is_replayable = True

    def __init__(self, content: bytes) -> None:
        self.content = content

    @property
    def length(self) -> int:
        """The length in bytes."""
        return len(self.content)

    def open(self) -> Source:
        """Begin to read from the start."""
        return io.BytesIO(self.content)


class PathFile:
    """A file by its path, opened and closed for each attempt. Raises ArgumentError if it cannot be read."""

    is_replayable = True

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.length = path.stat().st_size
        except OSError as error:
            raise ArgumentError(f"file {path}: {error.strerror or error}") from None
        if not path.is_file():
            raise ArgumentError(f"file {path}: expected a regular file")

    def open(self) -> Source:
        """Begin to read from the start."""
        try:
            return Exactly(self.path.open("rb"), self.length, str(self.path))
        except OSError as error:
            raise ArgumentError(f"file {self.path}: {error.strerror or error}") from None


class OpenFile:
    """A file object that the caller opened and will close, from where it stands now.

    It can be sent again if it can seek. Raises ArgumentError for one opened as text.
    """

    def __init__(self, file: Any) -> None:
        if isinstance(file, io.TextIOBase):
            raise ArgumentError("a file opened as text cannot be sent: open it with 'rb'")
        self._file = file
        self._start = _position(file)
        self.is_replayable = self._start is not None
        self.length = None if self._start is None else _rest_of(file, self._start)

    def open(self) -> Source:
        """Begin to read from the start."""
        if self._start is None or self.length is None:
            return Unclosed(self._file)
        self._file.seek(self._start)
        return Exactly(Unclosed(self._file), self.length, str(getattr(self._file, "name", "the file")))


def _position(file: IO[bytes]) -> int | None:
    try:
        return file.tell() if file.seekable() else None
    except (AttributeError, OSError):
        return None


def _rest_of(file: IO[bytes], start: int) -> int | None:
    try:
        end = file.seek(0, os.SEEK_END)
        file.seek(start)
    except OSError:
        return None
    return max(0, end - start)


class Unclosed:
    """Reads a file and leaves it open."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        """At most `size` bytes, b"" at the end."""
        return self._file.read(size)

    def close(self) -> None:
        """Leave the file to who opened it."""


class Exactly:
    """Reads as many bytes as were announced: what a file grew by meanwhile is left out, and one that shrank says so."""

    def __init__(self, source: Source, length: int, name: str) -> None:
        self._source = source
        self._left = length
        self._name = name

    def read(self, size: int) -> bytes:
        """At most `size` bytes, b"" at the end. Raises ArgumentError if the file ends early."""
        if not self._left:
            return b""
        taken = self._source.read(min(size, self._left))
        if not taken:
            raise ArgumentError(f"file {self._name}: it became {self._left} bytes shorter while it was sent")
        self._left -= len(taken)
        return taken

    def close(self) -> None:
        """Close what was opened for this attempt."""
        self._source.close()


class Pieces:
    """The bytes of an iterator; read once."""

    length = None
    is_replayable = False

    def __init__(self, pieces: Iterable[bytes | str]) -> None:
        self._pieces = iter(pieces)

    def open(self) -> Source:
        """Begin to read."""
        return PieceSource(self._pieces)


class PieceSource:
    """Reads an iterator's pieces, cut to the size asked for."""

    def __init__(self, pieces: Iterator[bytes | str]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int) -> bytes:
        """At most `size` bytes, b"" at the end."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = piece_of(piece)
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def close(self) -> None:
        """Nothing was opened."""


def piece_of(piece: Any) -> bytes:
    """One piece of an iterator's body as bytes. Raises ArgumentError for what is neither bytes nor text."""
    if isinstance(piece, bytes | bytearray | memoryview):
        return bytes(piece)
    if isinstance(piece, str):
        return piece.encode()
    raise ArgumentError(f"content: the iterator gave {type(piece).__name__}; expected bytes or text")


class AsyncPieces:
    """The bytes of an async iterator; read once, by an AsyncClient only."""

    length = None
    is_replayable = False

    def __init__(self, pieces: AsyncIterator[bytes | str]) -> None:
        self.pieces = pieces


class Joined:
    """Several stores, one after another."""

    def __init__(self, parts: Sequence[Stored]) -> None:
        self._parts = tuple(parts)
        self.is_replayable = all(part.is_replayable for part in self._parts)
        lengths = [part.length for part in self._parts]
        known = [length for length in lengths if length is not None]
        self.length = sum(known) if len(known) == len(lengths) else None

    def open(self) -> Source:
        """Begin to read from the start of the first."""
        return JoinedSource(iter(self._parts))


class JoinedSource:
    """Reads one store after another, each opened when its turn comes."""

    def __init__(self, parts: Iterator[Stored]) -> None:
        self._parts = parts
        self._current: Source | None = None

    def read(self, size: int) -> bytes:
        """At most `size` bytes, b"" at the end."""
        while True:
            if self._current is None:
                part = next(self._parts, None)
                if part is None:
                    return b""
                self._current = part.open()
            taken = self._current.read(size)
            if taken:
                return taken
            self.close()

    def close(self) -> None:
        """Close what is open."""
        if self._current is not None:
            self._current.close()
            self._current = None
