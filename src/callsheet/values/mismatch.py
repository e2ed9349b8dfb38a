"""That a value is not of its declared type, whichever codec found it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Mismatch(ValueError):
    """A value is not of the declared type: `errors` has place (`loc`) and message (`msg`) of each.

    `is_not_json`: the bytes are no JSON document at all.
    """

    def __init__(self, errors: list[dict[str, Any]], *, is_not_json: bool = False) -> None:
        self.errors = tuple(errors)
        self.is_not_json = is_not_json
        super().__init__("; ".join(f"{place(error)}{error['msg']}" for error in errors[:5]))

    def under(self, steps: tuple[str | int, ...]) -> Mismatch:
        """The same, for a value that stands deeper in a document: `steps` lead to it from the root."""
        return Mismatch([{**error, "loc": (*steps, *error["loc"])} for error in self.errors])


def place(error: Mapping[str, Any]) -> str:
    """Where in the document, as `address.city: `; empty for its root."""
    loc = ".".join(str(step) for step in error["loc"])
    return f"{loc}: " if loc else ""
