"""Bodies that are read as they are sent: files, iterators, and several of them one after another.

A body knows its length, if it can be known, and whether it can be sent (again). A file begins where it stood when it
was handed over, for every attempt; it is closed by whoever opened it. What can be read only once is replayable until
the first byte is asked of it: an attempt that never got as far as the body has cost nothing.
"""

from __future__ import annotations

import io
import os
from collections.abc import AsyncIterable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

from callsheet.errors import ArgumentError

SMALL = 64 * 1024
"""Bytes: neighbours in memory below this size are read as one, so that a form of many fields is few writes."""


class Source(Protocol):
    """A body being read for one attempt."""

    def read(self, size: int) -> bytes:
        """At most `size` bytes, b"" at the end. Raises ArgumentError for what cannot be sent as announced."""

    def close(self) -> None:
        """Close what was opened for this attempt."""


class Stored(Protocol):
    """Something a body can be made of: its length in bytes, whether it can be read again, and a way to begin."""

    @property
    def length(self) -> int | None:
        """The length in bytes, or None if it is not known before the end."""

    @property
    def is_replayable(self) -> bool:
        """Whether `open` gives the whole of it (once more)."""

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
            is_file = path.is_file()
        except (OSError, ValueError) as error:
            raise _unreadable(path, error) from None
        if not is_file:
            raise ArgumentError(f"file {path}: expected a regular file")
        if not os.access(path, os.R_OK):
            raise ArgumentError(f"file {path}: it may not be read")

    def open(self) -> Source:
        """Begin to read from the start."""
        try:
            return Exactly(Unbuffered(self.path.open("rb", buffering=0)), self.length, str(self.path))
        except OSError as error:
            raise _unreadable(self.path, error) from None


def _unreadable(path: Path, error: OSError | ValueError) -> ArgumentError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return ArgumentError(f"file {str(path)!r}: {reason}")


class OpenFile:
    """A file object that the caller opened and will close, from where it stands now.

    It can be sent again if it can seek. Raises ArgumentError for one that is closed, write-only or opened as text.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self._name = str(getattr(file, "name", "object"))
        if _is_text(file):
            raise ArgumentError(f"file {self._name}: opened as text; open it with 'rb'")
        if getattr(file, "closed", False):
            raise ArgumentError(f"file {self._name}: it is closed")
        if not getattr(file, "readable", _true)():
            raise ArgumentError(f"file {self._name}: it is open for writing only; open it with 'rb'")
        self._start = _position(file)
        self._once = Once()
        self.length = None if self._start is None else _rest_of(file, self._start)

    @property
    def is_replayable(self) -> bool:
        """Whether it can seek back, or nothing of it was read yet."""
        return self._start is not None or self._once.is_untouched

    def open(self) -> Source:
        """Begin to read from where the file stood."""
        if self._start is None:
            return self._once.guard(Unclosed(self._file, self._name))
        try:
            self._file.seek(self._start)
        except (OSError, ValueError) as error:
            raise ArgumentError(f"file {self._name}: {error}") from None
        source = Unclosed(self._file, self._name)
        return source if self.length is None else Exactly(source, self.length, self._name)


def _true() -> bool:
    return True


def _is_text(file: Any) -> bool:
    """Whether reading gives text; a wrapper such as `tempfile` makes is known by the attribute of what it wraps."""
    if isinstance(file, io.RawIOBase | io.BufferedIOBase):
        return False
    return isinstance(file, io.TextIOBase) or hasattr(file, "encoding")


def _position(file: IO[bytes]) -> int | None:
    try:
        return file.tell() if file.seekable() else None
    except (AttributeError, OSError):
        return None


def _rest_of(file: IO[bytes], start: int) -> int | None:
    try:
        end = file.seek(0, os.SEEK_END)
    except OSError:
        return None
    finally:
        file.seek(start)
    return max(0, end - start) if isinstance(end, int) else None


class Once:
    """Remembers whether something that can be read once has been begun."""

    __slots__ = ("is_untouched",)

    def __init__(self) -> None:
        self.is_untouched = True

    def guard(self, source: Source) -> Source:
        """The source, marked as begun at its first read. Raises ArgumentError if an earlier one was begun."""
        if not self.is_untouched:
            raise ArgumentError("this body was read before and cannot be read again; nothing would be left to send")
        return Begun(source, self)


class Begun:
    """Reads a source and notes that it did."""

    def __init__(self, source: Source, once: Once) -> None:
        self._source = source
        self._once = once

    def read(self, size: int) -> bytes:
        """At most `size` bytes, b"" at the end."""
        self._once.is_untouched = False
        return self._source.read(size)

    def close(self) -> None:
        """Close what was opened for this attempt."""
        self._source.close()


class Unbuffered:
    """Reads a file that was opened here, and closes it."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        """At most `size` bytes, b"" at the end."""
        try:
            return self._file.read(size) or b""
        except OSError as error:
            raise ArgumentError(f"file {self._file.name}: {error.strerror or error}") from None

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class Unclosed:
    """Reads a file and leaves it open."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        self._name = name

    def read(self, size: int) -> bytes:
        """At most `size` bytes, b"" at the end."""
        try:
            taken = self._file.read(size)
        except (OSError, ValueError) as error:
            raise ArgumentError(f"file {self._name}: {error}") from None
        if not isinstance(taken, bytes | bytearray | memoryview):
            raise ArgumentError(f"file {self._name}: reading gave {type(taken).__name__}; expected bytes")
        if len(taken) > size:
            raise ArgumentError(f"file {self._name}: asked for {size} bytes, reading gave {len(taken)}")
        return taken if isinstance(taken, bytes) else bytes(taken)

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

    def __init__(self, pieces: Iterable[bytes | str]) -> None:
        self._pieces = iter(pieces)
        self._once = Once()

    @property
    def is_replayable(self) -> bool:
        """Whether no piece was taken yet."""
        return self._once.is_untouched

    def open(self) -> Source:
        """Begin to read."""
        return self._once.guard(PieceSource(self._pieces))


