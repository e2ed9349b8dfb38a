"""Why a default is what it is: written beside the default in its settings record, and shown by `explain`."""

from __future__ import annotations

from dataclasses import field, fields
from typing import TypeVar

T = TypeVar("T")
WHY = "why"
"""The key under which a field's metadata holds its reason."""


def chosen(default: T, why: str) -> T:
    """A field of a settings record with its default; `why` says what the field is for, and why that default.

    It is typed as the default is, like `dataclasses.field`, so that a type checker compares the default with the field.
    """
    return field(default=default, metadata={WHY: why})


def reason(record: type, name: str) -> str:
    """What a field of a settings record is for, and why its default is what it is. Empty if the record does not say."""
    return next((each.metadata.get(WHY, "") for each in fields(record) if each.name == name), "")
