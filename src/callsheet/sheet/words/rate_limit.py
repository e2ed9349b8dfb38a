"""`rate_limit`: rates, what is counted together, and whether a call waits when they are used up."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from callsheet.settings import Rate, RateLimit
from callsheet.sheet.forms.quantities import spelled_rate
from callsheet.sheet.forms.reading import JsonSchema, Reading, Spot, Unread, misfit
from callsheet.sheet.forms.record import Key, Layer, Record, Written, plain
from callsheet.sheet.forms.scalars import RATE, SWITCH, Choice, ListOf, Text, WholeNumber
from callsheet.sheet.forms.shorthand import is_off
from callsheet.sheet.tree.findings import Findings, Misfit, did_you_mean, one_of
from callsheet.sheet.tree.node import ListNode, MappingNode, Node, Scalar, is_null

MOST_UNITS = 1_000_000_000
MOST_RATES = 8


class Rates:
    """One rate, or a list of them."""

    def read(self, node: Node, spot: Spot, reading: Reading) -> tuple[tuple[int, float], ...]:
        """Counts and seconds."""
        if isinstance(node, Scalar):
            return (RATE.read(node, spot, reading),)
        rates = RATES.read(node, spot, reading)
        if not rates and isinstance(node, ListNode) and not node.items:
            raise misfit(node, spot, "at least one rate such as `50/s`", "leave it out where nothing is declared")
        if len(rates) > MOST_RATES:
            raise Misfit(node.place, f"{spot}: {len(rates)} rates, at most {MOST_RATES}", "keep those that are felt")
        return rates

    def schema(self) -> JsonSchema:
        """The JSON Schema of the values that are read."""
        return {"anyOf": [RATE.schema(), RATES.schema()]}

    def spell(self, rates: tuple[Rate, ...]) -> str:
        """Rates as a sheet writes them."""
        written = [spelled_rate(rate.count, rate.seconds) for rate in rates]
        return written[0] if len(written) == 1 else f"[{', '.join(written)}]" if written else "none"


RATES = ListOf(RATE, "rates such as `50/s`")
RATE_LIMIT_KEYS = Record(
    (
        Key("rates", Rates(), "all of them hold"),
        Key("per", Text("`service`, `operation` or the name of an argument"), "what is counted together"),
        Key("cost", WholeNumber(1, MOST_UNITS), "units that a request costs"),
        Key("learn", SWITCH, "whether what the service says of its limits is heeded"),
        Key("when_full", Choice(("wait", "fail")), "wait for a turn, or fail at once"),
    ),
    topic="rate_limit",
    expected="a rate such as `50/s`, a list of rates, or a mapping such as `{rates: [50/s], per: operation}`",
)


class RateLimitForm:
    """A rate, a list of rates, or the whole mapping."""

    record = RATE_LIMIT_KEYS

    def read(self, node: Node, spot: Spot, reading: Reading) -> dict[str, Written]:
        """The values of the mapping."""
        if is_off(node):
            hint = "leave it out; `{learn: false}` also ignores what the service says of its limits"
            raise misfit(node, spot, RATE_LIMIT_KEYS.expected, hint)
        return RATE_LIMIT_KEYS.read(with_rates(node), spot, reading)

    def schema(self) -> JsonSchema:
        """The JSON Schema of the values that are read."""
        return {"anyOf": [Rates().schema(), RATE_LIMIT_KEYS.schema()]}


def with_rates(node: Node) -> Node:
    """The mapping `{rates: ...}` that one rate, or a list of them, stands for."""
    if isinstance(node, MappingNode) or is_null(node):
        return node
    return MappingNode(((Scalar("rates", "rates", node.place), node),), node.place)


def rate_limit_from(written: Written, spot: Spot, findings: Findings) -> RateLimit:
    """The settings that were written. Notes a `cost` above what a rate ever allows."""
    values = plain(written.value)
    values["rates"] = tuple(Rate(*pair) for pair in values.get("rates", ()))
    limit = RateLimit(**values)
    small = [each for each in limit.rates if each.count < limit.cost]
    if small:
        node = written.value["cost"].node if "cost" in written.value else written.node
        message = f"{spot.under('rate_limit')}: a request costs {limit.cost} units, more than {small[0]} ever allows"
        findings.add_once(Misfit(node.place, message, "lower `cost`, or raise the rate"))
    return limit


def check_per(layer: Layer, arguments: Collection[str], spot: Spot, findings: Findings) -> None:
    """Note a `rate_limit.per` that names none of the arguments."""
    written = layer.get("rate_limit")
    per = written.value.get("per") if written is not None and isinstance(written.value, Mapping) else None
    if per is None or isinstance(per.value, Unread) or per.value in {"service", "operation", *arguments}:
        return
    known = ["service", "operation", *sorted(arguments)]
    hint = did_you_mean(per.value, known) or f"write one of {one_of(known)}"
    message = f"{spot.under('rate_limit.per')}: no argument is named `{per.value[:60]}`"
    findings.add(Misfit(per.node.place, message, hint))
