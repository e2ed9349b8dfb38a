"""Answers that come late or slowly; none takes longer than a minute."""

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from callsheet.practice.connection import until_disconnected
from callsheet.practice.problems import Problem
from callsheet.practice.request_values import integer, number

LONGEST = 60.0
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def routes() -> list[Route]:
    """Where the slow answers are served."""
    return [Route("/slow", slow, methods=METHODS), Route("/drip", drip, methods=METHODS)]


async def slow(request: Request) -> Response:
    """Answer after `?seconds=` (60 at most)."""
    seconds = number(request, "seconds", 1.0, most=LONGEST)
    await request.body()
    await pause(request, seconds)
    return JSONResponse({"seconds": seconds})


async def drip(request: Request) -> Response:
    """A body of `?bytes=` bytes, one at a time, `?pause=` seconds apart (60 seconds in all)."""
    size = integer(request, "bytes", 10, least=1, most=100_000)
    gap = number(request, "pause", 0.1, most=LONGEST)
    if size * gap > LONGEST:
        raise Problem(422, f"{size} bytes {gap} s apart take {size * gap:g} s; the most is {LONGEST:g} s")
    return StreamingResponse(drops(size, gap), headers={"Content-Length": str(size)}, media_type="text/plain")


async def drops(size: int, gap: float) -> AsyncIterator[bytes]:
    """The bytes of a drip, with the pause before each."""
    for _ in range(size):
        await asyncio.sleep(gap)
        yield b"."


async def pause(request: Request, seconds: float) -> None:
    """Wait so many seconds, or until the client has gone or the server stops."""
    try:
        await asyncio.wait_for(until_disconnected(request.receive), seconds)
    except TimeoutError:
        return
