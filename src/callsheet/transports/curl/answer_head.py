"""The header lines of an answer, held to its bounds while they arrive."""

from __future__ import annotations

BLANK = (b"\r\n", b"\n")
MOST_INTERIM = 16
"""Interim answers (1xx) before the final one. Services send one or two."""
STATUS_LINES = 4096
"""Bytes that status lines and blank lines may take beside the fields that `caps.headers` bounds."""


class AnswerHead:
    """Keeps the lines of one answer up to the end of its header block; interim answers count, trailers are dropped.

    `excess` tells which bound was exceeded, None if none was. Once the final answer's block `is_complete`, `fields_size` is
    the size of its fields.
    """

    __slots__ = (
        "_before",
        "_begins",
        "_cap",
        "_interim",
        "_most",
        "_size",
        "excess",
        "fields_size",
        "is_complete",
        "lines",
    )

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.begin(0)

    def begin(self, cap: int) -> None:
        """Forget the last answer; take at most `cap` bytes of fields of the next, its interim answers' included."""
        self.lines.clear()
        self.excess: str | None = None
        self.fields_size = 0
        self._cap = cap
        self._most = cap + STATUS_LINES
        self._size = self._before = self._begins = self._interim = 0
        self.is_complete = False

    def take(self, line: bytes) -> int | None:
        """Take a line, as HEADERFUNCTION of libcurl: 0 ends the transfer, None lets it go on."""
        self._size += len(line)
        if len(line) <= 2 or self._size > self._most:
            return self._take_at_edge(line)
        self.lines.append(line)
        return None

    def _take_at_edge(self, line: bytes) -> int | None:
        if self.is_complete:
            return None
        if self._size > self._most:
            self.excess = f"header fields of more than {self._cap} bytes (caps.headers)"
            return 0
        self.lines.append(line)
        return self._end_block(len(line)) if line in BLANK else None

    def _end_block(self, blank: int) -> int | None:
        status_line = self.lines[self._begins]
        if not is_interim(status_line):
            self.fields_size = max(0, self._size - self._before - len(status_line) - blank)
            self.is_complete = True
            self._most = 0  # each further line is a trailer
            return None
        self._begins = len(self.lines)
        self._before = self._size
        self._interim += 1
        if self._interim <= MOST_INTERIM:
            return None
        self.excess = f"more than {MOST_INTERIM} interim answers (1xx) before the final one"
        return 0

    @property
    def final(self) -> tuple[bytes, list[bytes]] | None:
        """Status line and fields of the final answer; None if its header block is not whole."""
        return (self.lines[self._begins], self.lines[self._begins + 1 : -1]) if self.is_complete else None


def is_interim(status_line: bytes) -> bool:
    """Whether this is the status line of a 1xx answer, which the final answer follows (RFC 9110 15.2)."""
    return status_line.partition(b" ")[2].lstrip()[:1] == b"1"
