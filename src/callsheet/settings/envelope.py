"""Where an API that answers 200 to everything tells in the body whether a call succeeded, and where its data is."""

from __future__ import annotations

from dataclasses import dataclass, field

from callsheet.settings.reasons import WHY, chosen

JSONScalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class BodyTest:
    """A test of one value of a JSON body: it equals one of several, or a pattern is found in its text.

    Without `equals` and `matches`, any value but null passes. A path that leads nowhere fails every test.
    """

    path: str = field(metadata={WHY: "A test of the value at a dotted `path` of a JSON body"})
    equals: tuple[JSONScalar, ...] | None = chosen(
        None, 'It is one of `equals` (of the same JSON type: `0` is neither `"0"` nor `false`)'
    )
    matches: str | None = chosen(None, "`matches` is found in its text")


@dataclass(frozen=True, slots=True)
class Envelope:
    """How a body says whether the call succeeded, and where its result or the text of its failure stands."""

    ok: BodyTest | None = chosen(None, "An answer is a success if `ok` holds (None: its status says it)")
    data: str | None = chosen(None, "its result stands at `data` (None: it is the whole body)")
    message: str | None = chosen(None, "the text that explains a failure at `message` (None: nowhere)")
