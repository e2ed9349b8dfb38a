"""Whether a request carries a key by which the service knows a repetition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """The `header` that carries the key, the same in all attempts of a call (draft-ietf-httpapi-idempotency-key-header).

    `quoted`: as the structured string of the draft; most services today take it bare (false). `source`: `auto` makes one
    for each POST and PATCH whose caller gave none; with `argument` the caller must give it.
    """

    header: str = "Idempotency-Key"
    quoted: bool = False
    source: Literal["auto", "argument"] = "auto"
