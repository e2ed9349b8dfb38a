"""The practice API as one ASGI application: every group of endpoints, and the index of them."""

import inspect
import time
from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from callsheet.practice import codings, cookies, downloads, echo, pages, redirects, slow, uploads
from callsheet.practice.caching import Cached
from callsheet.practice.envelope import UsersEnvelope
from callsheet.practice.faults import FlakyKeys
from callsheet.practice.limits import FixedWindows
from callsheet.practice.orders import Orders
from callsheet.practice.problems import Problem, answer_defect, answer_problem, answer_routing
from callsheet.practice.tokens import GivenTokens
from callsheet.practice.users import Users


def create_app(*, clock: Callable[[], float] = time.monotonic) -> Starlette:
    """Make a practice API as an ASGI app with a state of its own. `clock` gives the seconds for its limits and tokens."""
    users = Users()
    routes: list[BaseRoute] = [
        *users.routes(),
        *Orders().routes(),
        *FlakyKeys().routes(),
        *slow.routes(),
        *echo.routes(),
        *uploads.routes(),
        *downloads.routes(),
        *pages.routes(),
        *Cached().routes(),
        *FixedWindows(clock).routes(),
        *GivenTokens(clock).routes(),
        *UsersEnvelope(users).routes(),
        *codings.routes(),
        *redirects.routes(),
        *cookies.routes(),
    ]
    app = Starlette(
        routes=[index_of(routes), *routes],
        exception_handlers={Problem: answer_problem, HTTPException: answer_routing, Exception: answer_defect},
    )
    # A redirect to the path with or without a slash would hide that the client called the wrong one.
    app.router.redirect_slashes = False
    return app


def index_of(routes: Sequence[BaseRoute]) -> Route:
    """The route that lists the others, each with the first line of its endpoint's docstring."""
    rows = [row_of(route) for route in routes if isinstance(route, Route)]

    async def index(request: Request) -> Response:
        """This list."""
        return JSONResponse({"service": "callsheet practice API", "endpoints": rows})

    return Route("/", index)


def row_of(route: Route) -> dict[str, object]:
    """The entry of a route in the index."""
    methods = sorted(set(route.methods or ["any"]) - {"HEAD"})
    return {"path": route.path, "methods": methods, "what": (inspect.getdoc(route.endpoint) or "").partition("\n")[0]}
