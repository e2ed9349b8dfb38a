"""The records of an operation and its parameters, as the sheet declares them; no type has been imported yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, get_args

from callsheet.sheet.forms.record import Layer
from callsheet.values.typeref import Returns, TypeRef

Location = Literal["path", "query", "header", "form", "multipart"]
LOCATIONS: tuple[Location, ...] = get_args(Location)
Stream = Literal["lines", "json_lines", "events"]
STREAMS: tuple[Stream, ...] = get_args(Stream)
BODIES = ("json", "form", "multipart", "content")
"""The fields of an Operation that declare a body."""


class Missing(Enum):
    """The type of MISSING; as a member of an Enum, MISSING stays the same object when it is copied or pickled."""

    MISSING = "MISSING"


MISSING: Any = Missing.MISSING
"""Stands for a value that was not written, because None is a value that can be."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One named value of a request: outside its body, or a field of a form or multipart body.

    `value` is always sent, and a call cannot give another; `default` only documents what the service assumes. `where` is
    the place on the sheet.
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
        """The name under which a call in Python gives it: `X-Request-Id` as `x_request_id`."""
        if self.name.isidentifier() and self.location != "header":
            return self.name
        return "".join(c if c.isalnum() else "_" for c in self.name.lower())


@dataclass(frozen=True, slots=True)
class Operation:
    """One declared operation: its request, its result, and the settings written at it.

    `path` is the template as written (`/users/{id}`). At most one body is declared: `json` by its type; `form` by its
    fields, or by a type that has them; `multipart` by its fields and files; `content` by its media type, for a body that
    is sent as it is. `returns` is the result's type, or a mapping from status (`200`, `"2xx"`, `"default"`) to type or
    None. With `stream`, a call gives the answer to be read as it comes: what it is made of is said by `lines`, `json_lines` and
    `events`. `safe`: whether a call only reads; None: as its method says (RFC 9110 9.2.1). `where` is the place on the sheet. `layer` holds
    the operation's own settings only, each with its place; `ServiceSheet.settings(name)` merges them with the others.
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
    stream: bool | Stream = False
    safe: bool | None = None
    summary: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    deprecated: bool = False
    examples: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""
    layer: Layer = field(default_factory=dict, repr=False)

    @property
    def fields(self) -> tuple[Parameter, ...]:
        """The declared fields of its form or multipart body."""
        return (*(self.form if isinstance(self.form, tuple) else ()), *(self.multipart or ()))

    @property
    def arguments(self) -> frozenset[str]:
        """The names of its parameters and fields in a call, those with a fixed value included."""
        return frozenset(parameter.argument for parameter in (*self.parameters, *self.fields))

    @property
    def body_kind(self) -> str | None:
        """Which of BODIES is declared; None for an operation whose requests carry no body."""
        return next((kind for kind in BODIES if getattr(self, kind) is not None), None)

    @property
    def has_body(self) -> bool:
        """Whether its requests carry a body."""
        return self.body_kind is not None
