"""The chosen environment laid over the sheet, before anything is substituted or read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from callsheet.sheet.forms.shorthand import expanded
from callsheet.sheet.tree.findings import Findings, Misfit, nearest, one_of
from callsheet.sheet.tree.node import Layers, MappingNode, Node, Scalar, is_null
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


class OverlayNames:
    """The names that an overlay may use, and what to say of another."""

    def __init__(self, kind: str, prefix: str, findings: Findings) -> None:
        self.kind = kind
        self.prefix = prefix
        self.findings = findings

    def check(self, key: Scalar, base: MappingNode) -> bool:
        """Whether the sheet has this name; noted if not."""
        if base.key(key.value) is not None:
            return True
        known = [name.text for name, _ in base.entries]
        close = nearest(key.text, known)
        hint = f"did you mean `{close}`?" if close else f"it has {one_of(known)}"
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
    merges = SPECIAL | {"operations": lambda b, o: _named(b, o, _operation, operations)}
    if base.key("operations") is None:
        _refuse_operations(over, operations)
        over = over.without("operations")
    return _merged(base, over, merges)


def _refuse_operations(over: MappingNode, names: OverlayNames) -> None:
    operations = over.get("operations")
    if isinstance(operations, MappingNode):
        for key, _ in operations.entries:
            names.check(key, MappingNode((), operations.place))


def _operation(base: Node, over: Node, name: str, findings: Findings) -> Node:
    return _settings(base, over)


def _settings(base: Node, over: Node) -> Node:
    if not isinstance(base, MappingNode) or not isinstance(over, MappingNode):
        return over
    return _merged(base, over, SPECIAL)


def _deep(base: Node, over: Node) -> Node:
    if isinstance(base, MappingNode) and isinstance(over, MappingNode):
        return _merged(base, over, {}, _deep)
    return over


def _whole(base: Node, over: Node) -> Node:
    return over


def _timeout(base: Node, over: Node) -> Node:
    """A short form bounds what is below it, so it can be judged only when both were read."""
    if isinstance(base, MappingNode) and isinstance(over, MappingNode):
        return _deep(base, over)
    return over if isinstance(base, Scalar) and isinstance(over, Scalar) else Layers((base, over))


def _concurrency(base: Node, over: Node) -> Node:
    return _deep(expanded(base, "limit"), expanded(over, "limit"))


def _rate_limit(base: Node, over: Node) -> Node:
    return _deep(with_rates(base), with_rates(over))


def _idempotency_key(base: Node, over: Node) -> Node:
    return _deep(with_header(base), with_header(over))


def _headers(base: Node, over: Node) -> Node:
    """Names have no case: the overlay's spelling is taken."""
    if not isinstance(base, MappingNode) or not isinstance(over, MappingNode):
        return over
    names = {key.text.lower() for key, _ in over.entries}
    kept = tuple(entry for entry in base.entries if entry[0].text.lower() not in names)
    return MappingNode((*kept, *(entry for entry in over.entries if not is_null(entry[1]))), base.place)


SPECIAL: dict[str, Merge] = {
    **dict.fromkeys(WHOLE, _whole),
    "timeout": _timeout,
    "concurrency": _concurrency,
    "rate_limit": _rate_limit,
    "idempotency_key": _idempotency_key,
    "headers": _headers,
}


def _merged(
    base: MappingNode, over: MappingNode, merges: dict[str, Merge], otherwise: Merge | None = None
) -> MappingNode:
    """Key by key; null removes; a value that was written anew stands where the overlay has it."""
    entries: dict[Any, tuple[Scalar, Node]] = {key.text: (key, value) for key, value in base.entries}
    for key, value in over.entries:
        known = entries.get(key.text)
        if is_null(value):
            entries.pop(key.text, None)
        elif known is None or is_null(known[1]):
            entries[key.text] = (key, value)
        else:
            merge = merges.get(key.text, otherwise or _deep)
            entries[key.text] = (key if isinstance(value, Scalar) else known[0], merge(known[1], value))
    return MappingNode(tuple(entries.values()), base.place)
