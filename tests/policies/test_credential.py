"""A token is at hand before a slot is taken, and put in when nothing waits any more."""

from typing import NamedTuple

import pytest

from callsheet.call import Attempt, Call
from callsheet.errors import AuthError, NoAnswer
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.response import Response
from callsheet.policies.credential import Credential
from callsheet.secret import Secret
from callsheet.settings.timeout import Timeout
from callsheet.verdicts import GiveUp, Refuse, Resend


class Token(NamedTuple):
    field: Secret
    value: Secret


class Source:
    header = "Authorization"

    def __init__(self, verdict=None):
        self.verdict = verdict
        self.asked = 0
        self.rejected = []
        self.rejected_again = []
        self.may_have_another = True
        self.left = []

    def ready(self, attempt, now):
        return self.verdict

    def token(self):
        self.asked += 1
        return Token(Secret("Bearer t-", str(self.asked)), Secret(f"t-{self.asked}"))

    def reject(self, token):
        self.rejected.append(token)
        return self.may_have_another

    def reject_again(self, token):
        self.rejected_again.append(token)

    def leave(self, attempt):
        self.left.append(attempt)


def answered(policy, status=401, *, each=None, body=None, meaning=None):
    each = each or attempt(body=body)
    each.request = policy.attach(each, 0.0)
    each.outcome = Response(status, request=each.request, headers=Headers())
    each.meaning = meaning
    return each


def attempt(*, body=None, **fields):
    request = Request("POST", "https://shop.test/x", Headers(fields), body, secrets=(Secret("other"),))
    return Attempt(Call(request, Timeout(), 0.0, lambda: None), 1)


def test_the_token_goes_into_its_header_and_is_masked():
    policy, each = Credential(Source()), attempt()
    assert policy.before(each, 0.0) is None
    sent = policy.attach(each, 1.0)
    assert sent.headers.fields == (("Authorization", Secret("Bearer t-", "1")),)
    assert sent.secrets == (Secret("other"), Secret("t-1"))
    assert each.call.request.headers.fields == ()


def test_what_has_to_be_done_first_is_passed_on_and_the_attempt_holds_its_place():
    wanted = Refuse(AuthError("no key"), by="auth")
    source, each = Source(wanted), attempt()
    policy = Credential(source)
    assert policy.before(each, 0.0) is wanted
    assert policy in each.held
    policy.let_go(each, False)
    assert source.left == [each]


def test_a_401_brings_one_more_attempt_with_another_token():
    source = Source()
    policy = Credential(source)
    each = answered(policy)
    assert policy.after(each, 0.0) == Resend(each.call.request)
    assert [token.value.reveal() for token in source.rejected] == ["t-1"]
    assert policy.after(answered(policy, each=each), 0.0) is None
    assert (len(source.rejected), len(source.rejected_again)) == (1, 1)


def test_where_no_other_token_is_had_the_401_stays():
    source = Source()
    source.may_have_another = False
    policy = Credential(source)
    assert policy.after(answered(policy), 0.0) is None


class Once:
    content = None
    content_type = None
    is_replayable = False


def test_a_body_that_cannot_be_sent_again_leaves_the_401():
    source = Source()
    policy = Credential(source)
    assert policy.after(answered(policy, body=Once()), 0.0) == GiveUp("body")
    assert len(source.rejected) == 1


@pytest.mark.parametrize(
    ("status", "meaning", "is_refused"),
    [(401, None, True), (403, None, False), (200, None, False), (200, "unauthorized", True), (401, "failed", False)],
)
def test_what_a_refused_token_looks_like(status, meaning, is_refused):
    source = Source()
    policy = Credential(source)
    assert (policy.after(answered(policy, status, meaning=meaning), 0.0) is not None) is is_refused
    assert bool(source.rejected) is is_refused


def test_a_401_to_what_the_caller_gave_stays():
    source = Source()
    policy = Credential(source)
    assert policy.after(answered(policy, each=attempt(Authorization="Mine x")), 0.0) is None
    assert source.rejected == []


def test_no_answer_is_no_refusal():
    policy = Credential(Source())
    each = attempt()
    each.request = policy.attach(each, 0.0)
    each.outcome = NoAnswer("reset")
    assert policy.after(each, 0.0) is None


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
