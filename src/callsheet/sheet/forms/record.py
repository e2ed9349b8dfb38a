"""Mappings with known keys: reading them, the messages and the JSON Schema all follow one table of keys."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from callsheet.sheet.forms.foreign_words import meant_by
from callsheet.sheet.forms.reading import Form, JsonSchema, Reading, Spot, Unread, misfit
from callsheet.sheet.tree.findings import Findings, Misfit, Noted, did_you_mean, one_of
from callsheet.sheet.tree.masks import METHODS
from callsheet.sheet.tree.node import MappingNode, Node, Scalar, hide, is_null, shown_key


@dataclass(frozen=True, slots=True)
class Key:
    """One key: the form of its value (None: not supported yet), and `about`, one line that editors show.

    `places` are those of the sheet's table of keys. An overlay replaces the value `is_replaced_whole`, instead of merging it.
    """

    name: str
    form: Form | None = None
    about: str = ""
    places: str = ""
    is_required: bool = False
    is_replaced_whole: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """A value that was read, and its node. A mapping is read as a dict from name to Written."""

    value: Any
    node: Node
    key: Scalar | None = None


Layer = Mapping[str, Written]


class Stacked(ABC):
    """A value that decides itself how it merges with the one of a lower layer."""

    @abstractmethod
    def on(self, lower: Any) -> Any:
        """The two merged, this one above."""


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping that takes these keys. `topic` names the table, in `foreign_words`, of what other tools call them."""

    keys: tuple[Key, ...]
    topic: str
    expected: str = "a mapping"

    def read(self, node: Node, spot: Spot, reading: Reading) -> dict[str, Written]:
        """Each key that was written, with its value."""
        if not isinstance(node, MappingNode):
            raise misfit(node, spot, self.expected)
        check_keys(node, self.keys, self.topic, spot, reading.findings)
        return read_keys(node, self.keys, spot, reading)

    def schema(self) -> JsonSchema:
        """The JSON Schema of the values that are read."""
        return mapping_schema(self.keys)


def check_keys(node: MappingNode, keys: tuple[Key, ...], topic: str, spot: Spot, findings: Findings) -> None:
    """Note every key that is unknown or not supported yet."""
    known = {key.name: key for key in keys}
    for name, value in node.entries:
        if not isinstance(name.value, str) or name.value not in known:
            findings.add(unknown_key(name, value, keys, topic, spot))
        elif known[name.value].form is None and not is_null(value):
            findings.add(Misfit(name.place, f"`{name.value}` is not supported yet{_in(spot)}", "remove it"))


def _in(spot: Spot) -> str:
    return f" ({spot})" if str(spot) else ""


def unknown_key(name: Scalar, value: Node, keys: tuple[Key, ...], topic: str, spot: Spot) -> Misfit:
    """The finding for a key that is not in the table, with the key that was probably meant."""
    hint = meant_by(name.text, topic)
    meant = did_you_mean(name.text.lower(), METHODS)
    if not (meant and topic == "operation" and isinstance(value, Scalar) and value.text.startswith("/")):
        hide(value)
    if not hint:
        supported = [key.name for key in keys if key.form is not None]
        close = did_you_mean(name.text, supported) or did_you_mean(name.text, (key.name for key in keys))
        hint = close or f"it takes {one_of(supported)}"
    return Misfit(name.place, f"unknown key `{shown_key(name)}` {spot.inside}", hint)


def read_keys(node: MappingNode, keys: tuple[Key, ...], spot: Spot, reading: Reading) -> dict[str, Written]:
    """The values of the known keys. One that cannot be read is noted and left out; an outline has Unread in its place."""
    values: dict[str, Written] = {}
    for key in keys:
        value = node.get(key.name)
        if value is None or is_null(value) or key.form is None:
            continue
        try:
            values[key.name] = Written(key.form.read(value, spot.under(key.name), reading), value, node.key(key.name))
        except Misfit as wrong:
            reading.findings.add(wrong)
            if reading.findings.overlooks(wrong):
                values[key.name] = Written(reading.unread(value, wrong), value, node.key(key.name))
    return values


def plain(layer: Layer) -> dict[str, Any]:
    """The values without their places, and without those that could not be read."""
    return {
        name: plain(w.value) if isinstance(w.value, dict) else w.value
        for name, w in layer.items()
        if not isinstance(w.value, Unread)
    }


def read_options(node: Node, keys: tuple[Key, ...], topic: str, spot: Spot, reading: Reading) -> dict[str, Any]:
    """The values of a mapping, without their places. Raises Noted if one that is required is missing or unreadable."""
    if not isinstance(node, MappingNode):
        raise misfit(node, spot, f"a mapping of {', '.join(key.name for key in keys)}")
    check_keys(node, keys, topic, spot, reading.findings)
    options = plain(read_keys(node, keys, spot, reading))
    required = [key.name for key in keys if key.is_required]
    for name in required:
        value = node.get(name)
        if value is None or is_null(value):
            others = one_of(key.name for key in keys if key.name != name)
            reading.findings.add(Misfit(node.place, f"{spot}: `{name}` is missing", f"write it beside {others}"))
    if any(name not in options for name in required):
        raise Noted(node.place)
    return options


def layered(lower: Layer, upper: Layer) -> dict[str, Written]:
    """The upper values over the lower ones, mapping by mapping."""
    result = dict(lower)
    for name, written in upper.items():
        known = result.get(name)
        value = written.value if known is None else _over(known.value, written.value)
        result[name] = Written(value, written.node, written.key)
    return result


def _over(lower: Any, upper: Any) -> Any:
    if isinstance(lower, dict) and isinstance(upper, dict):
        return layered(lower, upper)
    return upper.on(lower) if isinstance(upper, Stacked) and isinstance(lower, Stacked) else upper


def mapping_schema(keys: tuple[Key, ...]) -> JsonSchema:
    """The JSON Schema of a mapping with these keys; every value may be null, "as if not written"."""
    properties = {key.name: key_schema(key) for key in keys if key.form is not None}
    schema: JsonSchema = {"type": "object", "properties": properties, "additionalProperties": False}
    required = [key.name for key in keys if key.is_required]
    return {**schema, "required": required} if required else schema


def key_schema(key: Key) -> JsonSchema:
    """The JSON Schema of one key's value."""
    assert key.form is not None
    schema = {"anyOf": [key.form.schema(), {"type": "null"}]}
    return {"description": key.about, **schema} if key.about else schema
