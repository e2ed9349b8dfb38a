"""Paths to a value in a JSON document: `error.code`, `items.0.code`."""

from __future__ import annotations

from typing import Any

MISSING: Any = object()
"""The result of a path that leads to no value. A JSON null is a value: None."""


class JSONPath:
    """A dotted path of member names, and of positions in arrays counted from 0.

    Raises ValueError for a text that is no such path; the message tells what to write.
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
        """The member names and positions of the path, in order."""
        return tuple(name if position is None else position for name, position in self._steps)

    def find(self, document: Any) -> Any:
        """The value at this path of a parsed document, MISSING if there is none."""
        for name, position in self._steps:
            if isinstance(document, dict):
                document = document.get(name, MISSING)
            elif position is not None and isinstance(document, list) and position < len(document):
                document = document[position]
            else:
                return MISSING
        return document


def _respelt(text: str) -> str:
    """The hint for a path that was written in the syntax of JSONPath or JSON Pointer."""
    plain = text.lstrip("$").replace("[", ".").replace("]", "").replace("'", "").replace('"', "").replace("/", ".")
    names = [name for name in plain.split(".") if name]
    return f"did you mean `{'.'.join(names)[:60]}`?" if names else "write the name of a member: `error.code`"
