"""Where a value stands in a JSON document: `error.code`, `items.0.code`."""

from __future__ import annotations

from typing import Any

MISSING: Any = object()
"""Stands where there is no value; a JSON null is one, None."""


class JSONPath:
    """A dotted path: names of members, and positions in arrays counted from 0.

    Raises ValueError for a text that is none, saying what to write.
    """

    __slots__ = ("_steps", "text")

    def __init__(self, text: str) -> None:
        if text.startswith(("$", "/")) or "[" in text:
            raise ValueError(_respelt(text))
        names = text.split(".")
        if not all(names) or any(name != name.strip() for name in names):
            raise ValueError("names are joined by single dots: `error.code`, `items.0.code`")
        self.text = text
        self._steps = [(name, int(name) if name.isascii() and name.isdigit() else None) for name in names]

    @property
    def names(self) -> tuple[str | int, ...]:
        """The steps one by one."""
        return tuple(name if position is None else position for name, position in self._steps)

    def find(self, document: Any) -> Any:
        """The value that stands there in a parsed document, MISSING if there is none."""
        for name, position in self._steps:
            if isinstance(document, dict):
                document = document.get(name, MISSING)
            elif position is not None and isinstance(document, list) and position < len(document):
                document = document[position]
            else:
                return MISSING
        return document


def _respelt(text: str) -> str:
    """The hint for a path in the syntax of JSONPath or JSON Pointer."""
    plain = text.lstrip("$").replace("[", ".").replace("]", "").replace("'", "").replace('"', "").replace("/", ".")
    names = [name for name in plain.split(".") if name]
    return f"did you mean `{'.'.join(names)[:60]}`?" if names else "write the name of a member: `error.code`"
