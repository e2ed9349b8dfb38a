"""The two streams that the command line writes to: one for data, one for everything else."""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


@dataclass(slots=True)
class Screen:
    """The two streams of a command, and how they may be written to.

    `is_terminal`: a person reads the data, so JSON is laid out and nothing may steer the terminal. `has_colour` and
    `errors_have_colour`: whether to colour the data and the errors; never with NO_COLOR or TERM=dumb. `is_over`: the reader
    of the data has gone away.
    """

    data: BinaryIO
    errors: TextIO
    is_terminal: bool = False
    has_colour: bool = False
    errors_have_colour: bool = False
    errors_are_terminal: bool = False
    is_over: bool = False
    width: int | None = None

    @classmethod
    def of_process(cls) -> Screen:
        """The streams of this process."""
        may_colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        is_terminal = sys.stdout.isatty()
        return cls(
            sys.stdout.buffer,
            sys.stderr,
            is_terminal,
            has_colour=is_terminal and may_colour,
            errors_have_colour=sys.stderr.isatty() and may_colour,
            errors_are_terminal=sys.stderr.isatty() and os.environ.get("TERM") != "dumb",
        )

    def columns(self) -> int:
        """How many columns a line has."""
        return self.width or shutil.get_terminal_size().columns

    def write(self, content: bytes) -> None:
        """Put bytes on the data stream as they are. A reader that has gone away is no failure."""
        try:
            self.data.write(content)
            self.data.flush()
        except BrokenPipeError:
            self._data_is_over()

    def print(self, text: str) -> None:
        """Put a line on the data stream."""
        self.write(f"{text}\n".encode("utf-8", "replace"))

    def coloured(self, text: str, style: str) -> str:
        """The text in a style, a number of ECMA-48 8.3.117, if the data has colours."""
        return f"\x1b[{style}m{text}\x1b[0m" if self.has_colour else text

    def put(self, text: str, *, as_data: bool) -> None:
        """Put a text that is harmless already, and may have colours, on the data stream, or on the one for errors."""
        if as_data:
            self.print(text)
        else:
            self._write_error(f"{text}\n")

    def say(self, text: str) -> None:
        """Put a line on the stream for errors."""
        self._write_error(f"{visible(text)}\n")

    def draw(self, text: str) -> None:
        """Put a text in place of the one drawn last, where a person reads the errors and the data go elsewhere."""
        if self.errors_are_terminal and not self.is_terminal:
            self._write_error(f"\r\x1b[K{visible(text)}")

    def complain(self, text: str) -> None:
        """Put a line that says what went wrong on the stream for errors."""
        head = "\x1b[1;31mcallsheet:\x1b[0m" if self.errors_have_colour else "callsheet:"
        self._write_error(f"{head} {visible(text)}\n")

    def _write_error(self, text: str) -> None:
        try:
            self.errors.write(text)
            self.errors.flush()
        except BrokenPipeError:
            self.errors = io.StringIO()

    def show(self, *renderables: RenderableType) -> None:
        """Put something laid out by rich on the data stream."""
        self.write(self.rendered(*renderables).encode("utf-8", "replace"))

    def rendered(self, *renderables: RenderableType) -> str:
        """The text that rich makes of something, with colours if this screen has them."""
        made = io.StringIO()
        console = self._console(made)
        for renderable in renderables:
            console.print(renderable, soft_wrap=True)
        return made.getvalue()

    def _console(self, file: TextIO) -> Console:
        from rich.console import Console

        return Console(
            file=file,
            width=self.width,
            force_terminal=self.has_colour,
            no_color=not self.has_colour,
            color_system="auto" if self.has_colour else None,
            highlight=False,
            markup=False,
            emoji=False,
        )

    def _data_is_over(self) -> None:
        if self.data is getattr(sys.stdout, "buffer", None):
            # The interpreter flushes stdout once more at its end, which would raise again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        self.data = io.BytesIO()
        self.is_over = True


def visible(text: str) -> str:
    """The text with everything that could steer a terminal made visible (line breaks and tabs stay)."""
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def columns(rows: Iterable[Iterable[str]]) -> str:
    """Rows for a program to read: tab-separated, one a line."""
    return "\n".join("\t".join(" ".join(cell.split()) for cell in row) for row in rows)
