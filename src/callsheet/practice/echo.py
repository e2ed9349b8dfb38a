"""Echo: answers with the request as it arrived."""

import base64
import json
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route
from starlette.types import Scope


class AnyPath(Route):
    """A route for everything under a prefix; unlike `{path:path}` also for paths with an encoded line break."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """A full match for the prefix itself and all below it."""
        prefix = self.path.partition("/{")[0]
        if scope["type"] == "http" and (scope["path"] + "/").startswith(prefix + "/"):
            return Match.FULL, {"endpoint": self.endpoint, "path_params": {}}
        return Match.NONE, {}


def routes() -> list[Route]:
    """Where the echo is served."""
    # Starlette lets a function answer GET only unless methods are listed; None, which means any, can be set afterwards.
    route = AnyPath("/echo/{path:path}", echo)
    route.methods = None
    return [route]


async def echo(request: Request) -> Response:
    """Any method: the raw path, the query and headers as pairs, the body as text or base64 and as JSON if it parses."""
    return JSONResponse(request_line(request) | body_of(await request.body()))


def request_line(request: Request) -> dict[str, Any]:
    """Everything before the body; header names come in lower case, values and order as sent."""
    query = request.scope["query_string"].decode("latin-1")
    return {
        "method": request.method,
        "path": request.scope["raw_path"].decode("latin-1"),
        "query_string": query,
        "query": parse_qsl(query, keep_blank_values=True),
        "headers": [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw],
    }


def body_of(body: bytes) -> dict[str, Any]:
    """The size of the body, and the body as text and JSON if it is UTF-8, else in base64."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return {"size": len(body), "text": None, "base64": base64.b64encode(body).decode(), "json": None}
    return {"size": len(body), "text": text, "base64": None, "json": parsed(text)}


def parsed(text: str) -> Any:
    """The JSON value of a text, None if it is not JSON; NaN and Infinity are not."""
    try:
        return json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        return None


def refuse(constant: str) -> None:
    """Raise ValueError for a constant that Python's parser takes, though RFC 8259 does not have it."""
    raise ValueError(f"{constant} is not JSON")
