"""What is tried again, when, and what never is."""

import pytest

from callsheet.errors import (
    AttemptTimeout,
    ConnectTimeout,
    DecodeError,
    LocalFault,
    MalformedAnswer,
    NoAnswer,
    NotSent,
    ResponseTooLarge,
    TLSError,
    UsageError,
)
from callsheet.http.body import Content
from callsheet.policies.retry import Retry
from callsheet.settings.retry import Backoff
from callsheet.settings.retry import Retry as Settings
from callsheet.verdicts import GiveUp, TryAgain
from tests.policies.conftest import NOW

WALL = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT
REPEATABLE = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]
ONCE = ["POST", "PATCH", "BREW"]


def verdict(attempt, now=NOW, **settings):
    return Retry(Settings(**settings), lambda: 1.0, lambda: WALL).after(attempt, now)


def is_retried(attempt, **settings):
    return isinstance(verdict(attempt, **settings), TryAgain)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529])
def test_statuses_that_may_pass_are_retried(attempt_of, status):
    assert is_retried(attempt_of(status))


@pytest.mark.parametrize(
    "status", [200, 201, 204, 301, 304, 400, 401, 403, 404, 409, 422, 501, 505, 519, 525, 528, 530, 599]
)
def test_other_statuses_are_not(attempt_of, status):
    assert verdict(attempt_of(status)) is None


def test_a_list_of_statuses_replaces_the_default_one(attempt_of):
    chosen = frozenset({202, 418})
    assert [is_retried(attempt_of(status), statuses=chosen) for status in (202, 418, 503)] == [True, True, False]


@pytest.mark.parametrize("method", REPEATABLE)
@pytest.mark.parametrize("outcome", [503, NoAnswer("lost"), AttemptTimeout("slow"), MalformedAnswer("garbage")])
def test_a_repeatable_method_is_retried_after_any_outcome_that_may_pass(attempt_of, method, outcome):
    assert is_retried(attempt_of(outcome, method=method))


@pytest.mark.parametrize("method", ONCE)
@pytest.mark.parametrize("outcome", [408, 500, 503, NoAnswer("lost"), AttemptTimeout("slow"), MalformedAnswer("?")])
def test_any_other_method_is_not_retried_where_it_may_have_been_processed(attempt_of, method, outcome):
    assert verdict(attempt_of(outcome, method=method)) == GiveUp("idempotent")
    assert verdict(attempt_of(outcome, method=method, number=3)) is None


def test_what_another_policy_wants_to_send_is_not_forbidden_by_the_method(attempt_of):
    attempt = attempt_of(503, method="POST")
    attempt.again = TryAgain(0.0)
    assert verdict(attempt) is None


@pytest.mark.parametrize("method", REPEATABLE + ONCE)
@pytest.mark.parametrize("outcome", [NotSent("refused"), ConnectTimeout("no connection"), 429])
def test_every_method_is_retried_where_nothing_was_processed(attempt_of, method, outcome):
    assert is_retried(attempt_of(outcome, method=method))


@pytest.mark.parametrize("outcome", [503, NoAnswer("lost"), AttemptTimeout("slow")])
def test_what_is_declared_idempotent_or_has_a_key_is_retried(attempt_of, outcome):
    assert is_retried(attempt_of(outcome, method="POST", repeatable=True))


def test_a_list_of_methods_replaces_the_default_one(attempt_of):
    chosen = frozenset({"POST"})
    assert [is_retried(attempt_of(503, method=method), methods=chosen) for method in ("POST", "GET")] == [True, False]


@pytest.mark.parametrize(
    "outcome",
    [
        LocalFault("no descriptor"),
        TLSError("untrusted"),
        NotSent("the proxy wants other credentials", is_local=True),
        DecodeError("no gzip"),
        ResponseTooLarge("11 MiB"),
        UsageError("closed"),
    ],
)
def test_some_failures_are_never_retried(attempt_of, outcome):
    assert verdict(attempt_of(outcome)) is None


def test_attempts_are_tries_in_all(attempt_of):
    assert [is_retried(attempt_of(503, number=number)) for number in (1, 2, 3, 4)] == [True, True, False, False]
    assert not is_retried(attempt_of(503), attempts=1)


class OnceOnly(Content):
    is_replayable = False


@pytest.mark.parametrize("outcome", [503, NotSent("refused"), NoAnswer("lost")])
def test_a_body_that_cannot_be_sent_again_is_not(attempt_of, outcome):
    assert verdict(attempt_of(outcome, method="PUT", body=OnceOnly(b""))) == GiveUp("body")
    assert is_retried(attempt_of(outcome, method="PUT", body=Content(b"")))


def test_the_pause_doubles_up_to_its_ceiling(attempt_of):
    backoff = Backoff(first=0.5, max=1.5)
    pauses = [verdict(attempt_of(503, number=n), attempts=9, backoff=backoff).after for n in (1, 2, 3, 4)]
    assert pauses == [0.5, 1.0, 1.5, 1.5]


