"""`retry`: how often, after which pauses, and how many of them a service's calls may make together."""

from __future__ import annotations

from callsheet.sheet.forms.reading import Form
from callsheet.sheet.forms.record import Key, Record
from callsheet.sheet.forms.scalars import DURATION, PER_SECOND, SHARE, Choice, ListOf, WholeNumber
from callsheet.sheet.forms.shorthand import OrOff

MOST_ATTEMPTS = 10

METHODS = ("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "POST", "PATCH")

BACKOFF = Record(
    (
        Key("first", DURATION, "the first pause is a random part of this"),
        Key("max", DURATION, "no pause is longer"),
    ),
    topic="backoff",
    expected="a mapping of first and max",
)
RETRY_KEYS = (
    Key("attempts", WholeNumber(1, MOST_ATTEMPTS), "tries in all, the first included"),
    Key("backoff", BACKOFF, "the pauses between tries"),
    Key("statuses", ListOf(WholeNumber(400, 599), "statuses from 400 to 599"), "replaces the default list"),
    Key(
        "methods",
        ListOf(Choice(METHODS, is_upper=True), "methods"),
        "these may be sent twice; replaces the default list",
    ),
)
BUDGET = OrOff(
    Record(
        (
            Key("ratio", SHARE, "retries as a share of the service's calls"),
            Key("floor", PER_SECOND, "retries per second that are allowed beside"),
            Key("window", DURATION, "over which both are counted"),
        ),
        topic="budget",
        expected="a mapping of ratio, floor and window",
    ),
    number_hint="write `budget: {ratio: 20%}`: retries as a share of the service's calls",
)


def _retry(keys: tuple[Key, ...], topic: str) -> Form:
    return OrOff(
        Record(keys, topic=topic, expected="a mapping such as `{attempts: 3}`"),
        number_hint="write `retry: {attempts: 3}`: tries in all, the first included",
    )


RETRY = _retry((*RETRY_KEYS, Key("budget", BUDGET, "how many retries the service as a whole may have")), "retry")
RETRY_OF_OPERATION = _retry(RETRY_KEYS, "retry of an operation")
