"""The error for a request that a test did not foresee."""

from __future__ import annotations

from callsheet.errors import UsageError


class UnexpectedRequest(UsageError, AssertionError):
    """A request for which there is no answer, neither scripted nor recorded. Nothing was sent, and it is not tried again."""
