"""Whether a request carries a key by which the service recognises a repetition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from callsheet.settings.reasons import chosen


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """How a request carries its key, and who makes the key: Callsheet or the caller."""

    header: str = chosen(
        "Idempotency-Key",
        "The `header` that carries the key, the same in all attempts of a call "
        "(draft-ietf-httpapi-idempotency-key-header)",
    )
    quoted: bool = chosen(False, "as the structured string of the draft; most services today take it bare (false)")
    source: Literal["auto", "argument"] = chosen(
        "auto",
        "`auto` makes one for each POST and PATCH whose caller gave none; with `argument` the caller must give it",
    )
