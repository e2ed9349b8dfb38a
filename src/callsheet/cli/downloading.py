"""`--download`: writes the answer to a file, whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from callsheet.cli.prepared_call import Make
from callsheet.engine.io import finish
from callsheet.engine.perform import open_stream
from callsheet.errors import UsageError
from callsheet.http.request import Request
from callsheet.many.download import Download, DownloadSource, Progress, Wish, download

if TYPE_CHECKING:
    from callsheet.engine.open_answer import OpenAnswer


def downloaded(make: Make, url: str, to: Path, *, resume: bool, progress: Progress | None) -> Download:
    """Send the call and write its answer to the file `to`. Raises APIError, OSError."""

    def open_answer(fields: Mapping[str, str]) -> Awaitable[OpenAnswer]:
        prepared = make(fields)
        return open_stream(prepared.call, prepared.plan, prepared.maker.io, raises=False)

    done: Download = finish(download(DownloadSource(url, open_answer), to, Wish(resume, progress)))
    return done


def file_in(path: Path, request: Request) -> Path:
    """The path; for a folder, a file in it named after the last segment of the URL. Raises UsageError."""
    if not path.is_dir():
        return path
    name = unquote(urlsplit(request.url).path.rpartition("/")[2])
    if name in ("", ".", "..") or re.search(r"[/\\\0]", name):
        raise UsageError(f"--download {path}: a folder, and the URL names no file: give the path of one")
    return path / name
