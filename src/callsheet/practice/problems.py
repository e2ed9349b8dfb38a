"""Answers of the practice API for errors: `application/problem+json` (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

# RFC 9110 renamed these; http.HTTPStatus has the new names from Python 3.13 on.
RENAMED = {413: "Content Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable", 422: "Unprocessable Content"}


class Problem(Exception):
    """Raise it in an endpoint to answer with this status and a problem document."""

    def __init__(self, status: int, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = members

    def response(self) -> Response:
        """The answer with this status and its problem document."""
        content = {"type": "about:blank", "title": reason(self.status), "status": self.status, "detail": self.detail}
        return JSONResponse(
            content | self.members, status_code=self.status, headers=self.headers, media_type="application/problem+json"
        )


def reason(status: int) -> str:
    """The standard phrase of a status, or `Status 599` where there is none."""
    try:
        return RENAMED.get(status) or HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"


async def answer_problem(request: Request, error: Exception) -> Response:
    """Answer a `Problem` that an endpoint raised."""
    assert isinstance(error, Problem)
    return error.response()


async def answer_routing(request: Request, error: Exception) -> Response:
    """Answer an unknown path or a method that the path does not take."""
    assert isinstance(error, HTTPException)
    detail = f"{request.method} {request.url.path} is not served here; GET / lists what is"
    return Problem(error.status_code, detail, headers=error.headers).response()


async def answer_defect(request: Request, error: Exception) -> Response:
    """Answer 500 for an exception that is a bug of the practice API; its traceback goes to the server's log."""
    return Problem(500, f"a defect in the practice API: {type(error).__name__}").response()
