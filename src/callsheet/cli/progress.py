"""Shows the progress of a transfer on a terminal: bytes, rate and time left, on the stream for errors."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from callsheet.cli.screen import Screen

if TYPE_CHECKING:
    from callsheet.http.body_sources import AsyncPieces, BodySource
    from callsheet.http.request import Request

OFTEN = 0.05
"""Seconds between two drawings: more of them cannot be seen."""


class Meter:
    """Counts the bytes of one transfer and shows them now and then."""

    def __init__(self, bar: Any, task: Any) -> None:
        self._bar = bar
        self._task = task
        self._shown_at = 0.0
        self._done = 0

    def restart(self, done: int = 0) -> None:
        """Begin anew at so many bytes: each attempt sends the whole body again."""
        self._done = done
        self._bar.reset(self._task, completed=done)

    def advance(self, count: int) -> None:
        """Count so many bytes more."""
        self.reach(self._done + count)

    def reach(self, done: int, total: int | None = None) -> None:
        """Set the count to so many bytes, of `total` if that is known."""
        self._done = done
        now = time.monotonic()
        if now - self._shown_at >= OFTEN or done == total:
            self._shown_at = now
            self._bar.update(self._task, completed=self._done, **({} if total is None else {"total": total}))

    def finish(self) -> None:
        """Show the bytes that were counted since the last drawing."""
        self._bar.update(self._task, completed=self._done)


def amount(size: int) -> str:
    """A number of bytes for a person, in the units of the bar: `999 bytes`, `1.2 MB`."""
    number, unit = float(size), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if number < 1000:
            break
        number, unit = number / 1000, larger
    return f"{size} bytes" if unit == "bytes" else f"{number:.1f} {unit}"


@contextmanager
def meter(screen: Screen, what: str, total: int | None) -> Iterator[Meter | None]:
    """A meter with its bar while the block runs; None if the stream for errors is no terminal."""
    if not screen.errors_are_terminal:
        yield None
        return
    bar = _bar(screen)
    errors = screen.errors
    with bar:
        # Lines that are written meanwhile go above the bar.
        screen.errors = AboveBar(bar.console)
        made = Meter(bar, bar.add_task(what, total=total))
        try:
            yield made
        finally:
            made.finish()
            screen.errors = errors


class AboveBar(io.StringIO):
    """A stream that puts what is written above the bar, without breaking long lines."""

    def __init__(self, console: Any) -> None:
        super().__init__()
        self._console = console

    def write(self, text: str) -> int:
        """Put lines above the bar."""
        from rich.text import Text

        self._console.print(Text.from_ansi(text.removesuffix("\n")), soft_wrap=True)
        return len(text)


def _bar(screen: Screen) -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    colour = screen.errors_have_colour
    console = Console(
        file=screen.errors, force_terminal=True, no_color=not colour, highlight=False, markup=False, emoji=False
    )
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    return Progress(
        TextColumn("{task.description}", markup=False),
        *columns,
        console=console,
        redirect_stdout=False,
        redirect_stderr=False,
    )


@contextmanager
def shown_upload(request: Request, screen: Screen) -> Iterator[None]:
    """While the block runs, show the progress of a body that is read as it is sent; do nothing for other bodies."""
    body: Any = request.body
    if body is None or body.content is not None:
        yield
        return
    with meter(screen, "upload", body.length) as made:
        if made is not None:
            request.body = CountedBody(body, made)
        yield


class CountedBody:
    """A body whose bytes are counted as they are read."""

    content = None

    def __init__(self, body: Any, made: Meter) -> None:
        self._body = body
        self._meter = made
        self.content_type: str | None = body.content_type
        self.length: int | None = body.length

    @property
    def is_replayable(self) -> bool:
        """Whether a further attempt can send it whole."""
        return bool(self._body.is_replayable)

    @property
    def is_read_once(self) -> bool:
        """Whether it can be read once only."""
        return bool(self._body.is_read_once)

    @property
    def asynchronous(self) -> AsyncPieces | None:
        """None: the command line has no bodies of async iterators."""
        return None

    def open(self) -> BodySource:
        """Begin to read from the start, with the count at 0."""
        self._meter.restart()
        return WatchedSource(self._body.open(), self._meter)


class WatchedSource:
    """Reads a body and counts its bytes."""

    def __init__(self, source: BodySource, made: Meter) -> None:
        self._source = source
        self._meter = made

    def read(self, size: int) -> bytes:
        """At most `size` bytes, b"" at the end."""
        taken = self._source.read(size)
        self._meter.advance(len(taken))
        return taken

    def close(self) -> None:
        """Close the source that was opened for this attempt."""
        self._source.close()
