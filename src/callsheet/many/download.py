"""An answer's body into a file: whole, or not at all.

Theory of operation. The body is written to `NAME.part` beside the target, which replaces the target once it is
complete: no reader ever sees half a file. With `resume`, a part that breaks off is kept if the answer had a validator
(a strong ETag, or a Last-Modified that is one: RFC 9110 8.8), and the next download asks for the rest by Range, under
If-Range. What comes then says what to do: 206, with the range that was asked for, is written on; 200 is the
whole, of a file that changed or from a server without ranges; 416 that tells the size we have means that nothing was
missing. Anything else is raised, and a part that contradicts the server is given up.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import NamedTuple

from callsheet.engine.open_answer import OpenAnswer
from callsheet.engine.perform import raise_failure
from callsheet.errors import APIError, ArgumentError, DecodeError, HTTPError, ResponseTooLarge, error_for_status
from callsheet.http.codings import codings_in
from callsheet.http.response import Response
from callsheet.many.partial_file import PartialFile, WholeFile

Progress = Callable[[int, int | None], object]
"""A function of the bytes that are in the file so far, and of how many it will have, None where that is not known."""
PathLike = str | os.PathLike[str]
"""The path of a file."""
CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
COMPLETE_LENGTH = re.compile(r"bytes \*/(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Download:
    """A file that was downloaded: `size` bytes at `path`. The first `resumed_at` of them an earlier download had brought.

    `response` is the answer that completed the file: its status and header fields, without the body.
    """

    path: Path
    size: int
    resumed_at: int
    response: Response


class DownloadSource(NamedTuple):
    """Where the body comes from: its URL, and a function that sends a GET with these further header fields."""

    url: str
    open: Callable[[Mapping[str, str]], Awaitable[OpenAnswer]]


class Wish(NamedTuple):
    """The options of a download."""

    resume: bool = False
    progress: Progress | None = None
    max_bytes: int | None = None


async def download(source: DownloadSource, to: PathLike, wish: Wish) -> Download:
    """Download to a file. Raises what a stream raises, ArgumentError for a path that cannot be written, OSError."""
    target = checked(to)
    with PartialFile(target) as part:
        filling = _Filling(part, source_id(source.url), wish)
        response = await filling.whole(source)
        part.complete()
        return Download(target, part.size, filling.resumed_at, response)


def source_id(url: str) -> str:
    """The hash by which a part remembers its URL, which may hold a credential."""
    return hashlib.sha256(url.encode()).hexdigest()


def checked(to: PathLike) -> Path:
    """The path of a file that can be made. Raises ArgumentError."""
    if not isinstance(to, str | os.PathLike):
        raise ArgumentError(f"download: expected the path of a file, found {type(to).__name__}")
    target = Path(to)
    if "\0" in str(target):
        raise ArgumentError(f"download: {str(to)!r} holds a NUL, which no path can")
    if not target.name or target.is_dir():
        raise ArgumentError(f"download: {str(to)!r} is a folder; give the path of a file")
    if not target.parent.is_dir():
        raise ArgumentError(f"download: there is no folder {str(target.parent)!r}; make it first")
    return target


class _Filling:
    """Fills a part, answer by answer."""

    def __init__(self, part: PartialFile, source: str, wish: Wish) -> None:
        self._part = part
        self._source = source
        self._wish = wish
        self.resumed_at = 0

    async def whole(self, source: DownloadSource) -> Response:
        """Take answers until the part is whole, and give the last one."""
        while True:
            begun = self._begun()
            opened = await source.open(self._fields(begun))
            try:
                is_whole = await self._take(opened, begun)
            except APIError as error:
                opened.failed(error)
                raise
            except BaseException as error:
                opened.close(error)
                raise
            opened.close()
            if is_whole:
                return opened.response

    def _begun(self) -> WholeFile | None:
        """What the part is the beginning of, if it may be continued."""
        begun = self._part.begun
        return begun if begun and self._wish.resume and begun.source == self._source else None

    def _fields(self, begun: WholeFile | None) -> dict[str, str]:
        if not self._wish.resume:
            return {}
        # A range of a compressed body is no range of the file.
        fields = {"Accept-Encoding": "identity"}
        if begun is not None:
            fields |= {"Range": f"bytes={self._part.size}-", "If-Range": begun.validator}
        return fields

    async def _take(self, opened: OpenAnswer, begun: WholeFile | None) -> bool:
        """Whether the part is whole, after what this answer brought."""
        response = opened.response
        if response.status_code in (200, 203):
            await self._anew(opened)
            return True
        if begun is not None and response.status_code == 206:
            return await self._go_on(opened, begun)
        if begun is not None and response.status_code == 416:
            if _complete_length(response) == self._part.size:
                self.resumed_at = self._part.size
                return True
            self._part.give_up()
        await raise_failure(opened)
        expected = "200 or 206" if begun else "200"
        kind = error_for_status(response.status_code) if response.status_code >= 300 else HTTPError
        raise kind(f"{response.summary()}, where {expected} was expected for a file", **response.facts())

    async def _anew(self, opened: OpenAnswer) -> None:
        response = opened.response
        self.resumed_at = 0
        total = _content_length(response)
        validator = _validator_of(response) if self._wish.resume else None
        self._part.begin(WholeFile(self._source, validator, total) if validator else None)
        await self._write(opened, total)

    async def _go_on(self, opened: OpenAnswer, begun: WholeFile) -> bool:
        response, part = opened.response, self._part
        try:
            end, total = _range_of(response, part.size, begun)
        except APIError:
            part.give_up()
            raise
        self.resumed_at = self.resumed_at or part.size
        await self._write(opened, total)
        if part.size != end:
            part.give_up()
            raise DecodeError(f"206: expected bytes up to {end}, found {part.size}", **response.facts())
        return end == total

    async def _write(self, opened: OpenAnswer, total: int | None) -> None:
        part, progress = self._part, self._wish.progress
        self._check_size(total or 0, opened)
        if progress is not None:
            progress(part.size, total)
        while piece := await opened.next_piece():
            self._check_size(part.size + len(piece), opened)
            part.write(piece)
            if progress is not None:
                progress(part.size, total)

    def _check_size(self, size: int, opened: OpenAnswer) -> None:
        most = self._wish.max_bytes
        if most is not None and size > most:
            self._part.give_up()
            raise ResponseTooLarge(f"the file is larger than {most} bytes (max_bytes)", **opened.response.facts())


def _range_of(response: Response, start: int, begun: WholeFile) -> tuple[int, int]:
    """End and total of the range that an answer brings. Raises DecodeError if it is not the rest of what was begun."""
    told = (response.field(b"content-range") or "").strip()
    found = CONTENT_RANGE.fullmatch(told)
    if found is not None and _is_same_file(response, begun) and not _is_coded(response):
        first, last = int(found[1]), int(found[2])
        total = begun.total if found[3] == "*" else int(found[3])
        if total is not None and begun.total in (None, total) and first == start <= last < total:
            return last + 1, total
    wanted = f"`bytes {start}-` of {begun.total or 'so many'} and {begun.validator}"
    message = f"206: expected {wanted}, found `{told[:100]}` and {(response.field(b'etag') or 'no ETag')[:100]}"
    raise DecodeError(response.masked(message), **response.facts())


def _is_same_file(response: Response, begun: WholeFile) -> bool:
    """Whether the ETags agree, if there are two: a server that ignores If-Range may send the rest of another file."""
    etag = response.field(b"etag")
    return etag is None or not begun.validator.startswith('"') or etag == begun.validator


def _complete_length(response: Response) -> int | None:
    """The size that an answer of 416 tells (RFC 9110 15.5.17)."""
    found = COMPLETE_LENGTH.fullmatch((response.field(b"content-range") or "").strip())
    return int(found[1]) if found else None


def _content_length(response: Response) -> int | None:
    """The size of the file, where the length of the body tells it."""
    told = response.field(b"content-length") or ""
    return int(told) if told.isascii() and told.isdigit() and not _is_coded(response) else None


def _is_coded(response: Response) -> bool:
    return bool(codings_in(response.field(b"content-encoding") or ""))


def _validator_of(response: Response) -> str | None:
    """What If-Range may name (RFC 9110 13.1.5): a strong ETag, or a Last-Modified that is as good as one."""
    if _is_coded(response):
        return None
    etag = response.field(b"etag") or ""
    if len(etag) > 2 and etag[0] == etag[-1] == '"':
        return etag
    modified = response.field(b"last-modified")
    return modified if modified and _is_older(modified, response.field(b"date")) else None


def _is_older(modified: str, date: str | None) -> bool:
    """Whether the file was at least a second old when it was sent: else it may have changed within that second."""
    try:
        return (parsedate_to_datetime(date or "") - parsedate_to_datetime(modified)).total_seconds() >= 1
    except (ValueError, TypeError):
        return False
