"""The fields in which services tell their limits."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet.arithmetic.retry_after import LONGEST, told_pause
from callsheet.arithmetic.told_limit import ToldLimit, told_limit
from callsheet.http.headers import Headers
from callsheet.http.request import Request
from callsheet.http.response import Response

WALL = 1_700_000_000.0
REQUEST = Request("GET", "https://shop.test", Headers())


def answer(fields, *, as_lines=False):
    if not as_lines:
        return Response(200, request=REQUEST, headers=Headers(fields))
    return Response(200, request=REQUEST, lines=[f"{name}: {value}".encode("latin-1") for name, value in fields])


TOLD = [
    ([("RateLimit", '"default";r=50;t=30')], (50, 30.0)),
    ([("RateLimit", "default;r=50;t=30")], (50, 30.0)),
    ([("RateLimit-Policy", '"hour";q=1000;w=3600'), ("RateLimit", '"hour";r=0')], (0, 3600.0)),
    ([("RateLimit", '"burst";r=5;t=1, "day";r=10;t=5000')], (10, 5000.0)),
    ([("RateLimit", '"burst";r=5;t=1'), ("RateLimit", '"day";r=10;t=5000')], (10, 5000.0)),
    ([("RateLimit", "limit=100, remaining=50, reset=5")], (50, 5.0)),
    ([("RateLimit-Limit", "100"), ("RateLimit-Remaining", "99"), ("RateLimit-Reset", "50")], (99, 50.0)),
    ([("RateLimit-Limit", "10, 10;w=1, 50;w=60"), ("RateLimit-Remaining", "9"), ("RateLimit-Reset", "1")], (9, 1.0)),
    ([("X-RateLimit-Remaining", "4999"), ("X-RateLimit-Reset", "1700000060")], (4999, 60.0)),
    ([("x-ratelimit-remaining", "1"), ("x-ratelimit-reset", "60")], (1, 60.0)),
    ([("X-Rate-Limit-Remaining", "0"), ("X-Rate-Limit-Reset", "1700000007")], (0, 7.0)),
    ([("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1700000007500")], (0, 7.5)),
    ([("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset-After", "1.250")], (0, 1.25)),
    ([("X-Ratelimit-Remaining", "597.0"), ("X-Ratelimit-Reset", "201")], (597, 201.0)),
    ([("x-ratelimit-remaining-requests", "59"), ("x-ratelimit-reset-requests", "6m0s")], (59, 360.0)),
    ([("x-ratelimit-remaining-requests", "59"), ("x-ratelimit-reset-requests", "20ms")], (59, 0.02)),
    ([("x-ratelimit-remaining-requests", "59"), ("x-ratelimit-reset-requests", "1h2m3.5s")], (59, 3723.5)),
    ([("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1600000000")], (0, 0.0)),
]


@pytest.mark.parametrize("as_lines", [False, True])
@pytest.mark.parametrize(("fields", "told"), TOLD)
def test_the_usual_forms_are_read(fields, told, as_lines):
    assert told_limit(answer(fields, as_lines=as_lines), lambda: WALL) == ToldLimit(*told)


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [("Content-Type", "text/plain"), ("X-Request-Id", "7")],
        [("RateLimit", "")],
        [("RateLimit", '"default";r=50;t=')],
        [("RateLimit", '"default";r=-1;t=30')],
        [("RateLimit", '"default";r=1')],
        [("RateLimit", '("a" "b");r=1;t=1')],
        [("RateLimit", "\xff\xfe")],
        [("X-RateLimit-Remaining", "5")],
        [("X-RateLimit-Reset", "5")],
        [("X-RateLimit-Remaining", "many"), ("X-RateLimit-Reset", "5")],
        [("X-RateLimit-Remaining", "-5"), ("X-RateLimit-Reset", "5")],
        [("X-RateLimit-Remaining", "5"), ("X-RateLimit-Reset", "soon")],
        [("X-RateLimit-Remaining", "5"), ("X-RateLimit-Reset", "1e400")],
        [("X-RateLimit-Remaining", "inf"), ("X-RateLimit-Reset", "nan")],
        [("x-ratelimit-remaining-tokens", "5"), ("x-ratelimit-reset-tokens", "6m0s")],
    ],
)
def test_what_is_malformed_or_incomplete_or_counts_something_else_is_ignored(fields):
    assert told_limit(answer(fields), lambda: WALL) is None


NAMES = st.sampled_from(["RateLimit", "RateLimit-Policy", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-Rate"])
VALUES = st.one_of(
    st.text(st.characters(max_codepoint=255)), st.sampled_from(["0", "9" * 30, '"d";r=1;t=2', "-1", "1e9"])
)


@given(fields=st.lists(st.tuples(NAMES, VALUES), max_size=6), wall=st.floats(0, 1e11))
def test_whatever_a_service_sends_gives_a_finite_limit_or_none(fields, wall):
    told = told_limit(answer(fields), lambda: wall)
    assert told is None or (told.remaining >= 0 and 0.0 <= told.seconds <= 1e12 and math.isfinite(told.seconds))


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ([], None),
        ([("Retry-After", "7")], 7.0),
        ([("Retry-After", "7"), ("Retry-After", "9")], 9.0),
        ([("Retry-After", "soon"), ("Retry-After", "9")], 9.0),
        ([("retry-after-ms", "1500")], 1.5),
        ([("retry-after-ms", "1500"), ("Retry-After", "2")], 1.5),
        ([("retry-after-ms", "200"), ("Retry-After", "30")], 30.0),
        ([("retry-after-ms", "90000"), ("Retry-After", "2")], 90.0),
        ([("retry-after-ms", "-5"), ("Retry-After", "2")], 2.0),
        ([("retry-after-ms", "garbage")], None),
        ([("Retry-After", "-5")], None),
        ([("Retry-After", "9" * 20)], LONGEST),
        ([("retry-after-ms", "9" * 400)], LONGEST),
        ([("Retry-After", "1e20")], None),
        ([("Retry-After", "inf")], None),
        ([("Retry-After", "inf"), ("Retry-After", "7")], 7.0),
        ([("retry-after-ms", "1e400")], None),
        ([("retry-after-ms", "inf"), ("Retry-After", "7")], 7.0),
        ([("Retry-After", "nan")], None),
    ],
)
def test_a_pause_is_what_the_service_asks_for_and_never_shorter(fields, seconds):
    assert told_pause(answer(fields), WALL) == seconds


AT = "Tue, 14 Nov 2023 22:13:20 GMT"


@pytest.mark.parametrize("ours", [WALL, WALL - 86400, WALL + 86400, 0.0])
def test_a_date_counts_from_the_date_of_the_answer(ours):
    later = ("Retry-After", "Tue, 14 Nov 2023 22:13:50 GMT")
    assert told_pause(answer([("Date", AT), later]), ours) == 30.0
    assert told_pause(answer([("Date", AT), later, ("retry-after-ms", "30500")]), ours) == 30.5
    assert told_pause(answer([("Date", AT), ("Retry-After", "7")]), ours) == 7.0
    assert told_pause(answer([("Date", AT), ("Retry-After", "Tue, 14 Nov 2023 22:13:00 GMT")]), ours) == 0.0
    reset = [("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1700000007")]
    assert told_limit(answer([("Date", AT), *reset]), lambda: ours) == ToldLimit(0, 7.0)


@pytest.mark.parametrize(
    "date",
    [
        "Sunday, 31-Dec-23 23:59:50 GMT",
        "Sun Dec 31 23:59:50 2023",
        "Sun, 31 Dec 2023 23:59:50 -0000",
        "31 Dec 2023 23:59:50 gmt",
    ],
)
@pytest.mark.parametrize(
    "later", ["Sun, 31 Dec 2023 23:59:60 GMT", "Sunday, 31-Dec-23 23:59:60 GMT", "Sun Dec 31 23:59:60 2023"]
)
def test_each_form_of_a_date_is_read_and_a_leap_second_is_one(date, later):
    assert told_pause(answer([("Date", date), ("Retry-After", later)]), WALL) == 9.0
    assert told_pause(answer([("Date", later), ("Retry-After", date)]), WALL) == 0.0


@pytest.mark.parametrize(
    "fields", [[], [("Date", "")], [("Date", "yesterday")], [("Date", "Tue, 99 Foo 2023 99:99:99 GMT")]]
)
def test_a_date_counts_from_our_own_clock_where_the_answer_has_no_usable_date(fields):
    later = ("Retry-After", "Tue, 14 Nov 2023 22:13:50 GMT")
    assert told_pause(answer([*fields, later]), WALL) == 30.0
