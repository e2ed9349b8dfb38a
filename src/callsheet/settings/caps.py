"""How large an answer may be."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Caps:
    """Bounds on one answer, so that no service can exhaust our memory.

    `response` bytes of decoded body (10 MiB: far above a usual JSON answer), `headers` bytes and `header_count` fields
    (64 KiB and 200: what common servers accept the other way round), `encodings` stacked content codings (5: libcurl's own bound).
    """

    response: int = 10 * MIB
    headers: int = 64 * KIB
    header_count: int = 200
    encodings: int = 5
