"""Why a default is what it is, as the docstring of its record says it: written once, shown by `explain`."""

from __future__ import annotations

import inspect
import re

REASONED = re.compile(r"(\([^()]*: [^()]*\))[,;]? +")
"""A parenthesis that gives a reason ends its clause: `(20: fewer prove nothing)`."""
SENTENCE_END = re.compile(r"\.(?: +(?=[A-Z`])|$)")
CONNECTIVE = re.compile(r"^(?:,|;|and|or|but|then) +", re.IGNORECASE)


def reason(record: type, field: str) -> str:
    """The clause about a field of a settings record: what it bounds, the default and the reason for it. Empty if none.

    The docstring names fields in backquotes, and tells the reason in parentheses behind.
    """
    name = f"`{field}`"
    clause = next((clause for clause in _clauses(inspect.getdoc(record) or "") if name in clause), None)
    if clause is None:
        return ""
    if clause.startswith(f"{name}: "):
        return clause.removeprefix(f"{name}: ")
    before, _, after = clause.partition(name)
    # Of "`a` x, `b` y, `c` z" only the part about b is wanted.
    others, _, own = before.rpartition(", ")
    before = own if "`" in others else before
    own, _, others = after.partition(", ")
    after = own if "`" in others else after
    return CONNECTIVE.sub("", f"{before}{name}{after}")


def _clauses(text: str) -> list[str]:
    sentences = SENTENCE_END.split(" ".join(text.split()))
    return [clause for sentence in sentences for clause in REASONED.sub(r"\1\n", sentence).split("\n")]
