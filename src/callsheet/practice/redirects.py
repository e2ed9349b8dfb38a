"""Redirects: a chain on this origin, or one hop to any URL."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callsheet.practice.problems import Problem
from callsheet.practice.request_values import path_integer

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
STATUSES = ("301", "302", "303", "307", "308")


def routes() -> list[Route]:
    """Where the redirects are served."""
    return [Route("/redirect", elsewhere, methods=METHODS), Route("/redirect/{hops}", chain, methods=METHODS)]


async def chain(request: Request) -> Response:
    """So many hops with `?status=` (default 302); the last leads to the echo."""
    hops = path_integer(request, "hops", least=1, most=100)
    status = status_of(request)
    target = "/echo/redirected" if hops == 1 else f"/redirect/{hops - 1}?status={status}"
    return Response(status_code=status, headers={"Location": target})


async def elsewhere(request: Request) -> Response:
    """One hop to `?to=`, which may be another origin."""
    target = request.query_params.get("to", "/echo/redirected")
    return Response(status_code=status_of(request), headers={"Location": quote(target, safe=":/?#[]@!$&'()*+,;=%~")})


def status_of(request: Request) -> int:
    """The status of the redirect asked for."""
    text = request.query_params.get("status", "302")
    if text not in STATUSES:
        raise Problem(422, f"query parameter `status` must be one of {', '.join(STATUSES)}, not {text[:40]!r}")
    return int(text)
