"""Plain data as it would be written on one line of a sheet."""

from __future__ import annotations

import json
import re
from typing import Any

from callsheet.sheet.tree.core_schema import resolve

PLAIN = re.compile(r"[A-Za-z0-9_./^$+*?<>=()|~-]([A-Za-z0-9_./^$+*?<>=()|~ -]*[A-Za-z0-9_./^$+*?<>=()|~-])?")
"""Texts that need no quotes in YAML's flow style, whatever is around them. Some other texts are quoted without need."""


def flow(value: Any) -> str:
    """The value in YAML's flow style; a text is quoted where it would be read as something else."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{flow(name)}: {flow(inner)}' for name, inner in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(flow, value))}]"
    if isinstance(value, str):
        is_plain = PLAIN.fullmatch(value) and value[0] not in "-?*=<>|" and isinstance(resolve(value), str)
        return value if is_plain else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)
