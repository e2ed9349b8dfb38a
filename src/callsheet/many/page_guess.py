"""What kind of pages an answer looks like, for an operation that declares none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from callsheet.http.json_path import MISSING
from callsheet.http.response import Response
from callsheet.sheet.tree.flow import flow

PLAIN = "{page: page, items: results}"
NEXT = re.compile(r"next(_?(link|url|uri|href|page_?url))?|@odata\.nextlink", re.IGNORECASE)
TOKEN = re.compile(
    r"(next_?)?(page_?)?(cursor|token)|(continuation|scroll)(_?(token|id))?|(end|start)_?cursor|after", re.IGNORECASE
)
TOTAL = re.compile(r"(total|count)(_?(count|items|results|size|records))?|@odata\.count", re.IGNORECASE)
MORE = re.compile(r"has_?(more|next(_?page)?)", re.IGNORECASE)
OFFSET = re.compile(r"offset|skip|start(_?(at|index))?", re.IGNORECASE)
DEEPEST = 3


def guessed(response: Response | None) -> str:
    """The `paginate` that fits an answer, as it would be written; a first sketch where nothing is known."""
    document = MISSING if response is None else response.document()
    if response is None or document is MISSING:
        return PLAIN
    found = dict(_leaves(document))
    lists = [path for path, value in found.items() if isinstance(value, list)]
    items = {"items": max(lists, key=lambda path: len(found[path]))} if lists and isinstance(document, dict) else {}
    return flow({**_kind(found, response), **items, **_ends(found)})


def _kind(found: dict[str, Any], response: Response) -> dict[str, Any]:
    if "next" in response.links:
        return {"link": "next"}
    if url := _named(NEXT, found, lambda value: isinstance(value, str) and value.startswith(("/", "?", "http"))):
        return {"next": url}
    if token := _named(TOKEN, found, lambda value: isinstance(value, str | int)):
        name = re.sub(r"(?i)^(next|end)_?", "", _last(token))
        return {"cursor": name[:1].lower() + name[1:], "from": token}
    offset = _named(OFFSET, found, _is_number)
    return {"offset": _last(offset)} if offset else {"page": "page"}


def _ends(found: dict[str, Any]) -> dict[str, str]:
    total = _named(TOTAL, found, _is_number)
    more = _named(MORE, found, lambda value: isinstance(value, bool))
    return ({"total": total} if total else {}) | ({"has_more": more} if more else {})


def _is_number(value: Any) -> bool:
    return type(value) is int


def _named(pattern: re.Pattern[str], found: dict[str, Any], is_one: Callable[[Any], bool]) -> str:
    """The path of the first such value whose name fits; empty if there is none."""
    return next((path for path, value in found.items() if pattern.fullmatch(_last(path)) and is_one(value)), "")


def _last(path: str) -> str:
    return path if path.startswith("@") else path.rpartition(".")[2]


def _leaves(document: Any, above: str = "", depth: int = 1) -> Iterator[tuple[str, Any]]:
    for name, value in document.items() if isinstance(document, dict) else ():
        if isinstance(value, dict) and depth < DEEPEST:
            yield from _leaves(value, f"{above}{name}.", depth + 1)
        else:
            yield f"{above}{name}", value
