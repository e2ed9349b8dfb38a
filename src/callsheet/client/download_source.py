"""What a download takes its bytes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from callsheet.call import Call
from callsheet.engine.io import Io
from callsheet.engine.open_answer import OpenAnswer
from callsheet.engine.perform import open_stream
from callsheet.errors import ArgumentError
from callsheet.many.download import DownloadSource
from callsheet.plan.plan import Plan

OWN_FIELDS = frozenset({"range", "if-range"})
Begin = Callable[[Mapping[str, Any]], tuple[Call, Plan, bool]]
"""Begins the call of a GET with these options."""


def source_of(begin: Begin, options: Mapping[str, Any], io: Io) -> DownloadSource:
    """The source that GETs a path with these options. Raises ArgumentError for those that a download has no use for."""
    headers = dict(options.get("headers") or {})
    if OWN_FIELDS & {name.lower() for name in headers}:
        raise ArgumentError("download: it sets Range and If-Range itself; take a part of a file by `get` or `stream`")
    if "raise_for_status" in options:
        raise ArgumentError("download: an answer that is not the file always raises; remove raise_for_status")

    async def open_answer(fields: Mapping[str, str]) -> OpenAnswer:
        set_here = {name.lower() for name in fields}
        kept = {name: value for name, value in headers.items() if name.lower() not in set_here}
        call, plan, _ = begin({**options, "headers": {**kept, **fields}})
        return await open_stream(call, plan, io, raises=False)

    return DownloadSource(begin(options)[0].request.url, open_answer)
