"""Header fields as a cache reads them: `Cache-Control` (RFC 9111 5.2), lists, and which fields are stored (3.1)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

Fields = Sequence[tuple[str, str]]
Directives = Mapping[str, str | None]
MOST_SECONDS = 2.0**31
"""A larger number of seconds is cut to this (RFC 9111 1.2.2)."""
NEVER_STORED = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authentication-info", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "set-cookie", "set-cookie2",
    }
)  # fmt: skip
"""Fields of one connection (RFC 9111 3.1), and cookies: they are credentials, and meant for once."""
KEPT_AT_304 = frozenset({"content-encoding", "content-length", "content-md5", "content-range", "etag"})
"""Fields that describe the stored body itself, so that a 304 does not replace them (RFC 9111 3.2)."""
_MEMBER = re.compile(r'((?:[^",]|"(?:[^"\\]|\\.)*"?)*)(?:,|\Z)')
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_ESCAPED = re.compile(r"\\(.)")


def values(fields: Fields, name: str) -> list[str]:
    """Every value of a field, by its name in lower case."""
    return [value for known, value in fields if known.lower() == name]


def first(fields: Fields, name: str) -> str | None:
    """The first value of a field; None if there is none."""
    return next((value for known, value in fields if known.lower() == name), None)


def members(texts: Iterable[str]) -> Iterator[str]:
    """The members of a list, over all lines of the field; a comma in quotes parts nothing."""
    for text in texts:
        yield from (member for match in _MEMBER.finditer(text) if (member := match[1].strip()))


def directives(texts: Iterable[str]) -> Directives:
    """The directives of a Cache-Control field by name in lower case, their values without quotes.

    Of one that is given twice the stricter holds; what has no name that can be one is left out.
    """
    found: dict[str, str | None] = {}
    for member in members(texts):
        name, equals, value = member.partition("=")
        name = name.lower()
        if not _TOKEN.fullmatch(name):
            continue
        plain = _unquoted(value) if equals else None
        if name not in found or _leeway(name, plain) < _leeway(name, found[name]):
            found[name] = plain
    return found


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        return _ESCAPED.sub(r"\1", value[1:-1])
    return value


def _leeway(name: str, value: str | None) -> float:
    """How much a directive allows: without a value `max-stale` allows all, and `no-cache` nothing."""
    if value is None:
        return math.inf if name == "max-stale" else -1.0
    return number(value) or 0.0


def number(text: str | None) -> float | None:
    """Digits as seconds (RFC 9111 1.2.2); None for anything else."""
    if text is None or not (text.isascii() and text.isdigit()):
        return None
    return min(float(text[:20]), MOST_SECONDS)


def seconds(found: Directives, name: str) -> float | None:
    """The seconds of a directive; None if it is not there, 0.0 if they are no number (RFC 9111 4.2.1)."""
    return (number(found[name]) or 0.0) if name in found else None


def storable_fields(fields: Fields, found: Directives) -> tuple[tuple[str, str], ...]:
    """The fields that are stored: not those of the connection, nor those that `no-cache` or `private` name."""
    named = ",".join(value for name in ("no-cache", "private") if (value := found.get(name)))
    listed = {member.lower() for member in members([*values(fields, "connection"), named])}
    return tuple((name, value) for name, value in fields if name.lower() not in NEVER_STORED | listed)


def freshened(stored: Fields, fresh: Fields) -> tuple[tuple[str, str], ...]:
    """The stored fields with those of a 304, or of an answer to HEAD, in place of the ones of their names (RFC 9111 3.2)."""
    taken = [field for field in fresh if field[0].lower() not in KEPT_AT_304]
    replaced = {name.lower() for name, _ in taken}
    return (*(field for field in stored if field[0].lower() not in replaced), *taken)


def vary_names(fields: Fields) -> tuple[str, ...] | None:
    """The request fields that the answer varies on, in lower case and sorted; None for `*`."""
    names = {member.lower() for member in members(values(fields, "vary"))}
    return None if "*" in names else tuple(sorted(names))


def normalized(texts: Iterable[str]) -> str:
    """A field's values as `Vary` compares them: lines joined, white space around commas removed (RFC 9111 4.1)."""
    return ",".join(members(texts))
