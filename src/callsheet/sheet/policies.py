"""Settings of the policies and the transport: retry, concurrency, pool, caps, redirects, compression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from callsheet.sheet.node import MappingNode, Node, Scalar
from callsheet.sheet.reading import Form, JsonSchema, Reading, Spot, misfit
from callsheet.sheet.record import Key, Record, Written
from callsheet.sheet.scalars import DURATION, PER_SECOND, SHARE, SIZE, VARIABLE_SCHEMA, Choice, ListOf, Whole, scalar

MOST_ATTEMPTS = 10
MOST_HOPS = 20
METHODS = ("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "POST", "PATCH")


@dataclass(frozen=True, slots=True)
class OrOff:
    """A mapping, or `off`."""

    record: Record
    number_hint: str = ""

    def read(self, node: Node, spot: Spot, reading: Reading) -> Any:
        """The values of the mapping; None for `off`."""
        if isinstance(node, MappingNode):
            return self.record.read(node, spot, reading)
        expected = f"`off` or {self.record.expected}"
        filled = scalar(node, spot, reading, expected)
        if is_off(filled):
            return None
        is_number = isinstance(filled.value, int | float) and not isinstance(filled.value, bool)
        raise misfit(filled, spot, expected, self.number_hint if is_number else "")

    def schema(self) -> JsonSchema:
        """The same in JSON Schema terms."""
        return {"anyOf": [{"enum": ["off", False]}, self.record.schema()]}


def is_off(node: Node) -> bool:
    """Whether `off` or `false` was written."""
    return isinstance(node, Scalar) and (node.value is False or node.value == "off")


@dataclass(frozen=True, slots=True)
class OrNumber:
    """A mapping, or a number that stands for one of its keys."""

    record: Record
    key: str

    def read(self, node: Node, spot: Spot, reading: Reading) -> Any:
        """The values of the mapping."""
        return self.record.read(expanded(node, self.key), spot, reading)

    def schema(self) -> JsonSchema:
        """The same in JSON Schema terms."""
        form = next(key.form for key in self.record.keys if key.name == self.key)
        return {"anyOf": [form.schema(), self.record.schema()]} if form else self.record.schema()


@dataclass(frozen=True, slots=True)
class OrWord:
    """A mapping, the one word that stands for one of its keys, or `off`."""

    record: Record
    key: str
    word: str
    hint: str

    def read(self, node: Node, spot: Spot, reading: Reading) -> dict[str, Written] | None:
        """The values of the mapping; None for `off`."""
        if isinstance(node, MappingNode):
            return self.record.read(node, spot, reading)
        filled = scalar(node, spot, reading, self.record.expected)
        if is_off(filled):
            return None
        if filled.value != self.word:
            raise misfit(filled, spot, self.record.expected, self.hint)
        return {self.key: Written(self.word, node)}

    def schema(self) -> JsonSchema:
        """The same in JSON Schema terms."""
        return {"anyOf": [{"enum": ["off", False, self.word]}, VARIABLE_SCHEMA, self.record.schema()]}


@dataclass(frozen=True, slots=True)
class WordOrOff:
    """One word, or `off`."""

    word: str

    def read(self, node: Node, spot: Spot, reading: Reading) -> str | None:
        """The word; None for `off`."""
        expected = f"`off` or `{self.word}`"
        filled = scalar(node, spot, reading, expected)
        if is_off(filled):
            return None
        if filled.value != self.word:
            raise misfit(filled, spot, expected)
        return self.word

    def schema(self) -> JsonSchema:
        """The same in JSON Schema terms."""
        return {"anyOf": [{"enum": ["off", False, self.word]}, VARIABLE_SCHEMA]}


def expanded(node: Node, key: str) -> Node:
    """A short form as the mapping that it stands for."""
    if not isinstance(node, Scalar) or node.value is None:
        return node
    return MappingNode(((Scalar(key, key, node.place), node),), node.place)


BACKOFF = Record(
    (
        Key("first", DURATION, "the first pause is a random part of this"),
        Key("max", DURATION, "no pause is longer"),
    ),
    topic="backoff",
    expected="a mapping of first and max",
)
RETRY_KEYS = (
    Key("attempts", Whole(1, MOST_ATTEMPTS), "tries in all, the first included"),
    Key("backoff", BACKOFF, "the pauses between tries"),
    Key("statuses", ListOf(Whole(400, 599), "statuses from 400 to 599"), "replaces the default list"),
    Key(
        "methods",
        ListOf(Choice(METHODS, is_upper=True), "methods"),
        "these may be sent twice; replaces the default list",
    ),
)
BUDGET = Record(
    (
        Key("ratio", SHARE, "retries as a share of the service's calls"),
        Key("floor", PER_SECOND, "retries per second that are allowed beside"),
        Key("window", DURATION, "over which both are counted"),
    ),
    topic="budget",
    expected="a mapping of ratio, floor and window",
)


def _retry(keys: tuple[Key, ...], topic: str) -> Form:
    return OrOff(
        Record(keys, topic=topic, expected="a mapping such as `{attempts: 3}`"),
        number_hint="write `retry: {attempts: 3}`: tries in all, the first included",
    )


RETRY = _retry((*RETRY_KEYS, Key("budget", BUDGET, "how many retries the service as a whole may have")), "retry")
RETRY_OF_OPERATION = _retry(RETRY_KEYS, "retry of an operation")
CONCURRENCY: Form = OrNumber(
    Record(
        (
            Key("limit", Whole(1, 100_000), "attempts in flight"),
            Key("queue", Whole(0, 1_000_000), "how many may wait"),
        ),
        topic="concurrency",
        expected="a whole number, or a mapping of limit and queue",
    ),
    key="limit",
)
POOL: Form = Record(
    (
        Key("connections", Whole(1, 10_000), "kept per service"),
        Key("idle", DURATION, "how long one is kept unused"),
    ),
    topic="pool",
    expected="a mapping of connections and idle",
)
CAPS: Form = Record(
    (
        Key("response", SIZE, "an answer's body, decoded"),
        Key("headers", SIZE, "an answer's header fields in all"),
        Key("header_count", Whole(1, 100_000), "how many header fields"),
        Key("encodings", Whole(1, 100), "stacked content codings"),
    ),
    topic="caps",
    expected="a mapping of response, headers, header_count and encodings",
)
REDIRECTS: Form = OrWord(
    Record(
        (
            Key("follow", Choice(("same-origin",)), "which redirects"),
            Key("max", Whole(1, MOST_HOPS), "how many per call"),
        ),
        topic="redirects",
        expected="`off`, `same-origin`, or a mapping such as `{follow: same-origin, max: 5}`",
    ),
    key="follow",
    word="same-origin",
    hint="write `redirects: same-origin`; other origins are named in `allow_origins`",
)
COMPRESS: Form = WordOrOff("gzip")
