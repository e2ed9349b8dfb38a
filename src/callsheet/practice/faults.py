"""Faults on demand: a chosen status, failures that end after some attempts, connections that break."""

import hashlib
from collections import defaultdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from callsheet.practice.connection import BrokenOff, HangUp
from callsheet.practice.problems import Problem
from callsheet.practice.request_values import choice, header_values, integer, path_integer

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
BODILESS = (204, 205, 304)


class FlakyKeys:
    """The faulty endpoints; remembers the requests that arrived at each flaky key."""

    def __init__(self) -> None:
        self.arrivals: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)

    def routes(self) -> list[Route]:
        """Where the faults are served."""
        return [
            Route("/status/{code}", self.status, methods=METHODS),
            Route("/flaky/{key}", self.flaky, methods=METHODS),
            Route("/flaky/{key}/attempts", self.attempts, methods=["GET"]),
            Route("/drop", self.drop, methods=METHODS),
            Route("/truncated/{size}", self.truncated, methods=METHODS),
        ]

    async def status(self, request: Request) -> Response:
        """Answer with this status, 200 to 599, and each `?retry_after=` or `?retry_after_ms=`; errors are problem+json."""
        return answer_with(request, path_integer(request, "code", least=200, most=599))

    async def flaky(self, request: Request) -> Response:
        """Fail `?failures=` times per key with `?status=` (or `?how=drop|reset`), then work; any method."""
        key, body = request.path_params["key"], await request.body()
        failures = integer(request, "failures", 2, most=1_000_000)
        status = integer(request, "status", 503, least=400, most=599)
        how = choice(request, "how", ("status", "drop", "reset"))
        arrived = self.arrivals[key]
        record = {"attempt": len(arrived) + 1, "size": len(body), "sha256": hashlib.sha256(body).hexdigest()}
        idempotency_key = request.headers.get("idempotency-key")
        arrived.append(record | {"method": request.method, "idempotency_key": idempotency_key})
        if len(arrived) > failures:
            return JSONResponse({"key": key} | record)
        if how != "status":
            return HangUp(reset=how == "reset")
        return answer_with(request, status, f"attempt {len(arrived)} of {failures} that fail")

    async def attempts(self, request: Request) -> Response:
        """What arrived at a flaky key so far: method, size and SHA-256 of each attempt's body."""
        key = request.path_params["key"]
        return JSONResponse({"key": key, "attempts": self.arrivals.get(key, [])})

    async def drop(self, request: Request) -> Response:
        """Take the request and close the connection without an answer; `?how=reset` resets it."""
        await request.body()
        return HangUp(reset=choice(request, "how", ("drop", "reset")) == "reset")

    async def truncated(self, request: Request) -> Response:
        """Announce a body of this size, send half of it and close the connection."""
        size = path_integer(request, "size", least=1, most=1_000_000)
        return BrokenOff(b"x" * size, sent=size // 2, media_type="text/plain")


def answer_with(request: Request, status: int, detail: str = "as asked for") -> Response:
    """An answer with this status, a problem document where the status is an error, and Retry-After as asked for."""
    answer = bare_answer(status, detail)
    for name in ("Retry-After", "Retry-After-Ms"):
        for value in header_values(request, name.lower().replace("-", "_")):
            answer.headers.append(name, value)
    return answer


def bare_answer(status: int, detail: str) -> Response:
    """An empty answer, a problem document or JSON, whichever fits the status."""
    if status in BODILESS:
        return Response(status_code=status)
    if status >= 400:
        return Problem(status, detail).response()
    return JSONResponse({"status": status}, status_code=status)
