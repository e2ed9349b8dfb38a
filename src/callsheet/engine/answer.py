"""What comes of a call that did not raise: its typed value, and the response that it was read from."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

from callsheet.errors import APIError
from callsheet.http.response import Response

T = TypeVar("T")


class Answer(NamedTuple, Generic[T]):
    """What `call_with_response` gives: the typed result of a call, and the response with its status and header fields.

    A failure that an error rule ignores has None as its value, unless its status has a type; with `raise_for_status=False` the value is the response itself.
    Where a fallback stands in for a call that failed, `value` is the fallback's, `error` is why, and `response` is the
    failed one, or None if none came. Otherwise `error` is None.
    """

    value: T
    response: Response | None
    error: APIError | None = None
