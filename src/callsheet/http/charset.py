"""Which charset a text is in."""

from __future__ import annotations

import codecs

PROBE = b"a"
NO_CHARSET = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
"""Codecs of Python's own and of host names."""
MARK = "\ufeff"
"""A byte order mark, decoded: it says how a text is written and is no part of it."""


def usable(charset: str) -> str:
    """The charset if Python can read texts in it, else UTF-8: a service may name any codec, and those of bytes (zlib,
    hex) are none of text.
    """
    try:
        PROBE.decode(charset, "replace")
        return "utf-8" if codecs.lookup(charset).name.replace("_", "-") in NO_CHARSET else charset
    except (LookupError, ValueError):
        return "utf-8"
