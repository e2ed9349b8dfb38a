"""Which environment a sheet is read for, and the check of the keys in every environment's overlay."""

from __future__ import annotations

from collections.abc import Mapping

from callsheet.sheet.forms.reading import Spot, misfit
from callsheet.sheet.forms.record import Key, check_keys
from callsheet.sheet.overlay import overlaid
from callsheet.sheet.tree.findings import Findings, Misfit, did_you_mean, one_of
from callsheet.sheet.tree.node import MappingNode, Node, Scalar, entries, hide, is_null, shown_key
from callsheet.sheet.tree.place import Place
from callsheet.sheet.words.key_table import DEFAULTS_KEYS, OPERATION_KEYS, OPERATIONS, OVERLAY_KEYS, SERVICE_KEYS

VARIABLE = "CALLSHEET_ENV"


def chosen(
    sheet: MappingNode, argument: str | None, variables: Mapping[str, str], findings: Findings
) -> tuple[str | None, tuple[str, ...]]:
    """The environment (the argument, else CALLSHEET_ENV, else `default_environment`), and the names of all."""
    node = sheet.get("environments")
    names = _names(node, findings)
    default = _default(sheet, names, findings)
    if not names:
        # CALLSHEET_ENV is set for a whole machine, and so does not count where a sheet has no environments.
        if argument:
            findings.add(_unknown(sheet.place, argument, "env=", ()))
        return None, ()
    place = sheet.key("environments") or sheet
    name, told_by = next(
        ((n, by) for n, by in ((argument, "env="), (variables.get(VARIABLE), VARIABLE), (default, "")) if n), (None, "")
    )
    if name is None:
        hint = f"give env=, or set {VARIABLE} or `default_environment`"
        findings.add(Misfit(place.place, f"no environment was chosen; this sheet has {one_of(names)}", hint))
    elif name not in names and told_by:
        findings.add(_unknown(place.place, name, told_by, names))
        name = None
    return name, names


def _names(node: Node | None, findings: Findings) -> tuple[str, ...]:
    if node is None or is_null(node):
        return ()
    if not isinstance(node, MappingNode):
        findings.add(Misfit(node.place, "`environments`: expected a mapping from name to what differs there"))
        return ()
    for key, _ in node.entries:
        if not isinstance(key.value, str):
            findings.add(Misfit(key.place, "`environments`: expected a name in text", "write it in quotes"))
    return tuple(key.text for key, _ in node.entries)


def _default(sheet: MappingNode, names: tuple[str, ...], findings: Findings) -> str | None:
    node = sheet.get("default_environment")
    if node is None or is_null(node):
        return None
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        findings.add(Misfit(node.place, "`default_environment`: expected the name of an environment"))
        return None
    if node.value not in names:
        findings.add(_unknown(node.place, node.value, "`default_environment`", names))
        return None
    return node.value


def _unknown(place: Place, name: str, told_by: str, names: tuple[str, ...]) -> Misfit:
    known = f"this sheet has {one_of(names)}" if names else "this sheet has no `environments`"
    hint = did_you_mean(name, names) or ("choose one of them" if names else "add them, or remove this")
    return Misfit(place, f"unknown environment `{name[:60]}` (from {told_by}); {known}", hint)


def overlay_of(sheet: MappingNode, name: str) -> Node:
    """The node of an environment's overlay, whose keys change the sheet."""
    environments = sheet.get("environments")
    assert isinstance(environments, MappingNode)
    return next(value for key, value in environments.entries if key.text == name)


def check_overlay(sheet: MappingNode, name: str, findings: Findings) -> None:
    """Note unknown keys in an overlay, chosen or not, so that a mistake shows before its environment is deployed."""
    overlay = overlay_of(sheet, name)
    if is_null(overlay):
        return
    if not isinstance(overlay, MappingNode):
        findings.add(misfit(overlay, Spot(f"environment `{name}`"), "a mapping of the sheet's own shape, or {}"))
        return
    _check_names(sheet, overlay, Spot(f"environment `{name}`"), findings)
    overlaid(sheet, overlay, findings)
    _check_settings(overlay.get("defaults"), DEFAULTS_KEYS, "settings", Spot("`defaults`"), findings)
    for service, node in entries(overlay.get("services")):
        keys = (*SERVICE_KEYS, OPERATIONS)
        _check_settings(node, keys, "settings", Spot(f"service `{service.text}`"), findings)
        for operation, inner in entries(node.get("operations") if isinstance(node, MappingNode) else None):
            spot = Spot(f"operation `{service.text}.{operation.text}`")
            _check_settings(inner, OPERATION_KEYS, "operation", spot, findings)


def _check_names(sheet: MappingNode, overlay: MappingNode, spot: Spot, findings: Findings) -> None:
    """Note unknown keys at the top of an overlay; a service's name there belongs one level lower, under `services`."""
    known = {key.name for key in OVERLAY_KEYS}
    services = {key.value for key, _ in entries(sheet.get("services"))} - known
    for key, value in overlay.entries:
        if key.value in services:
            hide(value)
            hint = f"did you mean `services: {{{shown_key(key)}: ...}}`?"
            findings.add(Misfit(key.place, f"unknown key `{shown_key(key)}` {spot.inside}", hint))
    check_keys(overlay.without(*map(str, services)), OVERLAY_KEYS, "top", spot, findings)


def _check_settings(node: Node | None, keys: tuple[Key, ...], topic: str, spot: Spot, findings: Findings) -> None:
    if isinstance(node, MappingNode):
        check_keys(node, keys, topic, spot, findings)
