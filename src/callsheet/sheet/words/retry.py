"""`retry`: how often, after which pauses, and how many of them a service's calls may make together."""

from __future__ import annotations

from dataclasses import dataclass

from callsheet.sheet.forms.reading import Form, FormOf, JsonSchema, Reading, Spot, misfit
from callsheet.sheet.forms.record import Key, Record
from callsheet.sheet.forms.scalars import (
    DURATION,
    PER_SECOND,
    SHARE,
    VARIABLE_SCHEMA,
    Choice,
    ListOf,
    WholeNumber,
    scalar,
)
from callsheet.sheet.forms.shorthand import OrOff
from callsheet.sheet.tree.flow import flow
from callsheet.sheet.tree.node import Node, Scalar

MOST_ATTEMPTS = 10
CLASSES = {"4xx": range(400, 500), "5xx": range(500, 600)}
STATUS = "a whole number from 400 to 599, or a class of statuses, `4xx` or `5xx`"

METHODS = ("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "POST", "PATCH")


def _status(node: Node, spot: Spot, reading: Reading) -> tuple[int, ...]:
    """The one status, or all of a class."""
    filled = scalar(node, spot, reading, STATUS)
    value = filled.value
    if isinstance(value, str) and value.lower() in CLASSES:
        return tuple(CLASSES[value.lower()])
    if isinstance(value, bool) or not isinstance(value, int) or not 400 <= value <= 599:
        hint = "write it without quotes" if isinstance(value, str) and value.isdigit() and not filled.hidden else ""
        raise misfit(filled, spot, STATUS, hint)
    return (value,)


_STATUS: JsonSchema = {"type": "integer", "minimum": 400, "maximum": 599}
_CLASS: JsonSchema = {"type": "string", "pattern": "^[45][xX]{2}$"}


@dataclass(frozen=True, slots=True)
class Statuses(ListOf):
    """A list of statuses and classes of them, or one class."""

    def read(self, node: Node, spot: Spot, reading: Reading) -> tuple[int, ...]:
        """Each status, those of a class one by one."""
        if isinstance(node, Scalar) and node.text.lower() in CLASSES:
            return _status(node, spot, reading)
        return tuple(status for statuses in ListOf.read(self, node, spot, reading) for status in statuses)

    def schema(self) -> JsonSchema:
        """A list, or a class alone."""
        return {"anyOf": [ListOf.schema(self), _CLASS]}

    def spell(self, statuses: frozenset[int]) -> str:
        """The statuses as they would be written, a whole class by its name."""
        whole = [name for name, every in CLASSES.items() if statuses.issuperset(every)]
        return flow([*sorted(statuses.difference(*(CLASSES[name] for name in whole))), *whole])


STATUSES = Statuses(FormOf(_status, {"anyOf": [_STATUS, _CLASS, VARIABLE_SCHEMA]}), "statuses from 400 to 599")
BACKOFF = Record(
    (Key("first", DURATION, "the first pause is a random part of this"), Key("max", DURATION, "no pause is longer")),
    topic="backoff",
    expected="a mapping of first and max",
)
RETRY_KEYS = (
    Key("attempts", WholeNumber(1, MOST_ATTEMPTS), "tries in all, the first included"),
    Key("backoff", BACKOFF, "the pauses between tries"),
    Key("statuses", STATUSES, "statuses and classes such as `5xx`; replaces the default list"),
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
