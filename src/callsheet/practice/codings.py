"""Answers in a content coding, even if the request does not accept it."""

import gzip
import json
import zlib
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def routes() -> list[Route]:
    """Where the coded answers are served."""
    return [Route("/gzip", as_gzip), Route("/deflate", as_deflate)]


async def as_gzip(request: Request) -> Response:
    """A JSON answer, always in gzip."""
    return coded("gzip", lambda content: gzip.compress(content, mtime=0))


async def as_deflate(request: Request) -> Response:
    """A JSON answer, always in deflate."""
    return coded("deflate", zlib.compress)


def coded(coding: str, encode: Callable[[bytes], bytes]) -> Response:
    """The JSON answer in this coding."""
    content = json.dumps({"coding": coding, "text": "so much of the same, " * 50}).encode()
    return Response(encode(content), headers={"Content-Encoding": coding}, media_type="application/json")