class PieceSource:
    """Reads an iterator's pieces, cut to the size asked for."""

    def __init__(self, pieces: Iterator[bytes | str]) -> None:
        self._pieces = pieces
        self._piece = b""
        self._taken = 0

    def read(self, size: int) -> bytes:
        """At most `size` bytes, b"" at the end."""
        while self._taken >= len(self._piece):
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._piece, self._taken = piece_of(piece), 0
        start, self._taken = self._taken, self._taken + size
        return self._piece if not start and size >= len(self._piece) else self._piece[start : start + size]

    def close(self) -> None:
        """Nothing was opened: the iterator is its maker's."""


def piece_of(piece: Any) -> bytes:
    """One piece of an iterator's body as bytes. Raises ArgumentError for what is neither bytes nor text."""
    if isinstance(piece, bytes):
        return piece
    if isinstance(piece, bytearray | memoryview):
        return bytes(piece)
    if isinstance(piece, str):
        return text_piece(piece)
    raise ArgumentError(f"content: the iterator gave {type(piece).__name__}; expected bytes or text")


def text_piece(text: str, name: str = "content") -> bytes:
    """Text as UTF-8. Raises ArgumentError for half a surrogate pair."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise ArgumentError(f"{name}: the text holds half a surrogate pair, which has no UTF-8 form") from None


class AsyncPieces:
    """The bytes of an async iterator; read once, by an AsyncClient only.

    Whoever sends it loops over `pieces`, calls `begin` before the first, sends `encoded(piece)` of each and `ending()`.
    """

    length = None

    def __init__(self, pieces: AsyncIterable[Any]) -> None:
        self.pieces = pieces
        self._once = Once()

    @property
    def is_replayable(self) -> bool:
        """Whether no piece was taken yet."""
        return self._once.is_untouched

    def begin(self) -> None:
        """Note that pieces are being taken. Raises ArgumentError the second time."""
        self._once.guard(InMemory(b"").open())
        self._once.is_untouched = False

    def encoded(self, piece: Any) -> bytes:
        """What is sent for a piece. Raises ArgumentError for what is neither bytes nor text."""
        return piece_of(piece)

    def ending(self) -> bytes:
        """What is sent after the last piece."""
        return b""


class Joined:
    """Several stores, one after another."""

    def __init__(self, parts: Iterable[Stored]) -> None:
        self._parts = tuple(_merged(parts))
        lengths = [part.length for part in self._parts]
        known = [length for length in lengths if length is not None]
        self.length = sum(known) if len(known) == len(lengths) else None

    @property
    def is_replayable(self) -> bool:
        """Whether each of them is."""
        return all(part.is_replayable for part in self._parts)

    def open(self) -> Source:
        """Begin to read from the start of the first."""
        return JoinedSource(self._parts)


def _merged(parts: Iterable[Stored]) -> Iterator[Stored]:
    small: list[bytes] = []
    for part in parts:
        if isinstance(part, InMemory) and part.length < SMALL:
            small.append(part.content)
            continue
        if small:
            yield InMemory(b"".join(small))
            small.clear()
        yield part
    if small:
        yield InMemory(b"".join(small))


class JoinedSource:
    """Reads one store after another, each opened when its turn comes."""

    def __init__(self, parts: Sequence[Stored]) -> None:
        self._parts = iter(parts)
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
            self._close_current()

    def close(self) -> None:
        """Close what is open, and open nothing more."""
        self._parts = iter(())
        self._close_current()

    def _close_current(self) -> None:
        if self._current is not None:
            current, self._current = self._current, None
            current.close()
