"""Types written as JSON Schema on the sheet (draft 2020-12), checked by jsonschema-rs (extra `schema`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callsheet.errors import SheetError
from callsheet.http.json import dumps, loads, with_numbers
from callsheet.values.mismatch import Mismatch
from callsheet.values.typeref import TypeRef

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class SchemaCodec:
    """The codec of a JSON Schema, whose values are plain Python data."""

    def __init__(self, ref: TypeRef) -> None:
        self._validator = _validator(ref)
        self.fields = _closed_fields(ref.value)

    def encode(self, value: Any) -> bytes:
        """The value as JSON, after a check; a Decimal is a text unless the schema wants a number. Raises Mismatch."""
        try:
            content = dumps(value)
            errors = self._errors(loads(content))
            wrong = {error["loc"] for error in errors}
            for is_number in (wrong.__contains__, lambda _: True) if errors else ():
                numbers = with_numbers(value, is_number)
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
    schema = {"$schema": DIALECT, **ref.value}
    if ref.definitions:
        schema["schemas"] = dict(ref.definitions)
    try:
        return jsonschema_rs.validator_for(schema, mask="a value")
    except (jsonschema_rs.ValidationError, ValueError) as error:
        raise SheetError(f"{ref.where}: not a JSON Schema: {str(error).splitlines()[0]}") from None


def _closed_fields(schema: Any) -> frozenset[str] | None:
    if isinstance(schema, Mapping) and schema.get("additionalProperties") is False:
        return frozenset(schema.get("properties", {}))
    return None
