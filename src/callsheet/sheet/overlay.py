"""The chosen environment laid over the sheet, before anything is substituted or read."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from callsheet.sheet.forms.shorthand import expanded
from callsheet.sheet.tree.findings import Findings, Misfit, did_you_mean, one_of
from callsheet.sheet.tree.node import Layers, MappingNode, Node, Scalar, entries, is_null
from callsheet.sheet.words.idempotency_key import with_header
from callsheet.sheet.words.key_table import SETTINGS
from callsheet.sheet.words.operations import OWN_KEYS
from callsheet.sheet.words.rate_limit import with_rates

WHOLE = frozenset(key.name for key in (*SETTINGS, *OWN_KEYS) if key.is_replaced_whole)
Merge = Callable[[Node, Node], Node]


def overlaid(sheet: MappingNode, overlay: Node, findings: Findings) -> MappingNode:
    """The sheet with an environment's overlay merged in; unknown services and operations are noted."""
    if not isinstance(overlay, MappingNode):
        return sheet
    return _merged(sheet, overlay, {
        "defaults": _settings,
        "services": lambda base, over: _named(base, over, _service, OverlayNames("service", "", findings)),
    })  # fmt: skip


class OverlayNames(NamedTuple):
    """Checks that the services, or operations, that an overlay changes are on the sheet."""

    kind: str
    prefix: str
    findings: Findings

    def check(self, key: Scalar, base: MappingNode) -> bool:
        """Whether the sheet has this name. One that it lacks is noted."""
        if base.key(key.value) is not None:
            return True
        known = [name.text for name, _ in base.entries]
        hint = did_you_mean(key.text, known) or f"it has {one_of(known)}"
        message = f"the sheet has no {self.kind} `{self.prefix}{key.text}` that an environment could change"
        self.findings.add(Misfit(key.place, message, hint))
        return False


def _named(base: Node, over: Node, merge: Callable[[Node, Node, str, Findings], Node], names: OverlayNames) -> Node:
    if not isinstance(base, MappingNode) or not isinstance(over, MappingNode):
        return base if is_null(over) else over
    known = MappingNode(tuple(entry for entry in over.entries if names.check(entry[0], base)), over.place)
    merges: dict[str, Merge] = {
        key.value: lambda b, o, name=key.text: merge(b, o, f"{names.prefix}{name}", names.findings)  # type: ignore[misc]
        for key, _ in known.entries
    }
    return _merged(base, known, merges)


def _service(base: Node, over: Node, name: str, findings: Findings) -> Node:
    if not isinstance(base, MappingNode) or not isinstance(over, MappingNode):
        return over
    operations = OverlayNames("operation", f"{name}.", findings)
    merges = SPECIAL | {"operations": lambda b, o: _named(b, o, _settings, operations)}
    if base.key("operations") is None:
        for key, _ in entries(over.get("operations")):
            operations.check(key, MappingNode((), key.place))
        over = over.without("operations")
    return _merged(base, over, merges)


def _settings(base: Node, over: Node, *_named: object) -> Node:
    return _deep(base, over, SPECIAL)


def _deep(base: Node, over: Node, merges: dict[str, Merge] | None = None) -> Node:
    if isinstance(base, MappingNode) and isinstance(over, MappingNode):
        return _merged(base, over, merges or {})
    return over


def _timeout(base: Node, over: Node) -> Node:
    """Both timeouts, to be merged once they are read, if only one is a mapping: a single duration bounds the other's parts."""
    if isinstance(base, MappingNode) and isinstance(over, MappingNode):
        return _deep(base, over)
    return over if isinstance(base, Scalar) and isinstance(over, Scalar) else Layers((base, over))


def _spread(spread: Callable[[Node], Node]) -> Merge:
    """Both values merged as the mappings that their short forms stand for."""
    return lambda base, over: _deep(spread(base), spread(over))


def _headers(base: Node, over: Node) -> Node:
    """Headers merged without regard to case. Of two spellings of a name, the overlay's is kept."""
    if not isinstance(base, MappingNode) or not isinstance(over, MappingNode):
        return over
    names = {key.text.lower() for key, _ in over.entries}
    kept = tuple(entry for entry in base.entries if entry[0].text.lower() not in names)
    return MappingNode((*kept, *(entry for entry in over.entries if not is_null(entry[1]))), base.place)


SPECIAL: dict[str, Merge] = {
    **dict.fromkeys(WHOLE, lambda _base, over: over),
    "timeout": _timeout,
    "concurrency": _spread(partial(expanded, key="limit")),
    "rate_limit": _spread(with_rates),
    "idempotency_key": _spread(with_header),
    "headers": _headers,
}


def _merged(base: MappingNode, over: MappingNode, merges: dict[str, Merge]) -> MappingNode:
    """Two mappings merged key by key: null removes a key; a value that both have merges as `merges` says, else deeply."""
    merged: dict[Any, tuple[Scalar, Node]] = {key.text: (key, value) for key, value in base.entries}
    for key, value in over.entries:
        known = merged.get(key.text)
        if is_null(value):
            merged.pop(key.text, None)
        elif known is None or is_null(known[1]):
            merged[key.text] = (key, value)
        else:
            merge = merges.get(key.text, _deep)
            merged[key.text] = (key if isinstance(value, Scalar) else known[0], merge(known[1], value))
    return MappingNode(tuple(merged.values()), base.place)
