"""The sheet as a whole: its top level, its services, and the order in which it is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from callsheet.sheet.environments import chosen
from callsheet.sheet.findings import Findings, Misfit, nearest, one_of
from callsheet.sheet.keys import DEFAULTS_KEYS, OPERATION_SETTINGS, SERVICE_KEYS, SETTINGS
from callsheet.sheet.node import MappingNode, Node, Scalar, is_null, scalars
from callsheet.sheet.operations import OWN_KEYS, OperationSheet, read_operation
from callsheet.sheet.overlay import overlaid
from callsheet.sheet.reading import Reading, Spot, misfit, refuse_references
from callsheet.sheet.record import Key, Layer, check_keys, read_keys, unknown_key
from callsheet.sheet.scalars import Text
from callsheet.sheet.types import json_schema
from callsheet.sheet.variables import Variables
from callsheet.values.typeref import PARAMETER_TYPES

FLAT_SERVICE = "api"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
ANY = Text()
TOP_KEYS = tuple(
    Key(name, ANY)
    for name in ("callsheet", "default_environment", "defaults", "services", "environments", "schemas", "api_config")
) + (Key("stores"),)
OVERLAY_KEYS = (*(Key(name, ANY) for name in ("defaults", "services", "schemas")), Key("stores"))
FLAT_OVERLAY = "api_config"
OPERATIONS = Key("operations", ANY)
NO_DEFAULT = frozenset({"base_url", "operations", "auth", "sign", "cookies"})


@dataclass(frozen=True, slots=True)
class ServiceLayers:
    """One service as it was read."""

    name: str
    where: str
    layer: Layer
    operations: Mapping[str, OperationSheet]


@dataclass(frozen=True, slots=True)
class Document:
    """All that was read, and the reading itself: settings given in code are read the same way later."""

    environment: str | None
    environments: tuple[str, ...]
    defaults: Layer
    services: Mapping[str, ServiceLayers]
    reading: Reading


def read_document(tree: Node, env: str | None, variables: Variables, findings: Findings) -> Document:
    """Everything on the sheet under the chosen environment; whatever is wrong is in `findings`."""
    reading = Reading(findings, variables)
    empty = Document(None, (), {}, {}, reading)
    if not isinstance(tree, MappingNode):
        findings.add(
            Misfit(tree.place, "expected a mapping with `callsheet: 1` and `services`", "see `callsheet init`")
        )
        return empty
    check_keys(tree, TOP_KEYS, "top", Spot("the sheet"), findings)
    _check_version(tree, findings)
    sheet = _unflattened(tree, findings)
    name, names = chosen(sheet, env, variables.values, findings)
    for environment in names:
        _check_overlay(sheet, environment, findings)
    if names and name is None:
        return empty
    if name is not None:
        sheet = overlaid(sheet, _overlay(sheet, name), findings)
    reading = _with_schemas(sheet, reading)
    defaults = _defaults(sheet, reading)
    return Document(name, names, defaults, _services(sheet, reading), reading)


def _check_version(tree: MappingNode, findings: Findings) -> None:
    node = tree.get("callsheet")
    if node is None and tree.get("api_config") is None and tree.place.line:
        findings.add(Misfit(tree.place, "`callsheet: 1` is missing", "write it on top: the version of the format"))
    if node is not None and not (isinstance(node, Scalar) and node.value == 1 and node.value is not True):
        findings.add(misfit(node, Spot("the sheet", "callsheet"), "1, the only version of the format"))


def _unflattened(tree: MappingNode, findings: Findings) -> MappingNode:
    """`api_config:` as a service named `api`."""
    flat, key = tree.get("api_config"), tree.key("api_config")
    if flat is None or key is None:
        return tree
    if tree.get("services") is not None:
        findings.add(Misfit(key.place, "`api_config` beside `services`", "write it as one more service"))
        return tree
    entries = [(k, v) for k, v in tree.without("api_config").entries if k.value != "environments"]
    entries.append((Scalar("services", "services", key.place), _as_service(key, flat)))
    environments, environments_key = tree.get("environments"), tree.key("environments")
    if environments is not None and environments_key is not None:
        entries.append((environments_key, _flat_overlays(environments)))
    return MappingNode(tuple(entries), tree.place)


def _as_service(key: Scalar, service: Node) -> MappingNode:
    return MappingNode(((Scalar(FLAT_SERVICE, FLAT_SERVICE, key.place), service),), service.place)


def _flat_overlays(node: Node) -> Node:
    """Each environment of a flat sheet is a service's overlay; the sheet's own shape is understood, too."""
    if not isinstance(node, MappingNode):
        return node
    return MappingNode(tuple((key, _flat_overlay(key, value)) for key, value in node.entries), node.place)


def _flat_overlay(key: Scalar, node: Node) -> Node:
    if not isinstance(node, MappingNode) or any(node.key(name) for name in ("services", "defaults", "schemas")):
        return node
    inner, inner_key = node.get(FLAT_OVERLAY), node.key(FLAT_OVERLAY)
    key, service = (inner_key, inner) if inner is not None and inner_key is not None else (key, node)
    return MappingNode(((Scalar("services", "services", key.place), _as_service(key, service)),), node.place)


def _overlay(sheet: MappingNode, name: str) -> Node:
    environments = sheet.get("environments")
    assert isinstance(environments, MappingNode)
    return next(value for key, value in environments.entries if key.text == name)


def _check_overlay(sheet: MappingNode, name: str, findings: Findings) -> None:
    """The keys of every overlay, chosen or not: a slip should not wait for the day it is deployed."""
    overlay = _overlay(sheet, name)
    if is_null(overlay):
        return
    if not isinstance(overlay, MappingNode):
        findings.add(misfit(overlay, Spot(f"environment `{name}`"), "a mapping of the sheet's own shape, or {}"))
        return
    check_keys(overlay, OVERLAY_KEYS, "top", Spot(f"environment `{name}`"), findings)
    overlaid(sheet, overlay, findings)
    _check_settings(overlay.get("defaults"), DEFAULTS_KEYS, "settings", Spot("`defaults`"), findings)
    for service, node in _entries(overlay.get("services")):
        keys = (*SERVICE_KEYS, OPERATIONS)
        _check_settings(node, keys, "settings", Spot(f"service `{service.text}`"), findings)
        for operation, inner in _entries(node.get("operations") if isinstance(node, MappingNode) else None):
            spot = Spot(f"operation `{service.text}.{operation.text}`")
            _check_settings(inner, (*OWN_KEYS, *OPERATION_SETTINGS), "operation", spot, findings)


def _check_settings(node: Node | None, keys: tuple[Key, ...], topic: str, spot: Spot, findings: Findings) -> None:
    if isinstance(node, MappingNode):
        check_keys(node, keys, topic, spot, findings)


def _entries(node: Node | None) -> tuple[tuple[Scalar, Node], ...]:
    return node.entries if isinstance(node, MappingNode) else ()


def _with_schemas(sheet: MappingNode, reading: Reading) -> Reading:
    node = sheet.get("schemas")
    if node is None or is_null(node):
        return reading
    if not isinstance(node, MappingNode):
        reading.findings.add(misfit(node, Spot("the sheet", "schemas"), "a mapping from name to JSON Schema"))
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
    is_python = isinstance(node, Scalar) and not isinstance(node.value, str | bool | int | float | None)
    if isinstance(node, Scalar) and is_python:
        return node.value
    raise misfit(node, spot, "a JSON Schema: a mapping")


def _defaults(sheet: MappingNode, reading: Reading) -> Layer:
    node = sheet.get("defaults")
    if node is None or is_null(node):
        return {}
    spot = Spot("`defaults`")
    if not isinstance(node, MappingNode):
        reading.findings.add(misfit(node, spot, "a mapping of settings"))
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
        for key, value in _entries(node.get(name)):
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
    for key, value in node.entries:
        if _is_name(key, "service", reading) and (service := _service(key, value, reading)):
            services[service.name] = service
    return services


def _is_name(key: Scalar, kind: str, reading: Reading) -> bool:
    if isinstance(key.value, str) and NAME.fullmatch(key.value):
        return True
    expected = "letters, digits, `_` and `-`, beginning with a letter or `_`"
    reading.findings.add(Misfit(key.place, f"`{key.text[:60]}` cannot name {_a(kind)}", expected))
    return False


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _service(key: Scalar, node: Node, reading: Reading) -> ServiceLayers | None:
    spot = Spot(f"service `{key.text}`")
    if not isinstance(node, MappingNode):
        reading.findings.add(misfit(node, spot, "a mapping with `base_url`"))
        return None
    check_keys(node, (*SERVICE_KEYS, OPERATIONS), "settings", spot, reading.findings)
    layer = read_keys(node, SERVICE_KEYS, spot, reading)
    base_url = node.get("base_url")
    if base_url is None or is_null(base_url):
        reading.findings.add(Misfit(key.place, f"{spot}: `base_url` is missing", "write `base_url: https://...`"))
    return ServiceLayers(key.text, str(key.place), layer, _operations(key.text, node, reading))


def _operations(service: str, node: MappingNode, reading: Reading) -> dict[str, OperationSheet]:
    written = node.get("operations")
    if written is None or is_null(written):
        return {}
    spot = Spot(f"service `{service}`", "operations")
    if not isinstance(written, MappingNode):
        reading.findings.add(misfit(written, spot, "a mapping from name to operation"))
        return {}
    operations = {}
    for key, value in written.entries:
        spot = Spot(f"operation `{service}.{key.text}`")
        if not _is_name(key, "operation", reading):
            continue
        if not isinstance(value, MappingNode):
            reading.findings.add(misfit(value, spot, "a mapping with a method and path: `get: /users`"))
            continue
        operation = read_operation(key, value, OPERATION_SETTINGS, spot, reading)
        if operation is not None:
            operations[operation.name] = operation
    return operations
