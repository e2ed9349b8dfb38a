"""Chooses the charset to decode an answer's text with."""

from __future__ import annotations

import codecs
import encodings
import pkgutil
from encodings.aliases import aliases
from functools import cache

PROBE = b"a"
NO_CHARSET = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
"""Python's codecs that are not charsets: its own escapes and those of host names."""
LONGEST_NAME = 60
"""Characters in the name of a charset. Each of a longer one would have to be looked at."""
MARK = "\ufeff"
"""A decoded byte order mark: it tells the encoding and is not part of the text."""


def usable(charset: str) -> str:
    """The charset if Python can decode text from it, else UTF-8. A service may name any codec, and some of Python's
    decode bytes to bytes (zlib, hex). Only names of Python's own codecs are looked up, since Python keeps every other name
    that it is asked for in memory.
    """
    if len(charset) > LONGEST_NAME or not charset.isascii():
        return "utf-8"
    if encodings.normalize_encoding(charset.lower()).replace(".", "_") not in names_of_codecs():
        return "utf-8"
    try:
        PROBE.decode(charset, "replace")
        return "utf-8" if codecs.lookup(charset).name.replace("_", "-") in NO_CHARSET else charset
    except (LookupError, ValueError):
        return "utf-8"


@cache
def names_of_codecs() -> frozenset[str]:
    """The names of Python's codecs, as `encodings.normalize_encoding` spells them."""
    modules = (module.name for module in pkgutil.iter_modules(encodings.__path__))
    return frozenset((*modules, *aliases, *aliases.values()))
