"""The sheet as a whole: its top level, its services, and the order in which it is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from callsheet.settings import Stores
from callsheet.sheet.environments import check_overlay, chosen, overlay_of
from callsheet.sheet.flat import FLAT_KEY, unflattened
from callsheet.sheet.forms.foreign_words import meant_by
from callsheet.sheet.forms.reading import Reading, Spot, misfit, refuse_references
from callsheet.sheet.forms.record import Layer, check_keys, read_keys
from callsheet.sheet.forms.types import json_schema
from callsheet.sheet.forms.variables import Unfilled, Variables
from callsheet.sheet.overlay import overlaid
from callsheet.sheet.tree.findings import Findings, Misfit, OfTheSheet, nearest
from callsheet.sheet.tree.node import MappingNode, Node, Scalar, entries, is_null, scalars
from callsheet.sheet.words.key_table import DEFAULTS_KEYS, OPERATION_SETTINGS, OPERATIONS, SERVICE_KEYS, TOP_KEYS
from callsheet.sheet.words.operation import Operation
from callsheet.sheet.words.operations import read_operation
from callsheet.sheet.words.rate_limit import check_per
from callsheet.sheet.words.stores import STORES, stores_from
from callsheet.values.typeref import PARAMETER_TYPES

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
SERVICE_NAMES = frozenset(key.name for key in (*SERVICE_KEYS, OPERATIONS))
NO_DEFAULT = frozenset({"base_url", "operations", "auth", "sign", "cookies"})


@dataclass(frozen=True, slots=True)
class ServiceLayers:
    """One service as it was read."""

    name: str
    where: str
    layer: Layer
    operations: Mapping[str, Operation]


@dataclass(frozen=True, slots=True)
class Document:
    """A sheet as it was read. `reading` is kept for the settings that a client gives in code later."""

    environment: str | None
    environments: tuple[str, ...]
    defaults: Layer
    services: Mapping[str, ServiceLayers]
    reading: Reading
    stores: Stores = Stores()
    left_out: tuple[str, ...] = ()


def read_document(tree: Node | None, env: str | None, variables: Variables, findings: Findings) -> Document:
    """Read the whole sheet under the chosen environment. What is wrong with it is noted in `findings`.

    Of services that are not in `variables.services` it is noted what is wrong whatever their variables hold; they are left out.
    """
    reading = Reading(findings, variables)
    empty = Document(None, (), {}, {}, reading)
    if tree is None:
        return empty
    if not isinstance(tree, MappingNode):
        findings.add(
            Misfit(tree.place, "expected a mapping with `callsheet: 1` and `services`", "see `callsheet init`")
        )
        return empty
    check_keys(tree, TOP_KEYS, "top", Spot("the sheet"), findings)
    _check_version(tree, findings)
    sheet = unflattened(tree, findings)
    name, names = chosen(sheet, env, variables.values, findings)
    for environment in names:
        check_overlay(sheet, environment, findings)
    if names and name is None:
        return replace(empty, environments=names)
    if name is not None:
        sheet = overlaid(sheet, overlay_of(sheet, name), findings)
    reading = _with_schemas(sheet, reading)
    defaults = _defaults(sheet, reading)
    services, only = _services(sheet, reading), variables.services
    kept = services if only is None else {each: services[each] for each in services if each in only}
    left_out = tuple(each for each in services if each not in kept)
    return Document(name, names, defaults, kept, reading, _stores(sheet, reading), left_out)


def _stores(sheet: MappingNode, reading: Reading) -> Stores:
    node = sheet.get("stores")
    if node is None or is_null(node):
        return Stores()
    try:
        return stores_from(STORES.read(node, Spot("the sheet", "stores"), reading))
    except Misfit as wrong:
        reading.findings.add(wrong)
        return Stores()


def _check_version(tree: MappingNode, findings: Findings) -> None:
    node = tree.get("callsheet")
    if node is None and tree.get(FLAT_KEY) is None and tree.place.line:
        findings.add(Misfit(tree.place, "`callsheet: 1` is missing", "write it on top: the version of the format"))
    if node is not None and not (isinstance(node, Scalar) and node.value == 1 and node.value is not True):
        findings.add(misfit(node, Spot("the sheet", "callsheet"), "1, the only version of the format"))


def _mapping(tree: MappingNode, name: str, spot: Spot, expected: str, reading: Reading) -> MappingNode | None:
    """The mapping under a key; None if nothing is written there, or something else, which is noted."""
    node = tree.get(name)
    if node is None or isinstance(node, MappingNode):
        return node
    if not is_null(node):
        reading.findings.add(misfit(node, spot, expected))
    return None


def _with_schemas(sheet: MappingNode, reading: Reading) -> Reading:
    node = _mapping(sheet, "schemas", Spot("the sheet", "schemas"), "a mapping from name to JSON Schema", reading)
    if node is None:
        return reading
    reading = replace(reading, schema_names=tuple(key.text for key, _ in node.entries))
    for key, value in node.entries:
        try:
            reading.schemas[key.text] = _schema(key, value, reading)
        except Misfit as wrong:
            reading.findings.add(wrong)
    return reading


def _schema(key: Scalar, node: Node, reading: Reading) -> Any:
    spot = Spot("the sheet", f"schemas.{key.text}")
    if not isinstance(key.value, str) or key.value in PARAMETER_TYPES or ":" in key.value:
        raise Misfit(key.place, f"`schemas`: `{key.text[:60]}` cannot name a schema", "choose another name")
    if isinstance(node, MappingNode):
        return json_schema(node, spot, reading)
    if isinstance(node, Scalar) and not isinstance(node.value, str | bool | int | float | None):
        return node.value
    raise misfit(node, spot, "a JSON Schema: a mapping")


def _defaults(sheet: MappingNode, reading: Reading) -> Layer:
    spot = Spot("`defaults`")
    node = _mapping(sheet, "defaults", spot, "a mapping of settings", reading)
    if node is None:
        return {}
    refused = [(key, value) for key, value in node.entries if key.text in NO_DEFAULT]
    for key, _ in refused:
        hint = "write it in the service: it belongs to one"
        reading.findings.add(Misfit(key.place, f"`{key.text}` is not allowed in `defaults`", hint))
    node = node.without(*(key.value for key, _ in refused))
    _refuse_references(node, spot, reading)
    check_keys(node, DEFAULTS_KEYS, "settings", spot, reading.findings)
    return read_keys(node, DEFAULTS_KEYS, spot, reading)


def _refuse_references(node: MappingNode, spot: Spot, reading: Reading) -> None:
    for name in ("headers", "params"):
        for key, value in entries(node.get(name)):
            for item in scalars(value):
                try:
                    refuse_references(item, spot.under(f"{name}.{key.text}"))
                except Misfit as wrong:
                    reading.findings.add(wrong)


def _services(sheet: MappingNode, reading: Reading) -> dict[str, ServiceLayers]:
    node = sheet.get("services")
    if node is None or is_null(node) or (isinstance(node, MappingNode) and not node.entries):
        place = sheet.key("services") or sheet
        hint = "write `services: {NAME: {base_url: ...}}`"
        reading.findings.add(Misfit(place.place, "there are no `services`", hint))
        return {}
    if not isinstance(node, MappingNode):
        reading.findings.add(misfit(node, Spot("the sheet", "services"), "a mapping from name to service"))
        return {}
    services = {}
    only, unfilled = reading.variables.services, Unfilled(reading.variables.values, reading.variables.folder)
    outline = replace(reading, findings=OfTheSheet(), variables=unfilled)
    for key, value in node.entries:
        own = reading if only is None or key.text in only else outline
        if _is_name(key, "a service", reading) and (service := _service(key, value, own)):
            services[service.name] = service
    for wrong in outline.findings.errors.values():
        reading.findings.add(wrong)
    return services


def _is_name(key: Scalar, what: str, reading: Reading) -> bool:
    if isinstance(key.value, str) and NAME.fullmatch(key.value):
        return True
    expected = "letters, digits, `_` and `-`, beginning with a letter or `_`"
    reading.findings.add(Misfit(key.place, f"`{key.text[:60]}` cannot name {what}", expected))
    return False


def _service(key: Scalar, node: Node, reading: Reading) -> ServiceLayers | None:
    spot = Spot(f"service `{key.text}`")
    if not isinstance(node, MappingNode):
        reading.findings.add(misfit(node, spot, "a mapping with `base_url`"))
        return None
    check_keys(node, (*SERVICE_KEYS, OPERATIONS), "settings", spot, reading.findings)
    layer = read_keys(node, SERVICE_KEYS, spot, reading)
    base_url = node.get("base_url")
    if (base_url is None or is_null(base_url)) and not _is_called_otherwise(node):
        reading.findings.add(Misfit(key.place, f"{spot}: `base_url` is missing", "write `base_url: https://...`"))
    operations = _operations(key.text, node, reading)
    _check_limits(layer, operations, spot, reading)
    return ServiceLayers(key.text, str(key.place), layer, operations)


def _check_limits(layer: Layer, operations: Mapping[str, Operation], spot: Spot, reading: Reading) -> None:
    """Note a rate limit that counts by an argument which the operation (for one of the service: any operation) lacks."""
    arguments = {name: operation.arguments for name, operation in operations.items()}
    check_per(layer, set[str]().union(*arguments.values()), spot, reading.findings)
    for name, operation in operations.items():
        check_per(operation.layer, arguments[name], Spot(f"operation `{spot.owner[9:-1]}.{name}`"), reading.findings)


def _is_called_otherwise(service: MappingNode) -> bool:
    """Whether `base_url` is written under another name: that is noted already, as an unknown key."""
    unknown = (key.text for key, _ in service.entries if key.text not in SERVICE_NAMES)
    return any("`base_url`" in meant_by(name, "settings") or nearest(name, ["base_url"]) for name in unknown)


def _operations(service: str, node: MappingNode, reading: Reading) -> dict[str, Operation]:
    spot = Spot(f"service `{service}`", "operations")
    written = _mapping(node, "operations", spot, "a mapping from name to operation", reading)
    operations: dict[str, Operation] = {}
    for key, value in entries(written):
        spot = Spot(f"operation `{service}.{key.text}`")
        if not _is_name(key, "an operation", reading):
            continue
        if not isinstance(value, MappingNode):
            reading.findings.add(misfit(value, spot, "a mapping with a method and path: `get: /users`"))
            continue
        operation = read_operation(key, value, OPERATION_SETTINGS, spot, reading)
        if operation is not None:
            operations[operation.name] = operation
    return operations
