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

    @property
    def from_cache(self) -> bool:
        """Whether the body came from the cache: the answer was stored, or a 304 said that the stored one is still good."""
        return self.response is not None and self.response.from_cache

    @property
    def cache_status(self) -> str | None:
        """What the cache did, in the words of `Cache-Status` (RFC 9211); None where no cache was asked."""
        return None if self.response is None else self.response.cache_status
