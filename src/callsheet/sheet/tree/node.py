"""The sheet as a tree of values with their places, before any meaning is read into it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from callsheet.sheet.tree.place import Place


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value. `text` is how it was written. A `hidden` value is never shown. `through` names the variables in it."""

    value: Any
    text: str
    place: Place
    hidden: bool = False
    through: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Scalar({'***' if self.hidden or self.through else self.text!r} at {self.place})"


@dataclass(frozen=True, slots=True)
class MappingNode:
    """Keys and values in the order of the file. No key is there twice."""

    entries: tuple[tuple[Scalar, Node], ...]
    place: Place

    def get(self, name: str) -> Node | None:
        """The value of a key, or None."""
        return next((value for key, value in self.entries if key.value == name), None)

    def key(self, name: str) -> Scalar | None:
        """The key itself, for its place."""
        return next((key for key, _ in self.entries if key.value == name), None)

    def without(self, *names: str) -> MappingNode:
        """The mapping without some of its keys."""
        return MappingNode(tuple(entry for entry in self.entries if entry[0].value not in names), self.place)


@dataclass(frozen=True, slots=True)
class ListNode:
    """Values in order."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Layers:
    """A setting as two or more layers wrote it, lowest first, to be merged after each of them was read."""

    nodes: tuple[Node, ...]

    @property
    def place(self) -> Place:
        """The place of the topmost."""
        return self.nodes[-1].place


DEEPEST = 50
"""Levels of nesting: far below what the YAML parser itself would take, and far above what a sheet needs."""
Node = Scalar | MappingNode | ListNode | Layers


def entries(node: Node | None) -> tuple[tuple[Scalar, Node], ...]:
    """The keys and values of a mapping; empty for any other node."""
    return node.entries if isinstance(node, MappingNode) else ()


def is_null(node: Node) -> bool:
    """Whether nothing but null was written."""
    return isinstance(node, Scalar) and node.value is None


def scalars(node: Node) -> Iterator[Scalar]:
    """Every single value at or below a node; keys are left out."""
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, MappingNode):
        for _, value in node.entries:
            yield from scalars(value)
    else:
        for item in node.items if isinstance(node, ListNode) else node.nodes:
            yield from scalars(item)


def shown_key(key: Scalar) -> str:
    """A key as messages show it, cut to 60 characters."""
    return key.text if len(key.text) <= 60 else f"{key.text[:57]}..."


def hide(node: Node) -> None:
    """Mask the value of an unknown key in every excerpt: the key may be misspelt and the value a credential."""
    for value in (*scalars(node), *_keys_alone(node)):
        source = value.place.source
        if source is not None and isinstance(value.value, str) and not value.hidden:
            line, column = value.place.line - 1, value.place.column - 1
            last = line + value.text.rstrip("\n").count("\n")
            end = column + value.place.length if last == line else len(source.line(last + 1))
            source.hide((line, column), (last, end))


def _keys_alone(node: Node) -> Iterator[Scalar]:
    """The keys without a value: YAML reads a text `{abc}` without quotes as such a key."""
    for key, value in entries(node):
        if is_null(value):
            yield key
        yield from _keys_alone(value)
