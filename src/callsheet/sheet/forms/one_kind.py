"""A mapping that chooses one kind by its key, such as `{bearer: ...}`, or `off`."""

from __future__ import annotations

from dataclasses import dataclass

from callsheet.secret import Secret
from callsheet.sheet.forms.reading import Reading, Spot, misfit
from callsheet.sheet.forms.record import Key, check_keys
from callsheet.sheet.forms.scalars import scalar
from callsheet.sheet.forms.shorthand import is_off
from callsheet.sheet.tree.findings import Misfit, Noted, one_of
from callsheet.sheet.tree.node import MappingNode, Node, Scalar, is_null


@dataclass(frozen=True, slots=True)
class OneKind:
    """A mapping with exactly one of `keys`. Messages offer `kinds`; `topic` names the table of other tools' words."""

    keys: tuple[Key, ...]
    kinds: tuple[str, ...]
    topic: str
    expected: str

    def chosen(self, node: Node, spot: Spot, reading: Reading) -> tuple[Scalar, Node] | None:
        """The key and the value of the kind that is written; None for `off`."""
        is_written = isinstance(node, Scalar) and not isinstance(node.value, Secret)
        if is_written and is_off(scalar(node, spot, reading, self.expected)):
            return None
        if not isinstance(node, MappingNode):
            raise misfit(node, spot, self.expected)
        check_keys(node, self.keys, self.topic, spot, reading.findings)
        written = [(key, value) for key, value in node.entries if not is_null(value)]
        if len(written) != 1:
            hint = f"write one of {one_of(self.kinds)}"
            raise Misfit(node.place, f"{spot}: expected one kind, found {len(written)}", hint)
        key, value = written[0]
        if all(key.value != known.name for known in self.keys):
            raise Noted(key.place)
        return key, value
