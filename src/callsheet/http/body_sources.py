"""Bodies that are read as they are sent: bytes, iterators, and several of them one after another (files: `files.py`).

A body knows its length, unless that is not known before its end, and whether it can be sent (again). Every attempt
reads a file from the position at which the caller handed it over, and the caller closes the file. A body that can be
read only once stays replayable until its first byte is read, so an attempt that fails before that may be repeated.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterable, Iterable, Iterator, Sequence
from typing import Any, Protocol

from callsheet.errors import ArgumentError

SMALL = 64 * 1024
"""Bytes. Neighbouring parts in memory below this size are joined, so that a form of many fields takes few writes."""


class BodySource(Protocol):
    """A body being read for one attempt."""

    def read(self, size: int) -> bytes:
        """At most `size` bytes, b"" at the end. Raises ArgumentError if the body cannot be read or has another length."""

    def close(self) -> None:
        """Close what was opened for this attempt."""


def check_length(source: BodySource, length: int, taken: int, *, is_over: bool) -> None:
    """Raise ArgumentError unless a body has its announced length, after `taken` bytes of it were read.

    Bytes above the length would not be sent, and the service would take the beginning for the whole.
    """
    if taken > length or (taken == length and not is_over and source.read(1)):
        raise ArgumentError(f"the body: {length} bytes were announced, and it is longer")
    if is_over and taken < length:
        raise ArgumentError(f"the body: {length} bytes were announced, and it ended after {taken}")


class Stored(Protocol):
    """Data that a body can be made of, such as a file: its length, whether it can be read again, and how to open it."""

    @property
    def length(self) -> int | None:
        """The length in bytes; None if it is not known before the end."""

    @property
    def is_replayable(self) -> bool:
        """Whether `open` can (still) give all of it."""

    @property
    def is_read_once(self) -> bool:
        """Whether it can be read only once, so that nothing may look at it before it is sent."""

    def open(self) -> BodySource:
        """Begin to read from the start."""


class InMemory:
    """Bytes in memory."""

    __slots__ = ("content", "length")
    is_replayable = True
    is_read_once = False

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.length = len(content)

    def open(self) -> BodySource:
        """Begin to read from the start."""
        return io.BytesIO(self.content)


class ReadOnce:
    """Remembers whether the reading of something that can be read only once has begun."""

    __slots__ = ("is_untouched",)

    def __init__(self) -> None:
        self.is_untouched = True

    def guard(self, source: BodySource) -> BodySource:
        """A source that notes its first read here. Raises ArgumentError if an earlier source was read."""
        if not self.is_untouched:
            raise ArgumentError("this body was read before and cannot be read again; nothing would be left to send")
        return NotedSource(source, self)


class NotedSource:
    """Reads a source, and notes in a ReadOnce that it was read."""

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
    """The pieces of an iterator, which can be read only once."""

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
    """Reads an iterator, its pieces cut to the size asked for."""

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
        """Do nothing: the iterator belongs to the caller."""


def piece_of(piece: Any) -> bytes:
    """A piece that the caller's iterator gave, as bytes. Raises ArgumentError if it is neither bytes nor text."""
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
        """The bytes to send for a piece. Raises ArgumentError if it is neither bytes nor text."""
        return piece_of(piece)

    def ending(self) -> bytes:
        """The bytes to send after the last piece."""
        return b""


class Joined:
    """The content of several Stored, one after another."""

    def __init__(self, parts: Iterable[Stored]) -> None:
        self._parts = tuple(_merged(parts))
        lengths = [part.length for part in self._parts]
        known = [length for length in lengths if length is not None]
        self.length = sum(known) if len(known) == len(lengths) else None
        self.is_read_once = any(part.is_read_once for part in self._parts)

    @property
    def is_replayable(self) -> bool:
        """Whether all parts are replayable."""
        return all(part.is_replayable for part in self._parts)

    def open(self) -> BodySource:
        """Begin to read at the start of the first part."""
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
    """Reads one Stored after another; each is opened when its turn comes."""

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
        """Close the open part; no other is opened after that."""
        self._parts = iter(())
        self._close_current()

    def _close_current(self) -> None:
        if self._current is not None:
            current, self._current = self._current, None
            current.close()
