"""Python data to the tree that YAML becomes. Places are paths, such as `services.shop.base_url`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from callsheet.secret import Secret
from callsheet.sheet.tree.findings import Findings, Misfit
from callsheet.sheet.tree.masks import is_secret_place
from callsheet.sheet.tree.node import DEEPEST, ListNode, MappingNode, Node, Scalar
from callsheet.sheet.tree.place import Place


def from_python(data: Any, findings: Findings, path: tuple[str, ...] = ()) -> Node:
    """The tree of plain Python data. Any value but a mapping, list, tuple or set becomes a Scalar."""
    place = Place(".".join(path) or "Sheet(...)")
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
    """The same tree, with `place` for every node: for settings that are given in code."""
    if isinstance(node, MappingNode):
        entries = ((replace(key, place=place), at_one_place(value, place)) for key, value in node.entries)
        return MappingNode(tuple(entries), place)
    if isinstance(node, ListNode):
        return ListNode(tuple(at_one_place(item, place) for item in node.items), place)
    return replace(node, place=place) if isinstance(node, Scalar) else node
