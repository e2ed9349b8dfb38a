"""`timeout`: a number or duration within which the call ends, or its four parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from callsheet.settings import WrittenTimeout
from callsheet.sheet.findings import Findings, Misfit
from callsheet.sheet.node import Layers, MappingNode, Node, Scalar
from callsheet.sheet.reading import JsonSchema, Reading, Spot, misfit
from callsheet.sheet.record import Key, Record, Stacked
from callsheet.sheet.scalars import DURATION

PARTS = Record(
    (
        Key("connect", DURATION, "name lookup, TCP and TLS of one try"),
        Key("read", DURATION, "no byte in either direction for so long"),
        Key("attempt", DURATION, "one try, from name lookup to the last byte"),
        Key("total", DURATION, "from entering the call to the typed result"),
    ),
    topic="timeout",
)
EXPECTED = "a duration such as `10s`, or a mapping of connect, read, attempt and total"


@dataclass(frozen=True, slots=True)
class WrittenParts(Stacked):
    """What was written of a timeout so far, and where each part was."""

    values: WrittenTimeout
    nodes: Mapping[str, Node]
    short: float | None = None
    removed: tuple[str, ...] = ()

    def on(self, lower: WrittenParts) -> WrittenParts:
        """This layer over a lower one: a short form is a bound on all that is known below it."""
        below = replace(lower.values, **dict.fromkeys(self.removed))
        if self.short is None:
            return WrittenParts(self.values.over(below), {**lower.nodes, **self.nodes}, lower.short)
        node = self.nodes["total"]
        values = WrittenTimeout.within(self.short, below)
        cut = {n: node for n in ("connect", "read") if getattr(values, n) != getattr(below, n)}
        return WrittenParts(values, {**lower.nodes, **self.nodes, **cut}, self.short)

    def check(self, spot: Spot, findings: Findings) -> None:
        """Note two written parts that contradict each other."""
        clash = self.values.contradiction()
        if clash is None:
            return
        part, whole = clash
        inner, outer = getattr(self.values, part), getattr(self.values, whole)
        message = (
            f"{spot.under(part)} is {inner:g} s, longer than `{spot.path}.{whole}`, "
            f"which is {outer:g} s ({self.nodes[whole].place})"
        )
        findings.add(Misfit(self.nodes[part].place, message, f"the {whole} limit holds the {part} limit: change one"))


class TimeoutForm:
    """Short and full form, and several of them over each other."""

    def read(self, node: Node, spot: Spot, reading: Reading) -> WrittenParts:
        """What was written of the four parts."""
        if isinstance(node, Layers):
            parts = [self.read(layer, spot, reading) for layer in node.nodes]
            result = parts[0]
            for part in parts[1:]:
                result = part.on(result)
            return result
        if isinstance(node, MappingNode):
            written = PARTS.read(node, spot, reading)
            values = WrittenTimeout(**{name: part.value for name, part in written.items()})
            removed = tuple(k.text for k, v in node.entries if isinstance(v, Scalar) and v.value is None)
            removed = tuple(name for name in removed if name in {key.name for key in PARTS.keys})
            return WrittenParts(values, {name: part.node for name, part in written.items()}, None, removed)
        if not isinstance(node, Scalar):
            raise misfit(node, spot, EXPECTED)
        short: float = DURATION.read(node, spot, reading)
        return WrittenParts(WrittenTimeout.within(short), {"attempt": node, "total": node}, short)

    def schema(self) -> JsonSchema:
        """The same in JSON Schema terms."""
        return {"anyOf": [DURATION.schema(), PARTS.schema()]}
