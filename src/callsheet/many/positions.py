"""Where a walk over pages stands, as a text that survives a restart.

It is JSON in base64url: a version, the operation, the kind, the position itself, and what was counted until there. It is not
signed: whoever changes it can only ask for another page of the same operation, under the same checks.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, NamedTuple

from callsheet.errors import ArgumentError
from callsheet.settings.pages import Paginate

VERSION = 1


class Position(NamedTuple):
    """Where a page stands: a number, cursor or absolute URL `at` (None: at the beginning).

    It is page `number` of its walk, counted from 1, and `seen` items came before.
    """

    at: Any
    number: int = 1
    seen: int = 0


def written(position: Position, name: str, kind: str) -> str:
    """The position as a text. `name` is `service.operation`."""
    data = {"v": VERSION, "of": name, "kind": kind, **position._asdict()}
    return urlsafe_b64encode(json.dumps(data, separators=(",", ":")).encode()).decode().rstrip("=")


def read(text: Any, name: str, settings: Paginate) -> Position:
    """The position in a text. Raises ArgumentError for one of another operation or kind, and for what is no position."""
    data = _data(text)
    if data.get("of") != name:
        raise ArgumentError(f"from_position: it is a position of `{data.get('of')}`, not of `{name}`")
    if data.get("kind") != settings.kind:
        was = f"it is of pages by `{data.get('kind')}`, and the sheet says `{settings.kind}` now"
        raise ArgumentError(f"from_position: {was}; begin anew")
    found = Position(data.get("at"), data.get("number", 0), data.get("seen", 0))
    if not (_is_count(found.number, 1) and _is_count(found.seen, 0) and _is_at(found.at, settings)):
        raise ArgumentError("from_position: it was changed since Callsheet wrote it")
    return found


def _data(text: Any) -> dict[str, Any]:
    problem = "from_position: expected a text that `on_page`, a page or an error gave"
    if not isinstance(text, str):
        raise ArgumentError(f"{problem}, found {type(text).__name__}")
    try:
        data = json.loads(urlsafe_b64decode(text.strip().encode("ascii") + b"=" * (-len(text.strip()) % 4)))
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict) or not isinstance(data.get("of"), str):
        raise ArgumentError(f"{problem}, found another text")
    if data.get("v") != VERSION:
        raise ArgumentError(f"from_position: version {str(data.get('v'))[:20]!r} is not known here; begin anew")
    return data


def _is_count(value: Any, least: int) -> bool:
    return type(value) is int and value >= least


def _is_at(at: Any, settings: Paginate) -> bool:
    if settings.is_number:
        return _is_count(at, 0)
    return at is None or isinstance(at, str) or (settings.kind == "cursor" and type(at) in (int, float))
