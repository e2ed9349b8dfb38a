"""Regular expressions for text that a service sends, by Rust's engine: its time is linear in the text.

Python's `re` backtracks. With an ordinary pattern a text of 200 kB keeps it busy for seconds, and no deadline ends that.
"""

from __future__ import annotations

import re

from pydantic_core import SchemaError, SchemaValidator, core_schema

LOOKED_AT = 16 * 1024
"""Characters of a text in which a pattern is looked for."""
MOST_PARTS = 2000
"""Parts of a pattern with its counted repetitions written out, which is what the engine's time is proportional to."""
PIECE = re.compile(
    r"\\[pPx]?\{[^}]*\}|\\.|\[\^?\]?(?:\[:\w+:\]|\\.|[^\]\\])*\]|\{(?P<least>[0-9]+)(?:,(?P<most>[0-9]*))?\}|.",
    re.DOTALL,
)


class Pattern:
    """A pattern in the syntax of Rust's regex. Raises ValueError, with what is wrong, for one that it cannot read."""

    def __init__(self, text: str) -> None:
        try:
            self._validator = SchemaValidator(core_schema.str_schema(pattern=text, regex_engine="rust-regex"))
        except SchemaError as error:
            wrong = str(error).splitlines()[-1].strip().removeprefix("SchemaError: ").removeprefix("error: ")
            raise ValueError(wrong) from None
        _check_parts(text)

    def is_in(self, text: str) -> bool:
        """Whether the pattern is found in the first LOOKED_AT characters of a text."""
        return self._validator.isinstance_python(text[:LOOKED_AT])


def _check_parts(pattern: str) -> None:
    """Raise ValueError for a pattern that is too large written out, or has a possessive repetition, which Rust reads as another."""
    groups, last, before = [0], 0, ""
    for piece in PIECE.finditer(pattern):
        text = piece[0]
        if text == "+" and before and (before in "*+?" or before[0] == "{"):
            raise ValueError("possessive repetitions are not supported")
        before = text
        if text == "(":
            groups.append(0)
            continue
        if piece["least"]:
            groups[-1] -= last
            last *= max(int(piece["least"]), int(piece["most"] or 0), 1)
        elif text == ")" and len(groups) > 1:
            last = groups.pop()
        elif text not in "*+?|":
            last = 1
        else:
            continue
        groups[-1] += last
    if sum(groups) > MOST_PARTS:
        raise ValueError(f"with its counted repetitions written out it has more than {MOST_PARTS} parts")
