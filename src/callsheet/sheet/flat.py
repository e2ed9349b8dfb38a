"""A sheet of one service, written flat under `api_config:`; it reads as a service named `api`."""

from __future__ import annotations

from callsheet.sheet.tree.findings import Findings, Misfit
from callsheet.sheet.tree.node import MappingNode, Node, Scalar

FLAT_KEY = "api_config"
FLAT_SERVICE = "api"


def unflattened(tree: MappingNode, findings: Findings) -> MappingNode:
    """The sheet with `api_config` moved to `services`, as the service `api`. Other sheets stay as they are."""
    flat, key = tree.get(FLAT_KEY), tree.key(FLAT_KEY)
    if flat is None or key is None:
        return tree
    if tree.get("services") is not None:
        findings.add(Misfit(key.place, "`api_config` beside `services`", "write it as one more service"))
        return tree
    entries = [(k, v) for k, v in tree.without(FLAT_KEY).entries if k.value != "environments"]
    entries.append((Scalar("services", "services", key.place), _as_service(key, flat)))
    environments, environments_key = tree.get("environments"), tree.key("environments")
    if environments is not None and environments_key is not None:
        entries.append((environments_key, _flat_overlays(environments)))
    return MappingNode(tuple(entries), tree.place)


def _as_service(key: Scalar, service: Node) -> MappingNode:
    return MappingNode(((Scalar(FLAT_SERVICE, FLAT_SERVICE, key.place), service),), service.place)


def _flat_overlays(node: Node) -> Node:
    """The environments of a flat sheet, each moved to `services`, as the overlay of the service `api`."""
    if not isinstance(node, MappingNode):
        return node
    return MappingNode(tuple((key, _flat_overlay(key, value)) for key, value in node.entries), node.place)


def _flat_overlay(key: Scalar, node: Node) -> Node:
    if not isinstance(node, MappingNode) or any(node.key(name) for name in ("services", "defaults", "schemas")):
        return node
    inner, inner_key = node.get(FLAT_KEY), node.key(FLAT_KEY)
    key, service = (inner_key, inner) if inner is not None and inner_key is not None else (key, node)
    return MappingNode(((Scalar("services", "services", key.place), _as_service(key, service)),), node.place)
