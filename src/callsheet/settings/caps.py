"""How large an answer may be."""

from __future__ import annotations

from dataclasses import dataclass

from callsheet.settings.reasons import chosen

KIB = 1024
MIB = 1024 * KIB
HEADERS = "`headers` bytes and `header_count` fields (64 KiB and 200: what common servers accept the other way round)"


@dataclass(frozen=True, slots=True)
class Caps:
    """Bounds on one answer, so that no service can exhaust our memory."""

    response: int = chosen(10 * MIB, "`response` bytes of decoded body (10 MiB: far above a usual JSON answer)")
    headers: int = chosen(64 * KIB, HEADERS)
    header_count: int = chosen(200, HEADERS)
    encodings: int = chosen(5, "`encodings` stacked content codings (5: libcurl's own bound)")
