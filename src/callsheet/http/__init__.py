"""What is sent and received: Request, Response, Headers, Body."""

from callsheet.http.body import Body, Content
from callsheet.http.headers import Headers
from callsheet.http.problem import ProblemDetails
from callsheet.http.request import Request
from callsheet.http.response import Response

__all__ = ["Body", "Content", "Headers", "ProblemDetails", "Request", "Response"]
