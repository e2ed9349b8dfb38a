"""Settings that say what happens under faults: breaker, rate limit, idempotency key, deadline header."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from callsheet.settings import Breaker, IdempotencyKey, Rate, RateLimit
from callsheet.sheet.constants import TOKEN, header_name
from callsheet.sheet.findings import Findings, Misfit, nearest, one_of
from callsheet.sheet.node import ListNode, MappingNode, Node, Scalar, is_null
from callsheet.sheet.policies import OrOff, is_off
from callsheet.sheet.quantities import spelled_rate
from callsheet.sheet.reading import Form, JsonSchema, Reading, Spot, Unread, misfit
from callsheet.sheet.record import Key, Layer, Record, Written, plain
from callsheet.sheet.scalars import DURATION, RATE, SHARE, Choice, ListOf, Switch, Text, Whole, scalar
from callsheet.sheet.variables import has_reference

MOST_UNITS = 1_000_000_000
MOST_RATES = 8
BREAKER: Form = OrOff(
    Record(
        (
            Key("ratio", SHARE, "the share of failures at which it opens"),
            Key("samples", Whole(1, 1_000_000), "attempts that must be known before it may open"),
            Key("window", DURATION, "how far back attempts count"),
            Key("open", DURATION, "how long it stays open at first"),
            Key("max_open", DURATION, "how long it stays open at most"),
            Key("probes", Whole(1, 1000), "attempts that show whether the service is back"),
        ),
        topic="breaker",
        expected="a mapping such as `{ratio: 50%, samples: 20}`",
    ),
)


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
        """The same in JSON Schema terms."""
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
        Key("cost", Whole(1, MOST_UNITS), "units that a request costs"),
        Key("learn", Switch(), "whether what the service says of its limits is heeded"),
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
        """The same in JSON Schema terms."""
        return {"anyOf": [Rates().schema(), RATE_LIMIT_KEYS.schema()]}


def with_rates(node: Node) -> Node:
    """A short form, one rate or a list of them, as the mapping that it stands for."""
    if isinstance(node, MappingNode) or is_null(node):
        return node
    return MappingNode(((Scalar("rates", "rates", node.place), node),), node.place)


class HeaderName:
    """The name of a header, or `off`."""

    expected = "the name of a header, or `off`"

    def read(self, node: Node, spot: Spot, reading: Reading) -> str | None:
        """The name; None for `off`."""
        filled = scalar(node, spot, reading, self.expected)
        return None if is_off(filled) else own_header(filled, spot)

    def schema(self) -> JsonSchema:
        """The same in JSON Schema terms."""
        return {"anyOf": [{"enum": ["off", False]}, {"type": "string", "pattern": f"^{TOKEN.pattern}$"}]}


TAKEN = frozenset({"authorization", "proxy-authorization", "cookie", "host", "content-type", "content-encoding", "accept",
                   "accept-encoding", "user-agent"})  # fmt: skip
SWITCHES = frozenset({"yes", "no", "on"})


def own_header(node: Scalar, spot: Spot) -> str:
    """The name of a header that is free for this use."""
    name = header_name(node, spot)
    if name.lower() in TAKEN:
        raise Misfit(node.place, f"{spot}: the header `{name}` has a meaning of its own", "choose another name")
    if name.lower() in SWITCHES:
        raise Misfit(node.place, f"{spot}: `{name}` would be the name of a header", "write `true` or `false`")
    return name


IDEMPOTENCY_KEYS = Record(
    (
        Key("header", HeaderName(), "the header that carries the key"),
        Key("quoted", Switch(), "as a structured string, in quotes"),
        Key("from", Choice(("auto", "argument")), "who makes the key: we, or the caller"),
    ),
    topic="idempotency_key",
    expected="true, the name of a header, or a mapping of header, quoted and from",
)


class IdempotencyKeyForm:
    """true, false, the name of the header, or the whole mapping."""

    record = IDEMPOTENCY_KEYS

    def read(self, node: Node, spot: Spot, reading: Reading) -> dict[str, Written] | None:
        """The values of the mapping; None for false."""
        if isinstance(node, MappingNode):
            return IDEMPOTENCY_KEYS.read(node, spot, reading)
        filled = scalar(node, spot, reading, IDEMPOTENCY_KEYS.expected)
        if filled.value is True:
            return {}
        if is_off(filled):
            return None
        if not isinstance(filled.value, str):
            raise misfit(filled, spot, IDEMPOTENCY_KEYS.expected)
        return {"header": Written(own_header(filled, spot), node)}

    def schema(self) -> JsonSchema:
        """The same in JSON Schema terms."""
        name = {"type": "string", "pattern": f"^{TOKEN.pattern}$"}
        return {"anyOf": [{"type": "boolean"}, name, IDEMPOTENCY_KEYS.schema()]}


def with_header(node: Node) -> Node:
    """A short form of `idempotency_key`, true or the name of a header, as the mapping that it stands for."""
    if not isinstance(node, Scalar) or is_null(node) or is_off(node) or has_reference(node.text):
        return node
    header = () if node.value is True else ((Scalar("header", "header", node.place), node),)
    return MappingNode(header, node.place)


def breaker_from(written: Written, spot: Spot, findings: Findings) -> Breaker | None:
    """The settings that were written; a default yields, and two written ones that contradict are noted."""
    if written.value is None:
        return None
    values = plain(written.value)
    first, most = values.get("open"), values.get("max_open")
    if first is not None and most is not None and first > most:
        message = f"{spot.under('breaker.open')} is {first:g} s, longer than `max_open`, {most:g} s"
        findings.add_once(Misfit(written.value["open"].node.place, message, "write `open` below `max_open`"))
    chosen = Breaker(**values)
    if first is None:
        return replace(chosen, open=min(chosen.open, chosen.max_open))
    return replace(chosen, max_open=max(chosen.open, chosen.max_open))


def rate_limit_from(written: Written, spot: Spot, findings: Findings) -> RateLimit:
    """The settings that were written; a cost that no rate could ever admit is noted."""
    values = plain(written.value)
    values["rates"] = tuple(Rate(*pair) for pair in values.get("rates", ()))
    limit = RateLimit(**values)
    small = [each for each in limit.rates if each.count < limit.cost]
    if small:
        node = written.value["cost"].node if "cost" in written.value else written.node
        message = f"{spot.under('rate_limit')}: a request costs {limit.cost} units, more than {small[0]} ever allows"
        findings.add_once(Misfit(node.place, message, "lower `cost`, or raise the rate"))
    return limit


def idempotency_key_from(written: Written, spot: Spot, findings: Findings) -> IdempotencyKey | None:
    """The settings that were written; None where keys are off."""
    if written.value is None:
        return None
    values = plain(written.value)
    if "from" in values:
        values["source"] = values.pop("from")
    if values.get("header", "") is None:
        return None
    return IdempotencyKey(**values)


def check_per(layer: Layer, arguments: Collection[str], spot: Spot, findings: Findings) -> None:
    """Note a `rate_limit.per` that names no argument there is."""
    written = layer.get("rate_limit")
    per = written.value.get("per") if written is not None and isinstance(written.value, Mapping) else None
    if per is None or isinstance(per.value, Unread) or per.value in {"service", "operation", *arguments}:
        return
    known = ["service", "operation", *sorted(arguments)]
    close = nearest(per.value, known)
    hint = f"did you mean `{close}`?" if close else f"write one of {one_of(known)}"
    message = f"{spot.under('rate_limit.per')}: no argument is named `{per.value[:60]}`"
    findings.add(Misfit(per.node.place, message, hint))
