"""The header lines of an answer, held to its bounds while they arrive."""

from __future__ import annotations

import re
from collections.abc import Callable

BLANK = (b"\r\n", b"\n")
MOST_INTERIM = 16
"""Interim answers (1xx) before the final one. Services send one or two."""
STATUS_LINES = 4096
"""Bytes that status lines and blank lines may take beside the fields that `caps.headers` bounds."""
BODILESS = (b"204", b"304")
SPACED = re.compile(rb"^([^\s:]+)[ \t]+:")
UNREAD = re.compile(rb"^(?:content-length|transfer-encoding)[ \t]+:", re.MULTILINE)
CODINGS = re.compile(rb"^transfer-encoding:(.*)", re.MULTILINE)


class AnswerHead:
    """Keeps the lines of one answer; interim answers and trailers are no part of its `final` block.

    `take` is the HEADERFUNCTION of libcurl: 0 ends the transfer, None lets it go on. `begin` forgets the last answer, and
    takes at most so many bytes of fields of the next, its interim answers' included. `excess` tells why it ended the transfer.
    """

    __slots__ = ("_begins", "_ends", "_interim", "begin", "excess", "is_complete", "lines", "take")

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.begin, self.take = self._callbacks()
        self.begin(0)

    def _callbacks(self) -> tuple[Callable[[int], None], Callable[[bytes], int | None]]:
        """`begin` and `take`, which runs for each line: variables of a closure take half the time of attributes."""
        lines, append, at_edge = self.lines, self.lines.append, self._at_edge
        size = cap = most = 0

        def begin(new_cap: int) -> None:
            nonlocal size, cap, most
            size, cap, most = 0, new_cap, new_cap + STATUS_LINES
            lines.clear()
            self._begins = self._ends = self._interim = 0
            self.excess: str | None = None
            self.is_complete = False

        def take(line: bytes) -> int | None:
            nonlocal size
            size += len(line)
            append(line)
            return at_edge(line, cap if size > most else None) if size > most or len(line) < 3 else None

        return begin, take

    def _at_edge(self, line: bytes, exceeded: int | None) -> int | None:
        """Take the last line, which may end a block, or which exceeded the cap."""
        if self.is_complete:
            self.lines.pop()
        elif exceeded is not None:
            self.lines.pop()
            self.excess = f"header fields of more than {exceeded} bytes (caps.headers)"
        elif line in BLANK:
            self._end_block()
        return None if self.excess is None else 0

    def _end_block(self) -> None:
        if not is_interim(self.lines[self._begins]):
            head = b"".join(self.lines[self._begins :]).lower()
            if b"transfer-encoding" in head or b" :" in head or b"\t:" in head:
                self.excess = misframed(head)
                # As a proxy would pass them on (RFC 9112 5.1).
                self.lines[self._begins :] = [SPACED.sub(rb"\1:", line) for line in self.lines[self._begins :]]
            self.is_complete = self.excess is None
            self._ends = len(self.lines) - 1
        else:
            self._begins = len(self.lines)
            self._interim += 1
            if self._interim > MOST_INTERIM:
                self.excess = f"more than {MOST_INTERIM} interim answers (1xx) before the final one"

    @property
    def final(self) -> tuple[bytes, list[bytes]] | None:
        """Status line and fields of the final answer; None if its header block is not whole."""
        return (self.lines[self._begins], self.lines[self._begins + 1 : self._ends]) if self.is_complete else None


def misframed(head: bytes) -> str | None:
    """What hides from libcurl where the body of an answer ends, given its lower-case head; None if nothing does.

    libcurl then reads until the connection closes, and would take half a body for the whole.
    """
    if head.partition(b" ")[2].lstrip()[:3] in BODILESS:
        return None
    if UNREAD.search(head):
        return "white space stands between Content-Length or Transfer-Encoding and its colon (RFC 9112 5.1)"
    codings = [coding.strip() for value in CODINGS.findall(head) for coding in value.split(b",")]
    if codings and b"chunked" not in codings:
        return "Transfer-Encoding does not name chunked, which alone frames a body (RFC 9112 6.3)"
    return None


def is_interim(status_line: bytes) -> bool:
    """Whether this is the status line of a 1xx answer, which the final answer follows (RFC 9110 15.2)."""
    return status_line.partition(b" ")[2].lstrip()[:1] == b"1"
