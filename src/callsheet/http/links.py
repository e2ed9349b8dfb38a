"""The Link field, read by the algorithm of RFC 8288 appendix B.2, which also says what fields outside the grammar mean."""

from __future__ import annotations

import re
from urllib.parse import unquote

TARGET = re.compile(r"[ \t,]*<([^>]*)>")
PARAMETER = re.compile(
    r"[ \t]*;[ \t]*([^ \t=;,]*)[ \t]*(?:=[ \t]*(?:\"((?:[^\"\\]|\\.)*)(?:\"|\\?\Z)|([^;,]*)))?[ \t]*", re.DOTALL
)
EXTENDED = re.compile(r"(utf-8|iso-8859-1)'[^']*'(.*)\Z", re.IGNORECASE | re.DOTALL)
"""A value with its charset and language (RFC 8187)."""


def parse_links(field: str) -> dict[str, dict[str, str]]:
    """The links by relation type, each with `url`, `rel` and its other parameters, a `title*` as `title`.

    Of two links of one relation, or two parameters of one name, the first counts; a link of another document, which has an
    `anchor` (RFC 8288 3.2), counts only where there is no other. What comes after the first part that cannot be
    read is left out.
    """
    links: dict[str, dict[str, str]] = {}
    found = TARGET.match(field)
    while found is not None:
        link = {"url": found[1].strip()}
        extended: dict[str, str] = {}
        at = found.end()
        while parameter := PARAMETER.match(field, at):
            at = parameter.end()
            name, quoted, plain = parameter[1].lower(), parameter[2], parameter[3]
            value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else (plain or "").rstrip(" \t")
            if name.endswith("*") and (coded := EXTENDED.match(value)):
                extended.setdefault(name[:-1], unquote(coded[2], coded[1]))
            elif name:
                link.setdefault(name, value)
        link |= {name: text for name, text in extended.items() if name not in ("", "url", "rel")}
        for relation in link.get("rel", "").split():
            known = links.get(relation.lower())
            if known is None or ("anchor" in known and "anchor" not in link):
                links[relation.lower()] = link
        found = TARGET.match(field, at)
    return links
