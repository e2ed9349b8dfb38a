"""The Link field (RFC 8288)."""

from __future__ import annotations

import re

LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[^\s=;,]+(?:\s*=\s*(?:\"(?:[^\"\\]|\\.)*\"|[^\s\",;]+))?)*)")
PARAMETER = re.compile(r";\s*([^\s=;,]+)(?:\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s\",;]+)))?")


def parse_links(field: str) -> dict[str, dict[str, str]]:
    """The links by relation type, each with `url`, `rel` and its other parameters. Malformed parts are left out."""
    links: dict[str, dict[str, str]] = {}
    for url, parameters in LINK.findall(field):
        link = {"url": url.strip()}
        for name, quoted, plain in PARAMETER.findall(parameters):
            link.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) if quoted else plain)
        for relation in link.get("rel", "").split():
            links.setdefault(relation.lower(), link)
    return links
