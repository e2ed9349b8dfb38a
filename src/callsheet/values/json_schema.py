"""Types written as JSON Schema on the sheet (draft 2020-12), checked by jsonschema-rs (extra `schema`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callsheet.errors import SheetError
from callsheet.http.json import dumps, loads, with_numbers
from callsheet.values.mismatch import Mismatch
from callsheet.values.typeref import TypeRef

DATA = frozenset({"const", "enum", "default", "examples"})
"""Keywords whose values are data, not schemas."""
DIALECT = "https://json-schema.org/draft/2020-12/schema"
NO_PATTERN = 'a value is not a "regex"'
OUR_PATTERNS = "a `pattern` cannot be read; patterns are read by Rust's regex, which never looks around or back"


class SchemaCodec:
    """The codec of a JSON Schema, whose values are plain Python data."""

    def __init__(self, ref: TypeRef, *, exclude_unset: bool = False) -> None:
        self._validator = _validator(ref)
        self._exclude_unset = exclude_unset
        self.named = frozenset(ref.value.get("properties", ()))
        self.fields = self.named if ref.value.get("additionalProperties") is False else None

    def encode(self, value: Any) -> bytes:
        """The value as JSON, after a check; a Decimal is a text unless the schema wants a number. Raises Mismatch."""
        try:
            content = dumps(value, exclude_unset=self._exclude_unset)
            errors = self._errors(loads(content))
            wrong = {error["loc"] for error in errors}
            for is_number in (wrong.__contains__, lambda _: True) if errors else ():
                numbers = with_numbers(value, is_number, exclude_unset=self._exclude_unset)
                if numbers != content and not self._errors(loads(numbers)):
                    return numbers
        except ValueError as error:
            raise Mismatch([{"loc": (), "msg": str(error)}]) from None
        if errors:
            raise Mismatch(errors)
        return content

    def encode_fields(self, fields: dict[str, Any]) -> bytes:
        """An object given field by field, as JSON. Raises Mismatch."""
        return self.encode(fields)

    def decode(self, content: bytes) -> Any:
        """The value of a JSON document. Raises Mismatch."""
        try:
            value = loads(content)
        except ValueError as error:
            raise Mismatch([{"loc": (), "msg": str(error)}], is_not_json=True) from None
        if errors := self._errors(value):
            raise Mismatch(errors)
        return value

    def _errors(self, value: Any) -> list[dict[str, Any]]:
        found = self._validator.iter_errors(value)
        return [{"loc": tuple(error.instance_path), "msg": error.message} for error in found]


def _validator(ref: TypeRef) -> Any:
    try:
        import jsonschema_rs  # noqa: PLC0415 an extra that need not be installed
    except ImportError:
        raise SheetError(
            f'{ref.where}: a JSON Schema is checked by jsonschema-rs: pip install "callsheet[schema]"'
        ) from None
    schema = {"$schema": DIALECT, **with_null(ref.value)}
    if ref.definitions:
        schema["schemas"] = {name: with_null(each) for name, each in ref.definitions.items()}
    linear = (
        jsonschema_rs.RegexOptions()
    )  # the default engine looks around, and takes minutes for 200 kB from a service
    try:
        return jsonschema_rs.validator_for(schema, mask="a value", pattern_options=linear)
    except (jsonschema_rs.ValidationError, ValueError) as error:
        wrong = str(error).splitlines()[0].replace(NO_PATTERN, OUR_PATTERNS)
        raise SheetError(f"{ref.where}: not a JSON Schema: {wrong}") from None


def with_null(schema: Any) -> Any:
    """The schema with `nullable: true`, as OpenAPI 3.0 writes it, in the words of JSON Schema, which has no such keyword."""
    if isinstance(schema, list):
        return [with_null(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    found = {key: part if key in DATA else with_null(part) for key, part in schema.items()}
    if found.get("nullable") is not True:
        return found
    if not isinstance(found.get("type"), str) or "const" in found:
        return {"anyOf": [found, {"type": "null"}]}
    if isinstance(found.get("enum"), list):
        found["enum"] = [*found["enum"], None]
    return {**found, "type": [found["type"], "null"]}
