"""Bodies that are read as they are sent: bytes, iterators, and several of them one after another (files: `files.py`).

A body knows its length, if it can be known, and whether it can be sent (again). A file begins where it stood when it
was handed over, for every attempt; it is closed by whoever opened it. What can be read only once is replayable until
the first byte is asked of it: an attempt that never got as far as the body has cost nothing.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterable, Iterable, Iterator, Sequence
from typing import Any, Protocol

from callsheet.errors import ArgumentError

SMALL = 64 * 1024
"""Bytes: neighbours in memory below this size are read as one, so that a form of many fields is few writes."""


class BodySource(Protocol):
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

    @property
    def is_read_once(self) -> bool:
        """Whether it is gone when it was read, so that nobody can look at it before it is sent."""

    def open(self) -> BodySource:
        """Begin to read from the start."""


class InMemory:
    """Bytes."""

    __slots__ = ("content",)
    is_replayable = True
    is_read_once = False

    def __init__(self, content: bytes) -> None:
        self.content = content

    @property
    def length(self) -> int:
        """The length in bytes."""
        return len(self.content)

    def open(self) -> BodySource:
        """Begin to read from the start."""
        return io.BytesIO(self.content)


class ReadOnce:
    """Remembers whether something that can be read once has been begun."""

    __slots__ = ("is_untouched",)

    def __init__(self) -> None:
        self.is_untouched = True

    def guard(self, source: BodySource) -> BodySource:
        """The source, marked as begun at its first read. Raises ArgumentError if an earlier one was begun."""
        if not self.is_untouched:
            raise ArgumentError("this body was read before and cannot be read again; nothing would be left to send")
        return NotedSource(source, self)


class NotedSource:
    """Reads a source and notes that it did."""

    def __init__(self, source: BodySource, once: ReadOnce) -> None:
        self._source = source
        self._once = once

    def read(self, size: int) -> bytes:
        """At most `size` bytes, b"" at the end."""
        self._once.is_untouched = False
        return self._source.read(size)

    def close(self) -> None:
        """Close what was opened for this attempt."""
        self._source.close()


class Pieces:
    """The bytes of an iterator; read once."""

    length = None
    is_read_once = True

    def __init__(self, pieces: Iterable[bytes | str]) -> None:
        self._pieces = iter(pieces)
        self._once = ReadOnce()

    @property
    def is_replayable(self) -> bool:
        """Whether no piece was taken yet."""
        return self._once.is_untouched

    def open(self) -> BodySource:
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
            try:
                piece = next(self._pieces)
            except StopIteration:
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
    """The pieces of an async iterator as a body. Only an AsyncClient can send it, and only once.

    A transport calls `begin`, sends `encoded(piece)` for each piece of `pieces`, and `ending()` after the last.
    """

    length = None
    is_read_once = True

    def __init__(self, pieces: AsyncIterable[Any]) -> None:
        self.pieces = pieces
        self._once = ReadOnce()

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

    @property
    def is_read_once(self) -> bool:
        """Whether one of them is."""
        return any(part.is_read_once for part in self._parts)

    def open(self) -> BodySource:
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
        self._current: BodySource | None = None

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
