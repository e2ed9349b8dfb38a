"""Files as bodies: by their path, or as a file object that the caller opened."""

from __future__ import annotations

import codecs
import io
import os
import stat
from pathlib import Path
from typing import Any

from callsheet.errors import ArgumentError
from callsheet.http.body_sources import BodySource, ReadOnce


class PathFile:
    """The file at a path, opened and closed for each attempt. Raises ArgumentError if it cannot be read."""

    is_replayable = True
    is_read_once = False

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

    def open(self) -> BodySource:
        """Begin to read from the start."""
        try:
            return Exactly(Unbuffered(self.path.open("rb", buffering=0)), self.length, str(self.path))
        except OSError as error:
            raise _unreadable(self.path, error) from None


def _unreadable(path: Path, error: OSError | ValueError) -> ArgumentError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return ArgumentError(f"file {str(path)!r}: {reason}")


class OpenFile:
    """A file object that the caller opened and will close, read from its position at this time.

    It can be sent again if it can seek. Raises ArgumentError if it is closed, write-only or opened as text.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self.name = str(getattr(file, "name", "object"))
        if _is_text(file):
            raise ArgumentError(f"file {self.name}: opened as text; open it with 'rb'")
        if getattr(file, "closed", False):
            raise ArgumentError(f"file {self.name}: it is closed")
        if not getattr(file, "readable", lambda: True)():
            raise ArgumentError(f"file {self.name}: it is open for writing only; open it with 'rb'")
        self._start = _position(file)
        self._once = ReadOnce()
        self.length = None if self._start is None else _rest_of(file, self._start)

    @property
    def is_replayable(self) -> bool:
        """Whether it can seek back, or nothing of it was read yet."""
        return self._start is not None or self._once.is_untouched

    @property
    def is_read_once(self) -> bool:
        """Whether it cannot seek back."""
        return self._start is None

    def open(self) -> BodySource:
        """Begin to read at the position that the file had when it was handed over."""
        if self._start is None:
            return self._once.guard(Unclosed(self._file, self.name))
        try:
            self._file.seek(self._start)
        except (OSError, ValueError) as error:
            raise ArgumentError(f"file {self.name}: {error}") from None
        source = Unclosed(self._file, self.name)
        return source if self.length is None else Exactly(source, self.length, self.name)


def _is_text(file: Any) -> bool:
    """Whether reading gives text. The wrappers of `tempfile` show the `encoding` of the text file in them."""
    if isinstance(file, io.RawIOBase | io.BufferedIOBase):
        return False
    return isinstance(file, io.TextIOBase | codecs.StreamReader) or hasattr(file, "encoding")


def _position(file: Any) -> int | None:
    try:
        return file.tell() if file.seekable() else None
    except (AttributeError, OSError):
        return None


def _rest_of(file: Any, start: int) -> int | None:
    if _is_device(file):
        return None
    try:
        end = file.seek(0, os.SEEK_END)
    except OSError:
        return None
    finally:
        file.seek(start)
    return max(0, end - start) if isinstance(end, int) else None


def _is_device(file: Any) -> bool:
    """Whether it is a device: its end may be at 0 although bytes can be read, so it tells no length."""
    try:
        return stat.S_ISCHR(os.fstat(file.fileno()).st_mode)
    except (AttributeError, OSError, ValueError, TypeError):
        return False


class Unbuffered:
    """Reads a file that was opened for this attempt, and closes it."""

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
    """Reads a file that the caller opened, and leaves it open."""

    def __init__(self, file: Any, name: str) -> None:
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
        """Do nothing: the caller closes the file."""


class Exactly:
    """Reads exactly the announced bytes: bytes that were appended meanwhile are left out, and a shorter file is an error."""

    def __init__(self, source: BodySource, length: int, name: str) -> None:
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