def test_the_pause_after_a_429_begins_longer(attempt_of):
    assert [verdict(attempt_of(429, number=n)).after for n in (1, 2)] == [1.0, 2.0]


def test_the_pause_is_a_random_part(attempt_of):
    retry = Retry(Settings(), lambda: 0.25, lambda: WALL)
    assert retry.after(attempt_of(503), NOW).after == 0.125


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("value", "after"),
    [
        ("7", 7.0),
        ("Tue, 14 Nov 2023 22:13:25 GMT", 5.0),
        ("0", None),
        ("Tue, 14 Nov 2023 22:13:00 GMT", None),
        ("soon", None),
    ],
)
def test_retry_after_is_honoured(attempt_of, status, value, after):
    """One that says "now", or nothing, leaves the pause to backoff: callers must not come back all at once."""
    found = verdict(attempt_of(status, headers={"Retry-After": value})).after
    assert found == (after if after is not None else {429: 1.0, 503: 0.5}[status])


@pytest.mark.parametrize("value", ["30", "60", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_retry_after_that_does_not_fit_fails_now_and_is_never_cut_short(attempt_of, value):
    assert verdict(attempt_of(503, headers={"Retry-After": value})) == GiveUp("deadline")


def test_a_pause_that_does_not_fit_ends_the_call(attempt_of):
    assert verdict(attempt_of(503), now=NOW + 29.5) == GiveUp("deadline")
    assert verdict(attempt_of(503), now=NOW + 29.4) == TryAgain(0.5)


def test_what_a_kept_connection_gave_back_unprocessed_is_sent_again_at_once(attempt_of):
    refused = NotSent("refused", on_kept_connection=True)
    assert verdict(attempt_of(refused, method="POST")) == TryAgain(0.0)


def test_what_was_given_back_unprocessed_costs_two_attempts_less(attempt_of):
    retry = Retry(Settings(attempts=2), lambda: 1.0, lambda: WALL)
    attempt = attempt_of(NotSent("refused", on_kept_connection=True), method="POST")
    verdicts = []
    for number in range(1, 5):
        attempt.number = number
        verdicts.append(retry.after(attempt, NOW))
    charged = TryAgain(0.5, fresh=True)
    assert verdicts == [TryAgain(0.0), TryAgain(0.0, fresh=True), charged, None]
    assert attempt.call.uncharged == 2


def test_what_was_given_back_is_not_sent_again_where_its_body_cannot_be(attempt_of):
    class Once(Content):
        is_replayable = False

    refused = NotSent("refused", on_kept_connection=True)
    assert verdict(attempt_of(refused, method="POST", body=Once(b"x"))) == GiveUp("body")


def test_a_kept_connection_that_was_lost_is_replaced_at_once(attempt_of):
    lost = NoAnswer("lost", on_kept_connection=True)
    assert verdict(attempt_of(lost)) == TryAgain(0.0, fresh=True)
    assert verdict(attempt_of(lost, method="POST")) == GiveUp("idempotent")
    assert verdict(attempt_of(lost, number=3)) is None


def test_nobody_is_blamed_where_nothing_would_have_been_retried(attempt_of):
    assert verdict(attempt_of(404), now=NOW + 100) is None
    assert verdict(attempt_of(503, method="POST", body=OnceOnly(b""))) == GiveUp("idempotent")


def meant(attempt, meaning):
    attempt.meaning = meaning
    return attempt


@pytest.mark.parametrize("method", REPEATABLE)
@pytest.mark.parametrize("status", [200, 302, 404, 501])
def test_what_an_error_rule_calls_transient_is_retried_like_a_503(attempt_of, method, status):
    assert verdict(meant(attempt_of(status, method=method), "transient")) == TryAgain(0.5)


@pytest.mark.parametrize("method", ONCE)
def test_of_other_methods_only_where_that_does_the_same(attempt_of, method):
    assert verdict(meant(attempt_of(200, method=method), "transient")) == GiveUp("idempotent")
    assert is_retried(meant(attempt_of(200, method=method, repeatable=True), "transient"))


@pytest.mark.parametrize("method", REPEATABLE + ONCE)
def test_what_it_calls_rate_limited_is_retried_like_a_429(attempt_of, method):
    assert verdict(meant(attempt_of(200, method=method), "rate_limited")) == TryAgain(1.0)
    asked = attempt_of(200, method=method, headers={"Retry-After": "7"})
    assert verdict(meant(asked, "rate_limited")) == TryAgain(7.0)


@pytest.mark.parametrize("meaning", ["failed", "ignored", "unauthorized"])
@pytest.mark.parametrize("status", [200, 429, 503])
def test_any_other_meaning_keeps_a_status_from_being_retried(attempt_of, meaning, status):
    assert verdict(meant(attempt_of(status), meaning)) is None
