"""A rate limit that tells its clients: 429, Retry-After, and both families of rate-limit headers."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from callsheet.practice.problems import Problem
from callsheet.practice.request_values import choice, integer, number


@dataclass
class FixedWindow:
    """The current window of a key, and how many of its requests were accepted and refused in all."""

    opened: float = -math.inf
    used: int = 0
    accepted: int = 0
    refused: int = 0


class FixedWindows:
    """A fixed window per key: it opens with the first request and takes `limit` of them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.windows: dict[str, FixedWindow] = {}

    def routes(self) -> list[Route]:
        """Where the limited endpoints are served."""
        return [
            Route("/limited/{key}", self.take, methods=["GET", "POST"]),
            Route("/limited/{key}/count", self.count, methods=["GET"]),
        ]

    async def take(self, request: Request) -> Response:
        """`?limit=` requests per `?window=` seconds and key, then 429; `?form=date` writes Retry-After as a date."""
        key = request.path_params["key"]
        limit = integer(request, "limit", 5, least=1, most=1_000_000)
        length = number(request, "window", 1.0, least=0.01, most=3600.0)
        form = choice(request, "form", ("seconds", "date"))
        window = self.current(key, length)
        left = max(0.0, window.opened + length - self.clock())
        if window.used >= limit:
            window.refused += 1
            headers = quota_headers(limit, 0, length, left) | {"Retry-After": retry_after(left, form)}
            raise Problem(
                429, f"{limit} requests in {length:g} s are taken; the next fits in {left:.3g} s", headers=headers
            )
        window.used += 1
        window.accepted += 1
        headers = quota_headers(limit, limit - window.used, length, left)
        return JSONResponse({"key": key, "remaining": limit - window.used}, headers=headers)

    async def count(self, request: Request) -> Response:
        """How many requests of a key were accepted and refused."""
        window = self.windows.get(request.path_params["key"], FixedWindow())
        return JSONResponse({"accepted": window.accepted, "refused": window.refused})

    def current(self, key: str, length: float) -> FixedWindow:
        """The window of the key; a new one is opened if the last is over."""
        window = self.windows.setdefault(key, FixedWindow())
        if self.clock() - window.opened >= length:
            window.opened, window.used = self.clock(), 0
        return window


def quota_headers(limit: int, remaining: int, length: float, left: float) -> dict[str, str]:
    """The quota in headers of the IETF draft, and in the X-RateLimit headers that most services send."""
    return {
        "RateLimit-Policy": f'"default";q={limit};w={math.ceil(length)}',
        "RateLimit": f'"default";r={remaining};t={math.ceil(left)}',
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset": str(math.ceil(left)),
    }


def retry_after(left: float, form: str) -> str:
    """The time to wait as whole seconds or as an HTTP-date; rounded up, so that no client comes too early."""
    if form == "date":
        return formatdate(math.ceil(time.time() + left), usegmt=True)
    return str(math.ceil(left))
