"""Paths: each parameter of a template fills one segment, and no path leads away from the service's origin.

Everything outside RFC 3986's unreserved characters is percent-encoded in upper-case hex (2.1, 2.3), so nothing in a
value can begin another segment, a query or a fragment; dot segments (5.2.4) are refused in every spelling.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from callsheet.errors import ArgumentError, SheetError

PARAMETER = re.compile(r"\{([^{}]+)\}")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
LITERAL_SAFE = "/:@!$&'()*+,;=~%-._"
DOT_SEGMENTS = frozenset({".", ".."})
MOST_DECODINGS = 16
"""Times that a segment may have been percent-encoded. One that was encoded more often is refused as a dot segment is."""


def segment(text: str) -> str:
    """The text as one path segment, percent-encoded. Raises ValueError for a text that cannot be one."""
    if not text:
        raise ValueError("expected at least one character: an empty segment would name another resource")
    if _is_dot_segment(text):
        raise ValueError("`.` and `..` name another resource and are refused, percent-encoded too")
    return query_text(text)


def query_text(text: str) -> str:
    """One name or value of a query, percent-encoded. Raises ValueError for half a surrogate pair."""
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:
        raise ValueError("it holds half a surrogate pair, which has no UTF-8 form") from None


def _is_dot_segment(text: str) -> bool:
    """Whether the text is a dot segment, or becomes one if servers on the way percent-decode it, even repeatedly."""
    for _ in range(MOST_DECODINGS):
        decoded = unquote(text) if "%" in text else text
        if decoded == text:
            return text in DOT_SEGMENTS
        text = decoded
    return True


def split_template(template: str) -> tuple[list[str], list[str]]:
    """The literal pieces of a template, percent-encoded, and the parameter names between them: one more piece than names.

    Raises SheetError for a path that could lead away from the service's origin.
    """
    if not template.startswith("/") or template.startswith("//"):
        raise SheetError(
            f"path {template!r}: expected one that begins with one `/`; an operation stays on its base_url"
        )
    pieces = PARAMETER.split(template)
    return [quote(piece, safe=LITERAL_SAFE) for piece in pieces[::2]], pieces[1::2]


def checked_target(target: str) -> str:
    """Path and query of an undeclared request, ready for the wire. Raises ArgumentError."""
    if not isinstance(target, str):
        raise ArgumentError(f"path: expected text, found {type(target).__name__}")
    if not target.startswith("/") or target.startswith("//"):
        raise ArgumentError(
            f"path {target[:80]!r}: expected a path that begins with one `/`; a service's requests stay on its base_url"
        )
    if CONTROL.search(target):
        raise ArgumentError(f"path {target[:80]!r}: it holds a control character; remove it")
    path, mark, query = target.partition("?")
    if "#" in target:
        raise ArgumentError(f"path {target[:80]!r}: a fragment (`#`) is never sent; remove it, or write it as %23")
    if any(_is_dot_segment(step) for step in path.split("/")):
        raise ArgumentError(f"path {target[:80]!r}: `.` and `..` segments are refused")
    try:
        return quote(path, safe=LITERAL_SAFE) + mark + quote(query, safe=LITERAL_SAFE + "?[]")
    except UnicodeEncodeError:
        message = f"path {target[:80]!r}: it holds half a surrogate pair, which has no UTF-8 form"
        raise ArgumentError(message) from None
