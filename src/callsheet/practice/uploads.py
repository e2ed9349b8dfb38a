"""Uploads: answers with size and SHA-256 of a body that is never held in memory."""

import hashlib

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from callsheet.practice.problems import Problem
from callsheet.practice.request_values import integer

LARGEST = 1 << 40


def routes() -> list[Route]:
    """Where uploads go."""
    return [Route("/uploads", upload, methods=["POST", "PUT"])]


async def upload(request: Request) -> Response:
    """Report size, SHA-256 and content headers of the raw body; 413 once it passes `?most=` bytes."""
    most = integer(request, "most", LARGEST, most=LARGEST)
    size, digest = 0, hashlib.sha256()
    async for chunk in request.stream():
        size += len(chunk)
        digest.update(chunk)
        if size > most:
            raise Problem(413, f"the body is larger than {most} bytes", headers={"Connection": "close"})
    length = request.headers.get("content-length")
    return JSONResponse(
        {
            "size": size,
            "sha256": digest.hexdigest(),
            "content_type": request.headers.get("content-type"),
            "content_encoding": request.headers.get("content-encoding"),
            "content_length": None if length is None else int(length),
        }
    )
