"""Splits a body that arrives in pieces into lines."""

from __future__ import annotations

import codecs
import re

from callsheet.http.charset import usable

END_OF_LINE = re.compile(r"\r\n|\n|\r")
LONGEST_LINE = 10 * 1024 * 1024
"""Characters. A longer line is refused, since it could fill the memory."""
WITHOUT_MARK = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}
"""Without a byte order mark these are little-endian, as browsers read them (WHATWG Encoding 4.2)."""


class TooLongError(ValueError):
    """A line exceeds LONGEST_LINE."""


class LineSplitter:
    """Gives the lines of a text, without their ends: LF, CR LF or CR.

    Only these three end a line, unlike `str.splitlines`: U+2028 may stand inside a JSON string. Bytes that do not fit
    the charset become U+FFFD; an unknown charset is read as UTF-8. `longest` bounds one line, in characters.
    """

    def __init__(self, encoding: str = "utf-8", longest: int = LONGEST_LINE) -> None:
        self._decoder = _decoder(encoding)
        self._codec = encoding.lower().replace("_", "-")
        self._longest = longest
        self._pending: list[str] = []
        self._size = 0
        self._ended_with_cr = False

    def feed(self, piece: bytes) -> list[str]:
        """The lines that `piece` completes. Raises TooLongError."""
        return self._split(self._text(piece))

    def end(self) -> list[str]:
        """The last line, if the body ends without a line end. Raises TooLongError."""
        lines = self._split(self._text(b"", final=True))
        if self._pending:
            lines.append("".join(self._pending))
            self._pending.clear()
        return lines

    def _text(self, piece: bytes, *, final: bool = False) -> str:
        try:
            return self._decoder.decode(piece, final)
        except UnicodeError:
            held = self._decoder.getstate()[0]
            self._decoder = _decoder(WITHOUT_MARK.get(self._codec, "utf-8"))
            return self._decoder.decode(held + piece, final)

    def _split(self, text: str) -> list[str]:
        if self._ended_with_cr and text:
            self._ended_with_cr = False
            text = text.removeprefix("\n")
        if not text:
            return []
        self._ended_with_cr = text.endswith("\r")
        *complete, rest = END_OF_LINE.split(text)
        if complete:
            complete[0] = "".join([*self._pending, complete[0]])
            self._pending.clear()
            self._size = 0
        if rest:
            self._pending.append(rest)
            self._size += len(rest)
        if self._size > self._longest or any(len(line) > self._longest for line in complete):
            raise TooLongError(f"a line is longer than {self._longest} characters")
        return complete


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    try:
        return codecs.getincrementaldecoder(usable(encoding))("replace")
    except LookupError:  # a codec that cannot decode piece by piece
        return codecs.getincrementaldecoder("utf-8")("replace")
