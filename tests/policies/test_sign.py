"""What is at hand before a request is signed, and when it is signed."""

from types import SimpleNamespace

import pytest

from callsheet.errors import AuthError
from callsheet.policies.sign import ReadyToSign, Sign
from callsheet.verdicts import Refuse, WaitFor

TICKET = object()


class Signer:
    prepares = True
    waits_for = "the key"

    def __init__(self, ticket=None, error=None):
        self.ticket = ticket
        self.error = error

    def awaited(self, attempt):
        if self.error:
            raise self.error
        return self.ticket

    def signed(self, request, now):
        return f"{request} signed at {now}"


ATTEMPT = SimpleNamespace(request="request")
ERROR = AuthError("no key")


@pytest.mark.parametrize(
    ("signer", "verdict"),
    [
        (Signer(), None),
        (Signer(TICKET), WaitFor(TICKET, "the key")),
        (Signer(error=ERROR), Refuse(ERROR, by="sign")),
    ],
)
def test_an_attempt_waits_for_what_its_signature_needs(signer, verdict):
    assert ReadyToSign(signer).before(ATTEMPT, 0.0) == verdict


def test_the_time_of_a_signature_is_the_time_of_day():
    moments = iter([1000.0, 2000.0])
    policy = Sign(Signer(), lambda: next(moments))
    assert policy.attach(ATTEMPT, 5.0) == "request signed at 1000.0"
    assert policy.attach(ATTEMPT, 5.0) == "request signed at 2000.0"


def test_a_request_that_cannot_be_signed_is_not_attached():
    class Failing(Signer):
        def signed(self, request, now):
            raise ERROR

    with pytest.raises(AuthError, match="no key"):
        Sign(Failing(), lambda: 0.0).attach(ATTEMPT, 0.0)
