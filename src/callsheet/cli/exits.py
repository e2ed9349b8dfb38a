"""Exit codes: whose fault it was, so that a script can tell."""

from __future__ import annotations

from callsheet.errors import (
    APIError,
    ApplicationError,
    ArgumentError,
    DecodeError,
    HTTPError,
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
INTERRUPTED = 130

BY_CLASS: tuple[tuple[tuple[type[BaseException], ...], int], ...] = (
    ((SheetError, ArgumentError, UsageError), USAGE),
    ((Refused, TimeoutError, ResponseTooLarge), STOPPED),
    ((ApplicationError, DecodeError, ValidationError), SERVER_ERROR),
)
"""The first line that fits counts; statuses and whatever is left come after it."""


def code_of(error: APIError) -> int:
    """The exit code of a failed call."""
    for kinds, code in BY_CLASS:
        if isinstance(error, kinds):
            return code
    if not isinstance(error, HTTPError):
        return FAILED
    # A failure that an error rule found inside a 200 is one of the service, whatever its name.
    return code_of_status(error.status_code) or SERVER_ERROR


def code_of_status(status: int) -> int:
    """The exit code of an answer by its status."""
    return {3: REDIRECTED, 4: CLIENT_ERROR, 5: SERVER_ERROR}.get(status // 100, OK)
