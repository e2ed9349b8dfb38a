"""The URL of a Valkey or Redis."""

from __future__ import annotations

import re

from callsheet.secret import Secret
from callsheet.sheet.forms.reading import FormOf, Reading, Spot
from callsheet.sheet.forms.scalars import text_or_secret
from callsheet.sheet.tree.findings import Misfit
from callsheet.sheet.tree.node import Node, Scalar, hide

EXPECTED = "`memory`, or the URL of a Valkey or Redis such as `valkey://127.0.0.1:6379/0`"
URL = re.compile(
    r"(?:(?:valkey|redis)s?://(?:[^\s@/?#]*@)?(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?(?:/[0-9]{0,3})?"
    r"|unix://(?:[^\s@/?#]*@)?/[^\s?#]+(?:\?db=[0-9]{1,3})?)"
)
SCHEME = re.compile(r"(?:valkey|redis)s?://|unix://")


def is_server(text: str) -> bool:
    """Whether it begins as the URL of a Valkey or Redis does."""
    return SCHEME.match(text) is not None


def _store_url(node: Node, spot: Spot, reading: Reading) -> str | Secret | None:
    """The URL, a secret if it holds a password; None for `memory`."""
    text = text_or_secret(node, spot, reading, EXPECTED)
    if text == "memory":
        return None
    if text.startswith("sqlite:"):
        raise Misfit(node.place, f"{spot}: limits are not counted in SQLite", "write `memory` or a `valkey://` URL")
    match = URL.fullmatch(text)
    if "@" in text:
        hide(node)
    if match is None or not 0 < int(match["port"] or 1) < 65536:
        raise Misfit(node.place, f"{spot}: expected {EXPECTED}", "in a password, write `@` as %40 and `/` as %2F")
    assert isinstance(node, Scalar)
    return reading.secret(node, spot) if isinstance(node.value, Secret) or "@" in text else text


STORE_URL = FormOf(_store_url, {"type": "string", "pattern": r"^memory$|^(valkey|redis)s?://|^unix://|\$\{"})
