"""Tell the service how long its caller will wait, so that it need not work on an answer that nobody reads."""

from __future__ import annotations

from callsheet.call import Attempt
from callsheet.http.request import Request
from callsheet.policies.scope import Own, Scope
from callsheet.settings.settings import Settings


class DeadlineHeader:
    """Send the time left in a header: seconds such as `1.250`; whole milliseconds if the header's name ends in `-ms`."""

    name = "deadline_header"

    def __init__(self, header: str) -> None:
        self.header = header
        self.in_milliseconds = header.lower().endswith("-ms")

    def attach(self, attempt: Attempt, now: float) -> Request:
        """The request with the time left of the call, or the limit of one attempt if that is less."""
        call = attempt.call
        left, longest = call.deadline - now, call.timeout.attempt
        left = longest if left > longest else left if left > 0.0 else 0.0
        text = str(int(left * 1000)) if self.in_milliseconds else f"{left:.3f}"
        return attempt.request.plus(self.header, text)


def make(settings: Settings, scope: Scope, own: Own) -> tuple[DeadlineHeader, ...]:
    """The policy for the header that the settings name, if they do."""
    return () if settings.deadline_header is None else (DeadlineHeader(settings.deadline_header),)
