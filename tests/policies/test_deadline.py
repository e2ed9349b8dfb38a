"""The deadline, as a policy."""

import pytest

from callsheet.errors import AttemptTimeout, ConnectTimeout, DeadlinePassed, NoAnswer
from callsheet.policies.deadline import Deadline
from tests.policies.conftest import NOW


@pytest.mark.parametrize(("spent", "is_refused"), [(0.0, False), (29.9, False), (29.9995, True), (30.0, True)])
def test_an_attempt_without_time_is_refused(attempt_of, spent, is_refused):
    verdict = Deadline().before(attempt_of(), NOW + spent)
    assert (verdict is not None) is is_refused
    assert verdict is None or isinstance(verdict.error, DeadlinePassed)


@pytest.mark.parametrize(
    ("outcome", "is_cut_short", "spent", "is_the_deadline"),
    [
        (AttemptTimeout("slow"), True, 30.0, True),
        (AttemptTimeout("slow"), True, 20.0, False),
        (AttemptTimeout("slow"), False, 30.0, False),
        (NoAnswer("lost"), True, 30.0, False),
        (ConnectTimeout("no connection"), True, 30.0, False),
        (503, True, 30.0, False),
    ],
)
def test_only_a_timeout_that_the_total_made_is_the_deadline(attempt_of, outcome, is_cut_short, spent, is_the_deadline):
    attempt = attempt_of(outcome)
    attempt.is_cut_short = is_cut_short
    assert (Deadline().after(attempt, NOW + spent) is not None) is is_the_deadline
