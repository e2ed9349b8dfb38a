"""Exit codes: they tell a script whose fault a failure was."""

from __future__ import annotations

from callsheet.errors import (
    APIError,
    ApplicationError,
    ArgumentError,
    DecodeError,
    HTTPError,
    PageLoop,
    Refused,
    ResponseTooLarge,
    SheetError,
    UsageError,
    ValidationError,
)

OK = 0
FAILED = 1
USAGE = 2
REDIRECTED = 3
CLIENT_ERROR = 4
SERVER_ERROR = 5
STOPPED = 6
FOUND = 7

BY_CLASS: tuple[tuple[tuple[type[BaseException], ...], int], ...] = (
    ((SheetError, ArgumentError, UsageError), USAGE),
    ((Refused, TimeoutError, ResponseTooLarge), STOPPED),
    ((ApplicationError, DecodeError, ValidationError, PageLoop), SERVER_ERROR),
)
"""The exit codes of error classes; the first line that fits counts. Other errors go by their status, else are FAILED."""


def code_of(error: APIError) -> int:
    """The exit code of a failed call."""
    for kinds, code in BY_CLASS:
        if isinstance(error, kinds):
            return code
    if not isinstance(error, HTTPError):
        return FAILED
    # An error rule can find a failure inside of a 200: that is one of the service.
    return code_of_status(error.status_code) or SERVER_ERROR


def code_of_status(status: int) -> int:
    """The exit code of an answer by its status."""
    return {3: REDIRECTED, 4: CLIENT_ERROR, 5: SERVER_ERROR}.get(status // 100, OK)
