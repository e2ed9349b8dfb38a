"""Mismatch, which every codec raises for a value that is not of its declared type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Mismatch(ValueError):
    """A value is not of the declared type. `errors` has the place (`loc`) and message (`msg`) of each mistake.

    `is_not_json` says that the bytes are no JSON document at all.
    """

    def __init__(self, errors: list[dict[str, Any]], *, is_not_json: bool = False) -> None:
        self.errors = tuple(errors)
        self.is_not_json = is_not_json
        super().__init__("; ".join(f"{place(error)}{error['msg']}" for error in errors[:5]))

    def under(self, steps: tuple[str | int, ...]) -> Mismatch:
        """The same mistakes in a value inside a larger document, in which `steps` lead from the root to the value."""
        return Mismatch([{**error, "loc": (*steps, *error["loc"])} for error in self.errors])


def place(error: Mapping[str, Any]) -> str:
    """The place of a mistake in the document, such as `address.city: `; empty for the root."""
    loc = ".".join(str(step) for step in error["loc"])
    return f"{loc}: " if loc else ""
