"""Cookies: shown, set and cleared."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


def routes() -> list[Route]:
    """Where the cookies are served."""
    return [Route("/cookies", show), Route("/cookies/set", fill), Route("/cookies/clear", clear)]


async def show(request: Request) -> Response:
    """The cookies that the client sent."""
    return JSONResponse({"cookies": request.cookies})


async def fill(request: Request) -> Response:
    """Set every `?name=value` of the query as a cookie for this host."""
    response = JSONResponse({"set": list(request.query_params)})
    for name, value in request.query_params.items():
        response.set_cookie(name, value, path="/", httponly=True, samesite="lax")
    return response


async def clear(request: Request) -> Response:
    """Expire every cookie that the client sent."""
    response = JSONResponse({"cleared": list(request.cookies)})
    for name in request.cookies:
        response.delete_cookie(name, path="/", httponly=True, samesite="lax")
    return response
