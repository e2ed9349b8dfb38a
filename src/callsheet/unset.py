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


def holds_unset(value: Any) -> bool:
    """Whether UNSET is anywhere in plain data."""
    if isinstance(value, Mapping):
        return any(map(holds_unset, value.values()))
    return value is UNSET or (isinstance(value, list | tuple) and any(map(holds_unset, value)))


def without_unset(value: Any) -> Any:
    """Plain data without the members and items that are UNSET."""
    if isinstance(value, Mapping):
        return {name: without_unset(part) for name, part in value.items() if part is not UNSET}
    return [without_unset(part) for part in value if part is not UNSET] if isinstance(value, list | tuple) else value
