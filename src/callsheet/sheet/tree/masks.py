"""Which parts of a sheet's text no message shows: values that are, or may be, credentials."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

SECRET_KEYS = frozenset({"auth", "sign", "headers", "cookies", "proxy"})
"""Every value below one of these keys may be a credential."""

SECRET_TEXTS = frozenset({"bearer", "username", "password", "value", "token", "secret", "client_secret"})

CREDENTIAL = re.compile(
    r"(?i)pass(word|wd|phrase)|secret|token|credential|bearer|basic|authori[sz]ation|cookie|api[-_]?key|private[-_]?key|"
    r"signature|^key$|^pwd$|^value$|user(name)?$"
)
"""Keys, and names of headers, whose value is or may be a credential."""

CREDENTIAL_HEADER = re.compile(r"(?i)pass(word|wd|phrase)|secret|token|authori[sz]ation|cookie|api[-_]?key")
"""Names of headers whose value is a credential, even if it is written out on the sheet."""

HARMLESS_KEYS = frozenset({
    "callsheet", "default_environment", "services", "environments", "defaults", "operations", "base_url", "description",
    "owner", "docs", "timeout", "connect", "read", "attempt", "total", "retry", "attempts", "backoff", "first", "max",
    "statuses", "methods", "idempotent", "safe", "cache", "ttl", "concurrency", "limit", "queue", "pool", "connections", "idle", "lifetime",
    "caps", "response", "header_count", "encodings", "tls", "min_version", "ca", "extra_ca", "cert", "pins", "verify",
    "http2", "redirects", "follow", "trust_env", "allow_origins", "addresses", "compress", "get", "post", "put",
    "patch", "delete", "head", "options", "path", "query", "json", "form", "multipart", "content", "stream", "returns",
    "summary", "tags", "deprecated", "type", "required", "enum", "minimum", "maximum", "pattern", "items",
})  # fmt: skip
"""Keys whose value may be shown, even in a text that could not be parsed."""

KEYWORDS = HARMLESS_KEYS | {"value", "default", "secret", "format", "const", "properties", "minLength", "maxLength"}
"""Keys that no text whose quotes were forgotten looks like."""
NAMED_BELOW = frozenset({"services", "environments", "operations"})
"""Keys above names that users choose: an operation may be called `auth`."""
METHODS = frozenset({"get", "put", "post", "patch", "delete", "head", "options"})

VARIABLE_ALONE = re.compile(r"(?:[A-Za-z]+ )?\$\{(?:[A-Za-z_][A-Za-z0-9_]*|file:[^{}$]*)\}")
SWITCHED = frozenset({"", "$", "off", "on", "true", "false", "null", "~", "yes", "no", "none"})

_KEY = re.compile(r"""(?:^\s*(?:[-?]\s+)*|[{,\[]\s*)(["']?)([A-Za-z_][\w-]*)\1\s*:(?=\s|$)""")
_URL_PARTS = re.compile(r"(?<=://)[^/\s\"']*@|(?<=[?#])[^\s\"'},]+(?=[\s\"'},]|$)")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://[^\s\"'},]*")  # bounded: a long word is looked at once
_WORD = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}|[^\s{}\[\],:\"'#$]{1,}")


def is_secret_place(keys: Sequence[str]) -> bool:
    """Whether a value under these keys, outermost first, may be a credential."""
    if tuple(keys[-2:]) == ("caps", "headers"):
        return False
    words = [key for index, key in enumerate(keys) if not _is_name(keys, index)]
    return not SECRET_KEYS.isdisjoint(words) or bool(keys and CREDENTIAL.search(keys[-1]))


def _is_name(keys: Sequence[str], index: int) -> bool:
    """Whether a key is a name that was chosen, as what stands below it shows: `get` below `auth`, where an operation is called so."""
    return index > 0 and keys[index - 1] in NAMED_BELOW and index + 1 < len(keys) and keys[index + 1] in HARMLESS_KEYS


def holds_no_keys(keys: Sequence[str]) -> bool:
    """Whether the value under these keys must be a text; a mapping there is a text whose quotes were forgotten."""
    return bool(keys) and keys[-1] in SECRET_TEXTS


def is_showable(text: str) -> bool:
    """Whether a text at a secret place may be shown: it is only a variable's name, or a switch such as `off`."""
    return text in SWITCHED or VARIABLE_ALONE.fullmatch(text) is not None


def hidden_in_urls(line: str) -> Iterator[tuple[int, int]]:
    """The user info, query and fragment of every URL in a line."""
    for url in _URL.finditer(line):
        for part in _URL_PARTS.finditer(line, *url.span()):
            yield part.span()


def hidden_by_words(lines: Sequence[str], index: int) -> Iterator[tuple[int, int]]:
    """The spans to mask in a line of a text that could not be parsed: every value whose key is not known as harmless."""
    line = lines[index] if 0 <= index < len(lines) else ""
    keys = [(match.span(2), match.group(2)) for match in _KEY.finditer(line)]
    above = list(_ancestors(lines, index)) if line else []
    ends, spans = [span[1] for span, _ in keys], {span for span, _ in keys}
    # Of the keys that end before a word: how many there are until one below which everything may be a credential.
    first_secret = next((at for at, (_, name) in enumerate(keys) if name in SECRET_KEYS), len(keys))
    is_below_secret = not SECRET_KEYS.isdisjoint(above)
    for word in _WORD.finditer(line):
        count = bisect_right(ends, word.start())
        nearest = [keys[count - 1][1]] if count else above[:1]
        is_secret = is_below_secret or count > first_secret
        is_shown = HARMLESS_KEYS.issuperset(nearest or ["?"]) and not is_secret
        is_key = word.span() in spans
        is_path = word.group().startswith("/") and not METHODS.isdisjoint(nearest)
        if not (is_shown or is_path or is_key or word.group().startswith("${") or _is_short(word.group())):
            yield word.span()


def _is_short(word: str) -> bool:
    return len(word) < 2 and not word.isalnum()


def _ancestors(lines: Sequence[str], index: int) -> Iterator[str]:
    depth = _indent(lines[index])
    for line in reversed(lines[:index]):
        if line.strip() and not line.lstrip().startswith("#") and _indent(line) < depth:
            depth = _indent(line)
            yield from (match.group(2) for match in reversed(list(_KEY.finditer(line))))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
