"""A service that answers 200 to everything, with the real status as a code in the body."""

from collections import Counter
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from callsheet.practice.problems import Problem
from callsheet.practice.request_values import integer
from callsheet.practice.users import Users

BUSY = 1001


class UsersEnvelope:
    """The users, each answer wrapped in an envelope of code, message and data."""

    def __init__(self, users: Users) -> None:
        self.users = users
        self.arrived: Counter[str] = Counter()

    def routes(self) -> list[Route]:
        """Where the enveloped answers are served."""
        return [
            Route("/envelope/users", self.index),
            Route("/envelope/users/{id}", self.show),
            Route("/envelope/flaky/{key}", self.flaky, methods=["GET", "POST"]),
        ]

    async def index(self, request: Request) -> Response:
        """All users, as the envelope's data."""
        return enveloped([user.model_dump() for user in self.users.by_id.values()])

    async def show(self, request: Request) -> Response:
        """One user as the envelope's data; an unknown one is a 200 with code 404."""
        try:
            return enveloped(self.users.find(request.path_params["id"]).model_dump())
        except Problem:
            return enveloped(None, code=404, message="no such user")

    async def flaky(self, request: Request) -> Response:
        """A 200 with code 1001, "busy", `?failures=` times per key; then code 0."""
        key = request.path_params["key"]
        failures = integer(request, "failures", 2, most=1_000_000)
        self.arrived[key] += 1
        if self.arrived[key] <= failures:
            return enveloped(None, code=BUSY, message="busy, try again")
        return enveloped({"key": key, "attempt": self.arrived[key]})


def enveloped(data: Any, *, code: int = 0, message: str = "") -> Response:
    """The data in its envelope."""
    return JSONResponse({"code": code, "msg": message, "data": data})
