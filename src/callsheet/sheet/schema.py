"""The JSON Schema of a sheet, for editors, made from the table of keys by which sheets are read."""

from __future__ import annotations

from typing import Any

from callsheet.sheet.forms.reading import JsonSchema
from callsheet.sheet.forms.record import Key, mapping_schema
from callsheet.sheet.words.key_table import DEFAULTS_KEYS, OPERATION_KEYS, OVERLAY_KEYS, SERVICE_KEYS, TOP_KEYS
from callsheet.sheet.words.operations import METHODS
from callsheet.sheet.words.stores import STORES
from callsheet.values.json_schema import DIALECT

NAME = r"^[A-Za-z_][A-Za-z0-9_-]*$"
ONE_METHOD: JsonSchema = {"oneOf": [{"required": [method]} for method in METHODS]}


def json_schema() -> dict[str, Any]:
    """The supported keys and their values, in JSON Schema 2020-12. Names and references are checked by loading only."""
    return {
        "$schema": DIALECT,
        "title": "callsheet.yaml",
        **_mapping(TOP_KEYS, _top()),
        "anyOf": [{"required": ["callsheet", "services"]}, {"required": ["api_config"]}],
        "$defs": {
            "defaults": mapping_schema(DEFAULTS_KEYS),
            "service": {**_service("operation"), "required": ["base_url"]},
            "operation": {**mapping_schema(OPERATION_KEYS), **ONE_METHOD},
            "schemas": {"type": "object", "additionalProperties": {"type": "object"}},
            "overlay": _overlay(),
            "service_overlay": _service("operation_overlay"),
            "operation_overlay": mapping_schema(OPERATION_KEYS),
        },
    }


def _ref(name: str) -> JsonSchema:
    return {"$ref": f"#/$defs/{name}"}


def _top() -> dict[str, JsonSchema]:
    return {
        "callsheet": {"const": 1},
        "default_environment": {"type": "string"},
        "defaults": _ref("defaults"),
        "services": {**_by_name("service"), "minProperties": 1},
        "environments": {"type": "object", "additionalProperties": {"anyOf": [_ref("overlay"), {"type": "null"}]}},
        "schemas": _ref("schemas"),
        "stores": STORES.schema(),
        "api_config": _ref("service"),
    }


def _mapping(keys: tuple[Key, ...], schemas: dict[str, JsonSchema]) -> JsonSchema:
    abouts = {key.name: key.about for key in keys}
    nullable = {
        name: {"description": abouts[name], "anyOf": [schema, {"type": "null"}]} for name, schema in schemas.items()
    }
    return {"type": "object", "properties": nullable, "additionalProperties": False}


def _by_name(kind: str) -> JsonSchema:
    values = {"anyOf": [_ref(kind), {"type": "null"}]} if kind.endswith("overlay") else _ref(kind)
    return {"type": "object", "propertyNames": {"pattern": NAME}, "additionalProperties": values}


def _service(operation: str) -> JsonSchema:
    service = mapping_schema(SERVICE_KEYS)
    operations = {"description": "what can be called, by name", "anyOf": [_by_name(operation), {"type": "null"}]}
    return {**service, "properties": {**service["properties"], "operations": operations}}


def _overlay() -> JsonSchema:
    """An overlay has the shape of the sheet itself; in a flat sheet, the shape of a service."""
    parts = {"defaults": _ref("defaults"), "services": _by_name("service_overlay"), "schemas": _ref("schemas")}
    parts["stores"] = STORES.schema()
    own = _mapping(OVERLAY_KEYS, parts)
    flat = {"type": "object", "properties": {"api_config": _ref("service_overlay")}, "additionalProperties": False}
    return {"anyOf": [own, flat, _ref("service_overlay")]}
