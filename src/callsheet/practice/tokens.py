"""Credentials: an OAuth 2.0 token endpoint (RFC 6749), and endpoints that ask for a token, a password or a key.

The one client is `practice` with the secret `practice-secret`; the API key is `practice-key`. Tokens are random:
they alone differ from run to run.
"""

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_plus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from callsheet.practice.problems import Problem
from callsheet.practice.request_values import integer, number
from callsheet.practice.slow import pause

CLIENT_ID = "practice"
CLIENT_SECRET = "practice-secret"
API_KEY = "practice-key"


@dataclass(frozen=True)
class Grant:
    """The client and the scope of an access token, and when it expires."""

    client: str
    scope: str
    expires: float


class GivenTokens:
    """The tokens that one practice API has given out."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.access: dict[str, Grant] = {}
        self.refresh: dict[str, str] = {}
        self.issued = 0

    def routes(self) -> list[Route]:
        """Where credentials are given out and asked for."""
        return [
            Route("/token", self.issue, methods=["POST"]),
            Route("/token/count", self.count, methods=["GET"]),
            Route("/token/revoke", self.revoke, methods=["POST"]),
            Route("/me", self.me, methods=["GET", "POST"]),
            Route("/basic/{user}/{password}", basic),
            Route("/key", key),
        ]

    async def issue(self, request: Request) -> Response:
        """A token by client_credentials or refresh_token; it lasts `?expires_in=` s, the answer takes `?seconds=`."""
        lifetime = integer(request, "expires_in", 3600, most=86_400)
        seconds = number(request, "seconds", 0.0, most=60.0)
        form = dict(parse_qsl((await request.body()).decode("latin-1")))
        if seconds:
            await pause(request, seconds)
        if client_of(request, form) != (CLIENT_ID, CLIENT_SECRET):
            return refused(401, "invalid_client", {"WWW-Authenticate": 'Basic realm="practice"'})
        grant_type = form.get("grant_type")
        if grant_type == "client_credentials":
            return self.grant(form.get("scope", "all"), lifetime)
        if grant_type != "refresh_token":
            return refused(400, "unsupported_grant_type")
        scope = self.refresh.pop(form.get("refresh_token", ""), None)
        return refused(400, "invalid_grant") if scope is None else self.grant(scope, lifetime)

    def grant(self, scope: str, lifetime: int) -> Response:
        """A new pair of tokens (RFC 6749 5.1)."""
        self.issued += 1
        access, refresh = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self.access[access] = Grant(CLIENT_ID, scope, self.clock() + lifetime)
        self.refresh[refresh] = scope
        return JSONResponse(
            {
                "access_token": access,
                "token_type": "Bearer",
                "expires_in": lifetime,
                "refresh_token": refresh,
                "scope": scope,
            },
            headers={"Cache-Control": "no-store"},
        )

    async def count(self, request: Request) -> Response:
        """How many tokens were given out."""
        return JSONResponse({"issued": self.issued})

    async def revoke(self, request: Request) -> Response:
        """Make the `token` of the form worthless (RFC 7009); without one, every token."""
        form = dict(parse_qsl((await request.body()).decode("latin-1")))
        revoked = [form["token"]] if "token" in form else [*self.access, *self.refresh]
        for token in revoked:
            self.access.pop(token, None)
            self.refresh.pop(token, None)
        return Response(status_code=200)

    async def me(self, request: Request) -> Response:
        """Whom the bearer token belongs to, or 401."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise unauthorized("this needs a bearer token from POST /token", 'Bearer realm="practice"')
        grant = self.access.get(token.strip())
        if grant is None or grant.expires <= self.clock():
            challenge = 'Bearer realm="practice", error="invalid_token"'
            raise unauthorized("the token is unknown, revoked or expired", challenge)
        return JSONResponse({"client": grant.client, "scope": grant.scope})


async def basic(request: Request) -> Response:
    """200 for exactly this user and password as Basic credentials, else 401."""
    expected = (request.path_params["user"], request.path_params["password"])
    if basic_credentials(request) != expected:
        raise unauthorized("these are not the user and password of the path", 'Basic realm="practice", charset="UTF-8"')
    return JSONResponse({"user": expected[0]})


async def key(request: Request) -> Response:
    """200 for the API key as X-API-Key header, `?api_key=` or cookie `api_key`, else 401."""
    places = {
        "header": request.headers.get("x-api-key"),
        "query": request.query_params.get("api_key"),
        "cookie": request.cookies.get("api_key"),
    }
    for place, value in places.items():
        if value == API_KEY:
            return JSONResponse({"place": place})
    raise unauthorized("this needs the API key", 'ApiKey realm="practice"')


def client_of(request: Request, form: dict[str, str]) -> tuple[str, str] | None:
    """The client's id and secret, from the header or from the form (RFC 6749 2.3.1)."""
    if "client_id" in form:
        return form["client_id"], form.get("client_secret", "")
    credentials = basic_credentials(request)
    # RFC 6749 has the two form-encoded before they become a Basic credential.
    return None if credentials is None else (unquote_plus(credentials[0]), unquote_plus(credentials[1]))


def basic_credentials(request: Request) -> tuple[str, str] | None:
    """The user and password of a Basic Authorization header (RFC 7617)."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        return None
    return (user, password) if colon else None


def unauthorized(detail: str, challenge: str) -> Problem:
    """A 401 with its challenge."""
    return Problem(401, detail, headers={"WWW-Authenticate": challenge})


def refused(status: int, error: str, headers: dict[str, str] | None = None) -> Response:
    """An error of the token endpoint (RFC 6749 5.2)."""
    return JSONResponse({"error": error}, status_code=status, headers={"Cache-Control": "no-store"} | (headers or {}))
