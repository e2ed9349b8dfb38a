"""Paths to a value in a JSON document: `error.code`, `items.0.code`."""

from __future__ import annotations

import re
from typing import Any

MISSING: Any = object()
"""The result of a path that leads to no value. A JSON null is a value: None."""
POSITION = re.compile(r"-?[0-9]{1,9}")


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
            elif position is not None and isinstance(document, list) and -len(document) <= position < len(document):
                document = document[position]
            else:
                return MISSING
        return document


class PagePath(JSONPath):
    """A path into a page: `-1` is the last element of an array, and `@odata.nextLink` finds the member of that name, too."""

    __slots__ = ()

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._steps = [(name, int(name) if POSITION.fullmatch(name) else None) for name, _ in self._steps]

    def find(self, document: Any) -> Any:
        """The value at this path of a parsed document, MISSING if there is none."""
        found = super().find(document)
        return document.get(self.text, MISSING) if found is MISSING and isinstance(document, dict) else found


class Misplaced(ValueError):
    """There is no list where one was expected: at `path` in the value `parent` stands `found`, MISSING if nothing does."""

    def __init__(self, path: str, parent: Any, found: Any) -> None:
        super().__init__(path)
        self.path = path
        self.parent = parent
        self.found = found


class ItemsPath:
    """The path of a list: `results`, or with `[]` for every element: `edges[].node`, `groups[].users`.

    Lists that stand behind a `[]` are taken apart, so the last one gives every user of every group; one that ends in `[]`
    gives its elements as they are. A `?` at the end says that a list may be left out where it is empty.

    Raises ValueError for a text that is no such path; the message tells what to write.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.is_optional = text.endswith("?")
        *opened, last = text.removesuffix("?").split("[]")
        if any(not part for part in opened[1:]) or any(part[:1] not in ("", ".") for part in [*opened, last][1:]):
            raise ValueError("`[]` stands behind the name of a list, and a dot behind it: `edges[].node`")
        self._opened = [JSONPath(part.removeprefix(".")) if part else None for part in opened]
        self._last = PagePath(last.removeprefix(".")) if last or not opened else None

    def find(self, document: Any) -> list[Any]:
        """The items; null counts as an empty list. Raises Misplaced."""
        values = [document]
        for path in self._opened:
            values = [item for value in values for item in self._list(path, value)]
        if self._last is None:
            return values
        if not self._opened:
            return self._list(self._last, document)
        found: list[Any] = []
        for value in values:
            inner = self._last.find(value)
            if inner is MISSING and not self.is_optional:
                raise Misplaced(self._last.text, value, inner)
            found += inner if isinstance(inner, list) else [] if inner is MISSING else [inner]
        return found

    def _list(self, path: JSONPath | None, value: Any) -> list[Any]:
        found = value if path is None else path.find(value)
        if isinstance(found, list):
            return found
        if found is None or (found is MISSING and self.is_optional):
            return []
        raise Misplaced("" if path is None else path.text, value, found)


def _respelt(text: str) -> str:
    """The hint for a path that was written in the syntax of JSONPath or JSON Pointer."""
    plain = text.lstrip("$").replace("[", ".").replace("]", "").replace("'", "").replace('"', "").replace("/", ".")
    names = [name for name in plain.split(".") if name]
    return f"did you mean `{'.'.join(names)[:60]}`?" if names else "write the name of a member: `error.code`"
