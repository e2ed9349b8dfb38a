"""The reason that a service gives for a failure, found in the shapes that error bodies usually have.

Problem details (RFC 9457), `{"detail": [{"loc", "msg"}]}`, `{"error": {"message"}}`, `{"error", "error_description"}`
(RFC 6749 5.2), `{"message"}`, `{"errors"}` as a list or by field, the title of an HTML page, short plain text. The body is
another's: it may be huge, deeply nested, cut off, or no text at all. So little of it is looked at, and nothing here raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import unescape
from itertools import chain, islice
from typing import Any

from pydantic_core import from_json

LOOKED_AT = 64 * 1024
"""Bytes of a body in which a reason is looked for: more than the quoted characters can take up with secrets to be masked."""
LONGEST_PLAIN = 2000
"""Characters of plain text that is a reason; what is longer is a report, a dump or a listing."""
MOST, DEEPEST = 8, 4
"""Texts that are taken of one list, and levels that are gone down to them."""
NAMES = ("faultstring", "detail", "errordescription", "message", "msg", "errormessage", "error", "fault", "details")
TEXTS = ("description", "title", "reason", "summary", "code", "errorcode")
"""Members that hold the reason, the most telling first, spelt in any way; those of TEXTS only if they are texts."""
LISTS = ("errors", "invalidparams", "violations", "issues")
PLACES = ("loc", "field", "param", "property", "pointer", "parameter", "path", "name")
PLACELESS = frozenset({"non_field_errors", "__all__", "base", ""})
TITLE = re.compile(r"<(?:title|message|faultstring)\b[^<>]{0,200}>([^<>]{1,1000})</", re.IGNORECASE)

Shown = Callable[[str], str]


def reason_in(text: str, kind: str, shown: Shown, *, is_cut: bool) -> str:
    """The reason in the text of a body, "" if it has none.

    `kind` is the media type, "" if there is none. `shown` masks what must not be shown, "" for what is no news.
    """
    start = text.lstrip("\ufeff \t\r\n")
    if "\0" in start:
        return ""
    if start.startswith(("{", "[", '"')):
        try:
            found = _texts(from_json(start, allow_partial="trailing-strings" if is_cut else False), shown, 0)
        except (ValueError, RecursionError):
            found = None
        if found is not None:
            return "; ".join(dict.fromkeys(islice(found, MOST)))
    if start.startswith("<"):
        title = TITLE.search(start)
        return shown(unescape(title[1]).strip()) if title else ""
    is_text = kind.startswith("text/") and not kind.startswith("text/html")
    if is_cut or len(start) > LONGEST_PLAIN or not (is_text or (not kind and "\ufffd" not in start)):
        return ""
    return shown(start.strip())


def _texts(value: Any, shown: Shown, depth: int) -> Iterator[str]:
    """What a value tells; nothing if it has none of the known shapes."""
    if isinstance(value, str):
        yield from filter(None, [shown(value.strip())])
    elif isinstance(value, list) and depth < DEEPEST:
        yield from chain.from_iterable(_texts(each, shown, depth + 1) for each in value[:MOST])
    elif isinstance(value, dict) and depth < DEEPEST:
        members = {re.sub(r"[-_]", "", name).lower(): member for name, member in value.items()}
        place = _place(members, shown) if depth else ""
        told = [*_main(members, shown, depth), *_listed(members, shown, depth)]
        yield from _placed(place, told or _by_field(value, shown, depth))


def _main(members: Mapping[str, Any], shown: Shown, depth: int) -> list[str]:
    """The text of the most telling member, after the `error` that it describes."""
    values = chain((members.get(name) for name in NAMES), (_text(members.get(name)) for name in TEXTS))
    told = next(filter(None, (list(islice(_texts(value, shown, depth + 1), MOST)) for value in values)), [])
    error = _text(members.get("error"))
    head = shown(error) if error else ""
    return [f"{head}: {told[0]}", *told[1:]] if told and head and told[0] != head else told


def _listed(members: Mapping[str, Any], shown: Shown, depth: int) -> Iterator[str]:
    for value in (members[name] for name in LISTS if name in members):
        is_by_field = isinstance(value, dict) and all(isinstance(each, list) for each in value.values())
        yield from _by_field(value, shown, depth + 1) if is_by_field else _texts(value, shown, depth + 1)


def _by_field(members: Mapping[str, Any], shown: Shown, depth: int) -> Iterator[str]:
    """What is wrong with each field, `{"email": ["is missing"]}`; a text beside a name only where it is surely about errors."""
    for name, value in islice(members.items(), MOST):
        texts = value[:MOST] if isinstance(value, list) else [value] if depth else []
        place = "" if name in PLACELESS else shown(name)
        yield from _placed(place, filter(None, (shown(text) for text in texts if isinstance(text, str))))


def _place(members: Mapping[str, Any], shown: Shown) -> str:
    """Where the fault is, such as `body.email`; "" if that is not said."""
    source = members.get("source")
    for inside in (members, source if isinstance(source, dict) else {}):
        for name in PLACES:
            value = inside.get(name)
            if isinstance(value, list) and value:
                return shown(".".join(str(each) for each in value[:MOST] if isinstance(each, str | int)))
            if isinstance(value, str) and value and name != "path":  # that of a request may name a person
                return shown(value.lstrip("#/").replace("/", "."))
    return ""


def _placed(place: str, texts: Iterable[str]) -> Iterator[str]:
    return (f"{place}: {text}" if place else text for text in texts)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
