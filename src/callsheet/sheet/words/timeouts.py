"""`timeout`: a number or duration within which the call ends, or its four parts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from callsheet.settings import WrittenTimeout
from callsheet.sheet.forms.reading import JsonSchema, Reading, Spot, Unread, misfit
from callsheet.sheet.forms.record import Key, Record, Stacked, Written
from callsheet.sheet.forms.scalars import DURATION
from callsheet.sheet.tree.findings import Findings, Misfit
from callsheet.sheet.tree.node import Layers, MappingNode, Node, Scalar, entries, is_null

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
class WrittenStep:
    """One `timeout` as one layer has it: some of its parts, or a single duration, which also bounds the layers below.

    `unread` are the parts that are written, but that an outline could not read.
    """

    values: WrittenTimeout
    nodes: Mapping[str, Node]
    short: float | None = None
    unread: Mapping[str, Written] = field(default_factory=dict)

    def without(self, names: Collection[str]) -> WrittenStep:
        """This step less the parts that an overlay removed. A single duration then no longer bounds the layers below."""
        if not names:
            return self
        unread = {name: written for name, written in self.unread.items() if name not in names}
        return WrittenStep(replace(self.values, **dict.fromkeys(names)), self.nodes, unread=unread)


@dataclass(frozen=True, slots=True)
class WrittenSteps(Stacked):
    """Every `timeout` that applies, the lowest layer first."""

    steps: tuple[WrittenStep, ...]

    def on(self, lower: WrittenSteps) -> WrittenSteps:
        """These steps after those of a lower layer."""
        return WrittenSteps((*lower.steps, *self.steps))

    def folded(self) -> tuple[WrittenTimeout, dict[str, Node]]:
        """The parts that result from all steps, and where each was written."""
        values, nodes = WrittenTimeout(), dict[str, Node]()
        for step in self.steps:
            below = values
            values = step.values.over(below) if step.short is None else WrittenTimeout.within(step.short, below)
            written = step.nodes if step.short is None else dict.fromkeys(_changed(below, values), step.nodes["total"])
            nodes |= {**written, **step.nodes}
        return values, {name: node for name, node in nodes.items() if getattr(values, name) is not None}

    def unread(self) -> dict[str, Written]:
        """The parts that an outline could not read, less those that a later step sets."""
        found: dict[str, Written] = {}
        for step in self.steps:
            found = {name: written for name, written in found.items() if name not in step.nodes} | {**step.unread}
        return found

    def check(self, spot: Spot, findings: Findings) -> None:
        """Note two written parts that contradict each other."""
        values, nodes = self.folded()
        clash = values.contradiction()
        if clash is None:
            return
        part, whole = clash
        message = (
            f"{spot.under(part)} is {getattr(values, part):g} s, longer than `{spot.path}.{whole}`, "
            f"which is {getattr(values, whole):g} s ({nodes[whole].place})"
        )
        hint = f"the {whole} limit holds the {part} limit: change one"
        findings.add_once(Misfit(nodes[part].place, message, hint))


def _changed(below: WrittenTimeout, above: WrittenTimeout) -> list[str]:
    return [key.name for key in PARTS.keys if getattr(below, key.name) != getattr(above, key.name)]


class TimeoutForm:
    """One duration, or a mapping of the four parts; or several of these, as an overlay puts one over another."""

    record = PARTS

    def read(self, node: Node, spot: Spot, reading: Reading) -> WrittenSteps:
        """The steps that are written, one for each layer."""
        if not isinstance(node, Layers):
            return WrittenSteps((_step(node, spot, reading),))
        steps: list[WrittenStep] = []
        for layer in node.nodes:
            steps = [step.without(_removed(layer)) for step in steps]
            steps.append(_step(layer, spot, reading))
        return WrittenSteps(tuple(steps))

    def schema(self) -> JsonSchema:
        """The JSON Schema of the values that are read."""
        return {"anyOf": [DURATION.schema(), PARTS.schema()]}


def _step(node: Node, spot: Spot, reading: Reading) -> WrittenStep:
    if isinstance(node, MappingNode):
        written = PARTS.read(node, spot, reading)
        known = {name: part for name, part in written.items() if not isinstance(part.value, Unread)}
        unread = {name: part for name, part in written.items() if name not in known}
        values = WrittenTimeout(**{name: part.value for name, part in known.items()})
        return WrittenStep(values, {name: part.node for name, part in known.items()}, unread=unread)
    if not isinstance(node, Scalar):
        raise misfit(node, spot, EXPECTED)
    return _short(node, spot, reading)


def _short(node: Scalar, spot: Spot, reading: Reading) -> WrittenStep:
    try:
        seconds: float = DURATION.read(node, spot, reading)
    except Misfit as wrong:
        if not reading.findings.overlooks(wrong):
            raise
        part = Written(reading.unread(node, wrong), node)
        return WrittenStep(WrittenTimeout(), {}, unread={"attempt": part, "total": part})
    return WrittenStep(WrittenTimeout.within(seconds), {"attempt": node, "total": node}, seconds)


def _removed(layer: Node) -> list[str]:
    """The parts that an overlay set to null."""
    known = {key.name for key in PARTS.keys}
    return [key.text for key, value in entries(layer) if key.text in known and is_null(value)]
