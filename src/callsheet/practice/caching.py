"""Answers to cache: each says how many requests its key has had, so that a test can see whether the server was asked."""

from collections import Counter

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from callsheet.practice.request_values import header_values


class Cached:
    """Answers by key, each with a version; writing to a key makes a new version."""

    def __init__(self) -> None:
        self.served: Counter[str] = Counter()
        self.version: Counter[str] = Counter()

    def routes(self) -> list[Route]:
        """Where the answers to cache are served."""
        return [
            Route("/cached/{key}", self.show, methods=["GET"]),
            Route("/cached/{key}", self.renew, methods=["PUT", "POST", "DELETE"]),
            Route("/cached/{key}/count", self.count, methods=["GET"]),
        ]

    async def show(self, request: Request) -> Response:
        """`?control=` is the Cache-Control (default max-age=60), each `?vary=` a name in Vary; ETag, and 304 to If-None-Match."""
        key = request.path_params["key"]
        self.served[key] += 1
        # Weak, because the counter in the body changes under the same version (RFC 9110 8.8.1).
        etag = f'W/"{self.version[key] + 1}"'
        headers = {
            "Cache-Control": ", ".join(header_values(request, "control")) or "max-age=60",
            "ETag": etag,
            "X-Served": str(self.served[key]),
        }
        vary = header_values(request, "vary")
        if vary:
            headers["Vary"] = ", ".join(vary)
        if has_current(request.headers.get("if-none-match", ""), etag):
            return Response(status_code=304, headers=headers)
        varied = {name: request.headers.get(name) for name in vary}
        content = {"key": key, "version": self.version[key] + 1, "served": self.served[key], "varied": varied}
        return JSONResponse(content, headers=headers)

    async def renew(self, request: Request) -> Response:
        """Make a new version of the key, so that what was cached is out of date."""
        key = request.path_params["key"]
        self.version[key] += 1
        return JSONResponse({"key": key, "version": self.version[key] + 1})

    async def count(self, request: Request) -> Response:
        """How many requests the key has had."""
        key = request.path_params["key"]
        return JSONResponse({"key": key, "served": self.served[key]}, headers={"Cache-Control": "no-store"})


def has_current(condition: str, etag: str) -> bool:
    """Whether If-None-Match names this version; weak comparison (RFC 9110 13.1.2)."""
    tags = [tag.strip().removeprefix("W/") for tag in condition.split(",")]
    return "*" in tags or etag.removeprefix("W/") in tags
