"""Which fields, headers and parameters hold a credential, told by their names."""

from __future__ import annotations

import re

from callsheet.secret import MASK

NAMES = re.compile(
    r"authoriz|cookie|passw|secret|token|api[-_]?key|credential|private[-_]?key|signature|session|\bauth\b|client[-_]assertion",
    re.IGNORECASE,
)
"""Names of fields, headers and parameters that hold a credential."""
PAGING = re.compile(
    r"(?:page|next|prev\w*|continuation|sync|cursor|start)[-_]?token|tokens(?:\Z|[-_])|token[-_]?(?:type|ur[il]|endpoint)|"
    r"\Aaccess-control-|[-_](?:expir\w*|ttl|timeout|count|limit|length|type|version|policy|enabled|required|algorithm)\Z",
    re.IGNORECASE,
)
"""Such names that hold no credential: of a page, a count of tokens, a token's type, what CORS allows, how long a session is."""
IN_TEXT = re.compile(
    rf"""(?P<head>"?(?<![\w-])(?P<name>[\w-]{{0,64}}?(?:{NAMES.pattern})[\w-]{{0,64}})"?\s*[:=]\s*"?(?:(?:bearer|basic)\s+)?)"""
    r"""(?P<value>[^\s"'&,;<>{}]{4,})""",
    re.IGNORECASE,
)
"""Such a name and its value in a text that is not one JSON document: lines of JSON, events, a query in a Location."""


def names_a_credential(name: str) -> bool:
    """Whether a field, header or parameter of this name holds a credential."""
    return NAMES.search(name) is not None and PAGING.search(name) is None


def without_named(text: str) -> str:
    """The text, with `***` for each value beside the name of a credential: `access_token=***`."""
    return IN_TEXT.sub(lambda found: found["head"] + MASK if names_a_credential(found["name"]) else found[0], text)
