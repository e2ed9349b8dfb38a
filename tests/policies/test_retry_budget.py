"""What retries may cost the service."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.errors import LocalFault, NotSent
from callsheet.policies.retry_budget import RetryBudget
from callsheet.settings.retry import Budget
from callsheet.verdicts import GiveUp, Resend, TryAgain
from tests.policies.conftest import NOW

NO_FLOOR = Budget(floor=0.0)


def asked(budget, attempt, now=NOW, again=TryAgain(1.0)):  # noqa: B008 it is frozen
    attempt.again = again
    return budget.after(attempt, now)


def test_retries_are_a_share_of_the_calls(attempt_of):
    budget, attempt = RetryBudget(NO_FLOOR), attempt_of(503)
    for _ in range(10):
        budget.before(attempt, NOW)
    assert [asked(budget, attempt) for _ in range(3)] == [None, None, GiveUp("retry.budget")]


def test_a_few_beside_are_always_allowed(attempt_of):
    budget = RetryBudget(Budget(ratio=0.0, floor=0.5, window=10.0))
    found = [asked(budget, attempt_of(503)) for _ in range(6)]
    assert found == [None] * 5 + [GiveUp("retry.budget")]


def test_what_was_spent_is_free_again_after_the_window(attempt_of):
    budget = RetryBudget(Budget(ratio=0.0, floor=0.1, window=10.0))
    assert asked(budget, attempt_of(503)) is None
    assert asked(budget, attempt_of(503), NOW + 5) is not None
    assert asked(budget, attempt_of(503), NOW + 10) is None


@pytest.mark.parametrize("again", [None, Resend(None)])
def test_only_retries_are_charged(attempt_of, again):
    budget = RetryBudget(Budget(ratio=0.0, floor=0.0))
    assert asked(budget, attempt_of(503), again=again) is None


def test_what_was_given_back_unprocessed_is_not_charged(attempt_of):
    budget = RetryBudget(Budget(ratio=0.0, floor=0.0))
    refused = NotSent("refused", on_kept_connection=True)
    assert asked(budget, attempt_of(refused)) is None
    assert asked(budget, attempt_of(NotSent("no connection"))) == GiveUp("retry.budget")


@given(seed=st.integers(0, 2**32), rate=st.integers(1, 50), share=st.floats(0, 1))
def test_over_any_time_retries_stay_within_the_share_and_the_floor(seed, rate, share):
    from callsheet.call import Attempt, Call
    from callsheet.http.headers import Headers
    from callsheet.http.request import Request
    from callsheet.settings.timeout import Timeout
    from tests.policies.conftest import Ticket

    chance, settings = random.Random(seed), Budget(ratio=0.2, floor=1.0, window=10.0)
    budget, calls, retries = RetryBudget(settings), [], []
    request = Request("GET", "https://shop.test", Headers())
    for step in range(60 * rate):
        now = NOW + step / rate
        attempt = Attempt(Call(request, Timeout(), now, Ticket), 1)
        budget.before(attempt, now)
        calls.append(now)
        tries = [now for _ in range(2) if chance.random() < share and asked(budget, attempt, now) is None]
        retries.extend(tries)
    for end in (NOW + 10, NOW + 25, NOW + 60):
        spent = sum(at >= end - 10 for at in retries if at <= end)
        assert spent <= 0.2 * sum(end - 10 - 1 <= at <= end for at in calls) + 2 * 10.0
    assert len(retries) <= 0.2 * len(calls) + 1.0 * 60 + 10


def test_a_call_that_this_machine_kept_from_the_service_is_not_counted(attempt_of):
    budget = RetryBudget(NO_FLOOR)
    for outcome in [LocalFault("no descriptor")] * 100 + [503] * 5:
        attempt = attempt_of(outcome)
        budget.before(attempt, NOW)
        asked(budget, attempt, again=None)
    assert [asked(budget, attempt_of(503)) for _ in range(2)] == [None, GiveUp("retry.budget")]


def test_local_faults_of_calls_that_have_left_the_window_take_nothing_from_the_others(attempt_of):
    budget = RetryBudget(Budget(ratio=0.2, floor=0.1, window=10.0))
    waited = [attempt_of(LocalFault("no descriptor")) for _ in range(100)]
    for attempt in waited:
        budget.before(attempt, NOW)
    for attempt in waited:
        asked(budget, attempt, NOW + 8.0, again=None)
    assert [asked(budget, attempt_of(503), NOW + 12.0) for _ in range(2)] == [None, GiveUp("retry.budget")]
