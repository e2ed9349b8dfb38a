"""UNSET, which stands for a value that is left out: None is a value that can be sent."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, Literal


class Unset(Enum):
    """The type of UNSET, to annotate with: `note: str | None | Unset = UNSET`.

    As a member of an Enum, UNSET is the same object after it was copied or pickled, and type checkers follow `is UNSET`.
    """

    UNSET = object()  # has no JSON form, so that no serializer takes it for a value

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"

    def __reduce_ex__(self, _protocol: object) -> Any:
        return "UNSET"


UNSET: Final = Unset.UNSET
"""Given in place of a value, it means "left out": as if the argument, field, parameter or header had not been written."""


def unset_parts(value: Any) -> dict[Any, Any]:
    """Where UNSET is in data, models and dataclasses, in the form of Pydantic's `exclude`; nothing for what holds itself."""
    try:
        return _unset_parts(value)
    except RecursionError:
        return {}


def _unset_parts(value: Any) -> dict[Any, Any]:
    if getattr(type(value), "__pydantic_root_model__", False):
        return _unset_parts(value.root)
    parts: Any = ()
    if isinstance(value, Mapping):
        parts = value.items()
    elif isinstance(value, list | tuple):
        parts = enumerate(value)
    elif hasattr(type(value), "__dataclass_fields__"):
        parts = ((name, getattr(value, name, None)) for name in type(value).__dataclass_fields__)
    elif hasattr(value, "__pydantic_extra__"):
        parts = (vars(value) | (value.__pydantic_extra__ or {})).items()
    inner = {key: True if part is UNSET else _unset_parts(part) for key, part in parts}
    return {key: found for key, found in inner.items() if found}


def without_unset(value: Any) -> Any:
    """Plain data without the members and items that are UNSET."""
    if isinstance(value, Mapping):
        return {name: without_unset(part) for name, part in value.items() if part is not UNSET}
    return [without_unset(part) for part in value if part is not UNSET] if isinstance(value, list | tuple) else value
