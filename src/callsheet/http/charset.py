"""Decodes an answer's text by the label of its charset, as the WHATWG Encoding standard reads labels, and browsers do.

A label of the standard means what it says there: `gb2312` is GBK, `latin-1` is windows-1252. Python's further charsets are known, too.
"""

from __future__ import annotations

import codecs
import encodings
import pkgutil
from encodings.aliases import aliases
from functools import cache
from typing import Any

import webencodings

PROBE = b"a"
NO_CHARSET = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
"""Python's codecs that are not charsets: its own escapes and those of host names."""
LONGEST_NAME = 60
"""Characters in the name of a charset. Each of a longer one would have to be looked at."""
MARK = "\ufeff"
"""A decoded byte order mark: it tells the encoding and is not part of the text."""
BY_STANDARD = "callsheet.whatwg"
"""The name under which Python knows `_standard_character`."""
UTF_16 = frozenset({"utf-16le", "utf-16be"})
REPLACED = frozenset({"replacement", "x-user-defined"})
"""Of these two, which are for browsers, the bytes outside ASCII are no text; the first is to hide ISO-2022-KR and the like."""


def usable(charset: str) -> str:
    """The charset if text can be decoded from it, else UTF-8. A service may name any codec, and some of Python's
    decode bytes to bytes (zlib, hex). Only names of Python's own codecs are looked up, since Python keeps every other name
    that it is asked for in memory.
    """
    if len(charset) > LONGEST_NAME or not charset.isascii():
        return "utf-8"
    if webencodings.lookup(charset) is not None:
        return charset
    if encodings.normalize_encoding(charset.lower()).replace(".", "_") not in names_of_codecs():
        return "utf-8"
    try:
        PROBE.decode(charset, "replace")
        return "utf-8" if codecs.lookup(charset).name.replace("_", "-") in NO_CHARSET else charset
    except (LookupError, ValueError):
        return "utf-8"


def text_of(content: bytes, charset: str) -> str:
    """The text without its byte order mark, which says in UTF-16 which way round it is. What does not fit is U+FFFD."""
    standard = webencodings.lookup(charset)
    try:
        if standard is None:
            text = content.decode(charset, "replace")
        elif standard.name in UTF_16:
            return str(webencodings.decode(content, standard)[0])
        else:
            text = str(_decoded_as(standard).codec_info.decode(content, BY_STANDARD)[0])
    except ValueError:  # a charset that does not support `replace`
        text = content.decode("utf-8", "replace")
    return text.removeprefix(MARK)


def decoder_for(charset: str) -> Any:
    """An incremental decoder of the charset, with its `decode`; UTF-8 for one that cannot be decoded piece by piece."""
    charset = usable(charset)
    standard = webencodings.lookup(charset)
    if standard is not None and standard.name in UTF_16:
        return webencodings.IncrementalDecoder(standard)
    if standard is not None:
        return _decoded_as(standard).codec_info.incrementaldecoder(BY_STANDARD)
    try:
        return codecs.getincrementaldecoder(charset)("replace")
    except LookupError:
        return codecs.getincrementaldecoder("utf-8")("replace")


def _decoded_as(encoding: Any) -> Any:
    """The encoding whose decoder the standard prescribes."""
    if encoding.name in REPLACED:
        return ASCII
    return webencodings.lookup("gb18030") if encoding.name == "gbk" else encoding


def _standard_character(error: UnicodeError) -> tuple[str | bytes, int]:
    """The character for bytes that Python's charset has not: a control character or the euro sign where the standard has one."""
    assert isinstance(error, UnicodeDecodeError)
    byte = error.object[error.start]
    if error.encoding == "charmap" and 0x80 <= byte <= 0x9F:
        return chr(byte), error.start + 1
    if error.encoding == "gb18030" and byte == 0x80:
        return "\u20ac", error.start + 1
    return codecs.replace_errors(error)


codecs.register_error(BY_STANDARD, _standard_character)
ASCII = webencodings.Encoding("ascii", codecs.lookup("ascii"))


@cache
def names_of_codecs() -> frozenset[str]:
    """The names of Python's codecs, as `encodings.normalize_encoding` spells them."""
    modules = (module.name for module in pkgutil.iter_modules(encodings.__path__))
    return frozenset((*modules, *aliases, *aliases.values()))
