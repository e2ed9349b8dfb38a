"""Python data to the same tree, with paths for places: `services.shop.base_url`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callsheet.secret import Secret
from callsheet.sheet.tree.findings import Findings, Misfit
from callsheet.sheet.tree.masks import is_secret_place
from callsheet.sheet.tree.node import ListNode, MappingNode, Node, Scalar
from callsheet.sheet.tree.place import Place

DEEPEST = 50


def from_python(data: Any, findings: Findings, path: tuple[str, ...] = (), root: str = "Sheet(...)") -> Node:
    """The tree of plain Python data; anything that is no mapping or list stays as it is."""
    place = Place(".".join(path) or root)
    if len(path) > DEEPEST:
        findings.add(Misfit(place, f"nested more than {DEEPEST} deep"))
        return Scalar(None, "", place)
    if isinstance(data, Mapping):
        entries = (_entry(key, value, findings, path) for key, value in data.items())
        return MappingNode(tuple(entries), place)
    if isinstance(data, list | tuple | set | frozenset):
        items = sorted(data, key=str) if isinstance(data, set | frozenset) else data
        return ListNode(tuple(from_python(item, findings, (*path, str(i))) for i, item in enumerate(items)), place)
    hidden = isinstance(data, Secret) or callable(data) or is_secret_place(path)
    return Scalar(data, str(data), place, hidden)


def _entry(key: Any, value: Any, findings: Findings, path: tuple[str, ...]) -> tuple[Scalar, Node]:
    text = str(key)
    return Scalar(key, text, Place(".".join((*path, text)))), from_python(value, findings, (*path, text))


def at_one_place(node: Node, place: Place) -> Node:
    """The same tree with one place throughout: for settings that were given in code."""
    if isinstance(node, MappingNode):
        entries = ((at_scalar(key, place), at_one_place(value, place)) for key, value in node.entries)
        return MappingNode(tuple(entries), place)
    if isinstance(node, ListNode):
        return ListNode(tuple(at_one_place(item, place) for item in node.items), place)
    return at_scalar(node, place) if isinstance(node, Scalar) else node


def at_scalar(node: Scalar, place: Place) -> Scalar:
    """The same value with another place."""
    return Scalar(node.value, node.text, place, node.hidden, node.through)
