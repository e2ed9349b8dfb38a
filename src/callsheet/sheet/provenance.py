"""Where each setting came from, by its dotted name.

The names are those of the fields of Settings. The merged layers tell where each of them was written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, NamedTuple

from callsheet.settings import Settings
from callsheet.settings.fallback import Fallback
from callsheet.settings.pages import Paginate
from callsheet.settings.rate_limit import Rate
from callsheet.settings.settings import AuthSettings, SignSettings
from callsheet.sheet.forms.reading import Unread
from callsheet.sheet.forms.record import Layer, Written
from callsheet.sheet.forms.variables import REFERENCE
from callsheet.sheet.tree.node import Node, Scalar, scalars
from callsheet.sheet.words.timeouts import WrittenSteps

BUILT_IN = "built-in"
DEFAULTS = Settings("")
WHOLE = (AuthSettings, SignSettings, Fallback, Rate, Paginate)
"""Records that the sheet writes as one value, so that their fields have no names of their own."""
OPEN = frozenset({"headers", "params"})
"""Settings that are mappings whose keys the user chooses."""
SPELLED = {"idempotency_key.source": "idempotency_key.from"}
"""Fields whose name on the sheet is a keyword of Python."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a value came from: `where` is a place on the sheet or `built-in`, `variables` the names in its `${...}`.

    `unread` says why an outline of a sheet could not read the value.
    """

    where: str
    variables: tuple[str, ...] = ()
    unread: str = ""

    def __str__(self) -> str:
        through = ", ".join(f"${{{name}}}" for name in self.variables)
        return f"{self.where} ({through})" if through else self.where


class Value(NamedTuple):
    """One setting: its dotted name as on the sheet, its value, and the record and field that hold it."""

    name: str
    value: Any
    record: type
    field: str


def values_of(settings: Settings) -> Iterator[Value]:
    """Every setting, records taken apart, in the order of their fields."""
    for field in fields(settings):
        value = getattr(settings, field.name)
        if field.name in OPEN:
            yield from (Value(f"{field.name}.{name}", inner, Settings, field.name) for name, inner in value.items())
        elif field.name != "written":
            yield from _parts(Value(field.name, value, Settings, field.name))


def _parts(whole: Value) -> Iterator[Value]:
    record = whole.value
    if not is_dataclass(record) or isinstance(record, WHOLE):
        yield whole
        return
    for field in fields(record):
        name = f"{whole.name}.{field.name}"
        yield from _parts(Value(SPELLED.get(name, name), getattr(record, field.name), type(record), field.name))


BY_DEFAULT = {value.name: value.value for value in values_of(DEFAULTS)}


def origins_of(layer: Layer, settings: Settings) -> dict[str, Provenance]:
    """The origin of every setting, by its dotted name. `layer` is the merged layers that `settings` were made from."""
    written = _Places(layer)
    found = {name: written.origin(name, value) for name, value, *_ in values_of(settings)}
    for name, origin in written.unread.items():
        found = {known: o for known, o in found.items() if not known.startswith(f"{name}.")} | {name: origin}
    return dict(sorted(found.items()))


class _Places:
    """Where a layer's values were written, by dotted name, and apart from them its mappings and its unread values."""

    def __init__(self, layer: Layer) -> None:
        self.values: dict[str, Written] = {}
        self.mappings: dict[str, Written] = {}
        self.unread: dict[str, Provenance] = {}
        for name, written in layer.items():
            self._add(name, written)

    def _add(self, name: str, written: Written) -> None:
        value = written.value
        if isinstance(value, WrittenSteps):
            known, nodes = value.folded()
            self._add_all(name, {part: Written(getattr(known, part), node) for part, node in nodes.items()})
            self._add_all(name, value.unread())
        elif isinstance(value, dict):
            self.mappings[name] = written
            self._add_all(name, {inner.value[0] if name == "headers" else key: inner for key, inner in value.items()})
        elif isinstance(value, Unread):
            self.unread[name] = _origin(written.node, value.why)
        else:
            self.values[name] = written

    def _add_all(self, name: str, parts: Mapping[str, Written]) -> None:
        for part, written in parts.items():
            self._add(f"{name}.{part}", written)

    def origin(self, name: str, value: Any) -> Provenance:
        """The place of a setting, else that of the setting which made it differ from its default, else built-in."""
        own = self.values.get(name) or self._below(name)
        if own is not None:
            return _origin(own.node)
        if name in BY_DEFAULT:
            moved_by = None if value == BY_DEFAULT[name] else self._beside(name, value)
            return _origin(moved_by.node) if moved_by else Provenance(BUILT_IN)
        return self._around(name)

    def _below(self, name: str) -> Written | None:
        """The written part, such as `off`, by which the whole record of that name was switched off."""
        return next((written for known, written in self.values.items() if known.startswith(f"{name}.")), None)

    def _beside(self, name: str, value: Any) -> Written | None:
        """The setting that changed the default of this one: `timeout: {total: 3s}` also ends an attempt within 3 s."""
        record = name.rpartition(".")[0]
        beside = [written for known, written in self.values.items() if known.rpartition(".")[0] == record]
        return next((written for written in beside if written.value == value), beside[0] if beside else None)

    def _around(self, name: str) -> Provenance:
        """The place of what switched a record on, for a part of the record that is not written itself."""
        while name := name.rpartition(".")[0]:
            if name in self.values:
                return _origin(self.values[name].node)
            if name in self.mappings:
                node = self.mappings[name].node
                return _origin(node) if isinstance(node, Scalar) else Provenance(str(node.place))
        return Provenance(BUILT_IN)


def _origin(node: Node, unread: str = "") -> Provenance:
    names: list[str] = []
    for scalar in scalars(node):
        text = scalar.text if isinstance(scalar.value, str) else ""
        names += [match["inside"].split(":")[0] if not match["inside"].startswith("file:") else match["inside"]
                  for match in REFERENCE.finditer(text) if match["inside"]]  # fmt: skip
    return Provenance(str(node.place), tuple(dict.fromkeys(names)), unread)
