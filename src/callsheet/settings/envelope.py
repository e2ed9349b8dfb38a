"""Where an API that answers 200 to everything says whether it worked, and where its data is."""

from __future__ import annotations

from dataclasses import dataclass

JSONScalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class BodyTest:
    """A test of the value at a dotted `path` of a JSON body.

    It is one of `equals` (of the same JSON type: `0` is neither `"0"` nor `false`), or `matches` is found in its text.
    With neither, it is enough that there is a value other than null. A path that leads nowhere fails every test.
    """

    path: str
    equals: tuple[JSONScalar, ...] | None = None
    matches: str | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """An answer is a success if `ok` holds (None: its status says it); its result stands at `data` (None: it is the whole
    body), and the text that explains a failure at `message` (None: nowhere).
    """

    ok: BodyTest | None = None
    data: str | None = None
    message: str | None = None
