"""The fenced blocks of a page."""

import re
from pathlib import Path
from typing import NamedTuple

FENCE = re.compile(r"^```(\w+)(?: +(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Fence(NamedTuple):
    """One block: its language, the file it stands for if any, its text, and the line it begins on."""

    language: str
    file: str
    text: str
    line: int


def fences(page: Path) -> list[Fence]:
    """Every block of a page, in order."""
    text = page.read_text("utf-8")
    return [
        Fence(found[1], found[2] or "", found[3], text.count("\n", 0, found.start()) + 2)
        for found in FENCE.finditer(text)
    ]
