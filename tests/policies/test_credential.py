"""A token is at hand before a slot is taken, and put in when nothing waits any more."""

from typing import NamedTuple

import pytest

from callsheet.call import Attempt, Call
from callsheet.errors import AuthError
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.policies.credential import Credential
from callsheet.secret import Secret
from callsheet.settings.timeout import Timeout


class Token(NamedTuple):
    field: Secret
    value: Secret


class Source:
    header = "Authorization"

    def __init__(self, error=None):
        self.error = error
        self.asked = 0

    def token(self):
        self.asked += 1
        if self.error:
            raise self.error
        return Token(Secret("Bearer t-", str(self.asked)), Secret(f"t-{self.asked}"))


def attempt(**fields):
    request = Request("GET", "https://shop.test/x", Headers(fields), secrets=(Secret("other"),))
    return Attempt(Call(request, Timeout(), 0.0, lambda: None), 1)


def test_the_token_goes_into_its_header_and_is_masked():
    policy, each = Credential(Source()), attempt()
    assert policy.before(each, 0.0) is None
    sent = policy.attach(each, 1.0)
    assert sent.headers.fields == (("Authorization", Secret("Bearer t-", "2")),)
    assert sent.secrets == (Secret("other"), Secret("t-2"))
    assert each.call.request.headers.fields == ()


def test_without_a_token_the_attempt_is_refused():
    verdict = Credential(Source(AuthError("no key"))).before(attempt(), 0.0)
    assert (str(verdict.error), verdict.by) == ("no key", "auth")


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
def test_what_the_caller_gave_stays_and_no_token_is_made(name):
    source = Source()
    policy, each = Credential(source), attempt(**{name: "Mine x"})
    assert policy.before(each, 0.0) is None
    assert policy.attach(each, 0.0) is each.request
    assert source.asked == 0


def test_the_fields_are_put_together_once_for_a_token():
    class Same(Source):
        kept = Token(Secret("Bearer t"), Secret("t"))

        def token(self):
            return self.kept

    source, each = Same(), attempt()
    policy = Credential(source)
    first = policy.attach(each, 0.0).headers
    assert policy.attach(each, 0.0).headers is first
    source.kept = Token(Secret("Bearer u"), Secret("u"))
    assert policy.attach(each, 0.0).headers.fields == (("Authorization", Secret("Bearer u")),)
