"""Downloads: bytes with ranges, JSON lines, server-sent events; all finite and the same every time."""

import asyncio
import json
import re
import struct
from collections.abc import AsyncIterator, Iterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from callsheet.practice.connection import BrokenOff
from callsheet.practice.problems import Problem
from callsheet.practice.request_values import integer, number, path_integer, switch

LARGEST = 4 << 30
BLOCK = 64 * 1024
WORD = 8


def routes() -> list[Route]:
    """Where the downloads are served."""
    return [Route("/bytes/{size}", download), Route("/stream/{count}", stream), Route("/events", events)]


async def download(request: Request) -> Response:
    """So many bytes, with ETag, Range and If-Range (off with `?ranges=false`); `?cut=` breaks a whole answer off."""
    size = path_integer(request, "size", most=LARGEST)
    cut = integer(request, "cut", 0, most=min(size, 1 << 20))
    has_ranges = switch(request, "ranges", default=True)
    headers = {"ETag": f'"bytes-{size}"', "Accept-Ranges": "bytes" if has_ranges else "none"}
    span = span_of(request, size, headers["ETag"]) if has_ranges else None
    if span is not None:
        headers["Content-Range"] = f"bytes {span[0]}-{span[1] - 1}/{size}"
        return whole(request, *span, status=206, headers=headers)
    if cut:
        headers["Content-Length"] = str(size)
        return BrokenOff(content(0, cut), sent=cut, headers=headers, media_type="application/octet-stream")
    return whole(request, 0, size, status=200, headers=headers)


def whole(request: Request, start: int, end: int, *, status: int, headers: dict[str, str]) -> Response:
    """The bytes from `start` to `end`, a block at a time."""
    headers = headers | {"Content-Length": str(end - start)}
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type="application/octet-stream")
    return StreamingResponse(
        as_async(blocks(start, end)), status_code=status, headers=headers, media_type="application/octet-stream"
    )


def span_of(request: Request, size: int, etag: str) -> tuple[int, int] | None:
    """Start and end of the requested range; None if the answer has to be whole (RFC 9110 14.2). Raises Problem (416)."""
    asked = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", request.headers.get("range", "").replace(" ", ""))
    condition = request.headers.get("if-range")
    if asked is None or asked[0] == "bytes=-" or condition not in (None, etag):
        return None
    first, last = asked.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if first and last and int(last) < int(first):
        return None
    if start >= end:
        raise Problem(416, f"the range lies outside of {size} bytes", headers={"Content-Range": f"bytes */{size}"})
    return start, end


def content(start: int, end: int) -> bytes:
    """The bytes from `start` to `end` of the eight-byte numbers 0, 1, 2 ...; no part of them equals another."""
    first, last = start // WORD, -(-end // WORD)
    numbers = struct.pack(f">{last - first}Q", *range(first, last))
    return numbers[start - first * WORD : end - first * WORD]


def blocks(start: int, end: int) -> Iterator[bytes]:
    """The content from `start` to `end`, in blocks."""
    for offset in range(start, end, BLOCK):
        yield content(offset, min(offset + BLOCK, end))


async def as_async(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The chunks for a streaming answer, with a turn for other requests after each."""
    for chunk in chunks:
        yield chunk
        await asyncio.sleep(0)


async def stream(request: Request) -> Response:
    """So many JSON lines, `?pause=` seconds apart (60 seconds in all)."""
    count = path_integer(request, "count", most=1_000_000)
    gap = gap_of(request, count)
    lines = (json.dumps({"id": number, "name": f"item {number}"}).encode() + b"\n" for number in range(1, count + 1))
    return StreamingResponse(paced(lines, gap), media_type="application/x-ndjson")


async def events(request: Request) -> Response:
    """`?count=` server-sent events, `?pause=` seconds apart, going on after Last-Event-ID."""
    count = integer(request, "count", 5, most=100_000)
    gap = gap_of(request, count)
    seen = request.headers.get("last-event-id", "0")
    first = int(seen) + 1 if seen.isascii() and seen.isdigit() and len(seen) < 10 else 1
    rows = (event(number, count) for number in range(first, count + 1))
    return StreamingResponse(paced(rows, gap), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def event(number: int, count: int) -> bytes:
    """One event of type `tick`; its data takes two lines."""
    return f'id: {number}\nevent: tick\ndata: {{"number": {number},\ndata: "of": {count}}}\n\n'.encode()


def gap_of(request: Request, count: int) -> float:
    """`?pause=` in seconds. Raises Problem if the pauses add up to more than a minute."""
    gap = number(request, "pause", 0.0, most=60.0)
    if gap * count > 60.0:
        raise Problem(422, f"{count} parts {gap:g} s apart take {gap * count:g} s; the most is 60 s")
    return gap


async def paced(chunks: Iterator[bytes], gap: float) -> AsyncIterator[bytes]:
    """The chunks, with a pause of `gap` seconds before each but the first."""
    pause = 0.0
    for chunk in chunks:
        await asyncio.sleep(pause)
        yield chunk
        pause = gap
