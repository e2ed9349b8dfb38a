"""Splits a body that arrives in pieces into lines."""

from __future__ import annotations

import codecs
import re
from io import BytesIO

from callsheet.http.charset import decoder_for

END_OF_LINE = re.compile(r"\r\n|\n|\r")
LONGEST_LINE = 10 * 1024 * 1024
"""Characters. A longer line is refused, since it could fill the memory."""
KEPT_AS = ("utf-8", "surrogatepass")
"""How text that grows is kept: unlike a list of short texts, bytes take no more memory than their number."""
WITHOUT_MARK = {"utf-16": "utf-16-le", "utf-32": "utf-32-le"}
"""Without a byte order mark these are little-endian, as browsers read UTF-16 (WHATWG Encoding 4.2)."""
BYTES_AS_TEXT = "iso8859-1"
"""Python's name of a charset that maps each byte to one character, so that a line encodes back to its own bytes."""


class TooLongError(ValueError):
    """A line exceeds LONGEST_LINE."""


class LineSplitter:
    """Gives the lines of a text, without their ends: LF, CR LF or CR.

    Only these three end a line, unlike `str.splitlines`: U+2028 may stand inside a JSON string. Bytes that do not fit
    the charset become U+FFFD; an unknown charset is read as UTF-8. `longest` bounds one line, in characters.
    """

    def __init__(self, encoding: str = "utf-8", longest: int = LONGEST_LINE) -> None:
        self._decoder = codecs.getincrementaldecoder(encoding)() if encoding == BYTES_AS_TEXT else decoder_for(encoding)
        self._codec = encoding.lower().replace("_", "-")
        self._longest = longest
        self._pending = BytesIO()
        self._size = 0
        self._ended_with_cr = False

    def feed(self, piece: bytes) -> list[str]:
        """The lines that `piece` completes. Raises TooLongError."""
        return self._split(self._text(piece))

    def end(self) -> list[str]:
        """The last line, if the body ends without a line end. Raises TooLongError."""
        lines = self._split(self._text(b"", final=True))
        return [*lines, self._begun()] if self._size else lines

    def _begun(self) -> str:
        """The beginning of a line that came with earlier pieces."""
        begun, self._pending, self._size = self._pending.getvalue(), BytesIO(), 0
        return begun.decode(*KEPT_AS)

    def _text(self, piece: bytes, *, final: bool = False) -> str:
        try:
            return str(self._decoder.decode(piece, final))
        except UnicodeError:
            held = self._decoder.getstate()[0]
            self._decoder = decoder_for(WITHOUT_MARK.get(self._codec, "utf-8"))
            return str(self._decoder.decode(held + piece, final))

    def _split(self, text: str) -> list[str]:
        if self._ended_with_cr and text:
            self._ended_with_cr = False
            text = text.removeprefix("\n")
        if not text:
            return []
        self._ended_with_cr = text.endswith("\r")
        *complete, rest = END_OF_LINE.split(text)
        if complete and self._size:
            complete[0] = self._begun() + complete[0]
        if rest:
            self._pending.write(rest.encode(*KEPT_AS))
            self._size += len(rest)
        if self._size > self._longest or any(len(line) > self._longest for line in complete):
            raise TooLongError(f"a line is longer than {self._longest} characters")
        return complete
