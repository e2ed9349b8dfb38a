"""Chooses the charset to decode an answer's text with."""

from __future__ import annotations

import codecs

PROBE = b"a"
NO_CHARSET = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
"""Python's codecs that are not charsets: its own escapes and those of host names."""
MARK = "\ufeff"
"""A decoded byte order mark: it tells the encoding and is not part of the text."""


def usable(charset: str) -> str:
    """The charset if Python can decode text from it, else UTF-8. A service may name any codec, and some of Python's
    decode bytes to bytes (zlib, hex).
    """
    try:
        PROBE.decode(charset, "replace")
        return "utf-8" if codecs.lookup(charset).name.replace("_", "-") in NO_CHARSET else charset
    except (LookupError, ValueError):
        return "utf-8"
