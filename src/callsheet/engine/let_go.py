"""Giving back what an attempt holds."""

from __future__ import annotations

from callsheet.call import Attempt
from callsheet.http.response import Response


def let_go(attempt: Attempt) -> None:
    """Give back what policies hold for this attempt, and the connection of a stream that will not be read."""
    held = attempt.held
    try:
        while held:
            policy = next(iter(held))
            try:
                policy.let_go(attempt, attempt.was_sent)
            except BaseException:
                # An interrupt may have cut it short; done twice, it does what it does once.
                policy.let_go(attempt, attempt.was_sent)
                raise
            finally:
                held.pop(policy, None)
    finally:
        if held:
            let_go(attempt)
        if isinstance(attempt.outcome, Response):
            abandon(attempt.outcome)


def abandon(response: Response) -> None:
    """Close the stream of an answer; its body is then empty."""
    if response.stream is not None:
        response.stream.close()
        response.stream = None
