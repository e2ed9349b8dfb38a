"""Durations and sizes as people write them."""

from __future__ import annotations

import math
import re

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
BYTES = {
    "": 1,
    "B": 1,
    "kB": 1000,
    "KB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
}
_AMOUNT = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?([A-Za-z]*)")
SHORTEST = 0.001
LONGEST = 366 * 24 * 3600.0
LARGEST = 1024**4


def seconds(written: object) -> float | None:
    """`250ms`, `5s`, `2m`, `1h` or a number of seconds as seconds; None if it is nothing of the kind."""
    amount, unit = _split(written)
    if amount is None or unit not in {*SECONDS, ""}:
        return None
    # Division by a whole number keeps 250 ms at exactly 0.25.
    value = amount / 1000 if unit == "ms" else amount * SECONDS.get(unit, 1.0)
    return value if SHORTEST <= value <= LONGEST else None


def octets(written: object) -> int | None:
    """`10MiB`, `5MB`, `64KiB` or a number as bytes; None if it is nothing of the kind."""
    amount, unit = _split(written)
    if amount is None or unit not in BYTES:
        return None
    value = round(amount * BYTES[unit])
    return value if 1 <= value <= LARGEST and value == amount * BYTES[unit] else None


def _split(written: object) -> tuple[float | None, str]:
    if isinstance(written, bool):
        return None, ""
    if isinstance(written, int | float):
        return (float(written), "") if abs(written) < 1e15 and math.isfinite(written) else (None, "")
    match = _AMOUNT.fullmatch(written.strip()) if isinstance(written, str) else None
    return (float(match[1]), match[2]) if match else (None, "")
