"""Whether a 3xx is followed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MOST_HOPS = 5


@dataclass(frozen=True, slots=True)
class Redirects:
    """Follow redirects on the `same-origin`, at most `max` per call (5: a service needs one or two; more is a loop).

    One to an origin in `allow_origins` counts as such. Where redirects are off, there is no such record.
    """

    follow: Literal["same-origin"] = "same-origin"
    max: int = MOST_HOPS
