"""A type as it is named on the sheet or in code; nothing has been imported yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

PARAMETER_TYPES = ("string", "integer", "number", "boolean", "date", "datetime", "uuid", "array", "object")
FILE = "file"
"""The type of a part of a multipart body that is a file."""


@dataclass(frozen=True, slots=True)
class TypeRef:
    """How a type was named, and where.

    `kind` says what `value` is: `import` = "module:Name" or "list[module:Name]"; `name` = one of PARAMETER_TYPES, or FILE; `json_schema` = a mapping in
    JSON Schema terms, `definitions` = the sheet's `schemas`, for its `$ref`s (`#/schemas/Name`); `python` = a type or
    anything else Pydantic validates against.
    """

    kind: Literal["import", "name", "json_schema", "python"]
    value: Any
    where: str = ""
    definitions: Any = None

    def __str__(self) -> str:
        return self.value if isinstance(self.value, str) else getattr(self.value, "__name__", self.kind)


Returns = TypeRef | Mapping[int | str, TypeRef | None] | None
"""The declared result of an operation: a type, or a type per status (`200`, `"2xx"`, `"default"`); None if none is declared."""
