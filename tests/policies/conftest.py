import pytest

from callsheet.call import Attempt, Call
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.settings.timeout import Timeout

NOW = 1000.0


class Ticket:
    is_granted = False

    def grant(self):
        self.is_granted = True


@pytest.fixture
def attempt_of():
    """An attempt with this outcome: a status, or the error itself."""

    def make(outcome=None, *, method="GET", number=1, body=None, headers=None, total=30.0, repeatable=False):
        request = Request(method, "https://shop.test/things", Headers(), body)
        call = Call(request, Timeout(total=total), NOW, Ticket, is_repeatable=repeatable)
        attempt = Attempt(call, number)
        is_status = isinstance(outcome, int)
        attempt.outcome = Response(outcome, request=request, headers=Headers(headers or {})) if is_status else outcome
        return attempt

    return make
