"""Whether a 3xx is followed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from callsheet.settings.reasons import chosen


@dataclass(frozen=True, slots=True)
class Redirects:
    """Redirects are followed within the service's own origin, and to the origins in `allow_origins`.

    Where redirects are off, there is no such record.
    """

    follow: Literal["same-origin"] = "same-origin"
    max: int = chosen(5, "at most `max` per call (5: a service needs one or two; more is a loop)")
