"""One declared endpoint, as frozen data: nothing here has been imported or compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from callsheet.values.typeref import TypeRef

Location = Literal["path", "query", "header"]
MISSING: Any = object()
"""Stands where nothing was written, so that None can be."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One named value of a request outside its body.

    `value` is always sent and cannot be given; `default` only documents what the service assumes. `where` is the place
    on the sheet.
    """

    name: str
    location: Location
    type: TypeRef
    required: bool = False
    value: Any = MISSING
    default: Any = MISSING
    secret: bool = False
    description: str = ""
    where: str = ""

    @property
    def argument(self) -> str:
        """The name it is given under in Python: `X-Request-Id` as `x_request_id`."""
        if self.name.isidentifier() and self.location != "header":
            return self.name
        return "".join(c if c.isalnum() else "_" for c in self.name.lower())


@dataclass(frozen=True, slots=True)
class Operation:
    """One declared endpoint: what it is called, what it takes, what it gives.

    `path` is the template as written (`/users/{id}`). `json` is the body's type. `returns` is the result's type, or a
    mapping from status (`200`, `"2xx"`, `"default"`) to type or None.
    """

    name: str
    method: str
    path: str
    parameters: tuple[Parameter, ...] = ()
    json: TypeRef | None = None
    returns: TypeRef | Mapping[int | str, TypeRef | None] | None = None
    summary: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    deprecated: bool = False
    examples: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""
