"""One declared endpoint, as frozen data: nothing here has been imported or compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from callsheet.values.typeref import Returns, TypeRef

Location = Literal["path", "query", "header", "form", "multipart"]
MISSING: Any = object()
"""Stands where nothing was written, so that None can be."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One named value of a request: outside its body, or a field of a form or multipart body.

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

    `path` is the template as written (`/users/{id}`). At most one of the bodies is declared: `json` by its type; `form`
    by its fields, or by a type that has them; `multipart` by its fields and files; `content`, whatever it is, by its media
    type. `returns` is the result's type, or a mapping from status (`200`, `"2xx"`, `"default"`) to type or None. With
    `stream`, a call gives the answer to be read as it comes.
    """

    name: str
    method: str
    path: str
    parameters: tuple[Parameter, ...] = ()
    json: TypeRef | None = None
    form: tuple[Parameter, ...] | TypeRef | None = None
    multipart: tuple[Parameter, ...] | None = None
    content: str | None = None
    returns: Returns = None
    stream: bool = False
    summary: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    deprecated: bool = False
    examples: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""

    @property
    def fields(self) -> tuple[Parameter, ...]:
        """The declared fields of its form or multipart body."""
        form = self.form if isinstance(self.form, tuple) else ()
        return form or self.multipart or ()

    @property
    def has_body(self) -> bool:
        """Whether its requests carry a body."""
        return any(body is not None for body in (self.json, self.form, self.multipart, self.content))
