"""Durations, sizes, shares and rates: the text that people write, to a number and back."""

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
PERIODS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "day": 86400.0}
_RATE = re.compile(r"([0-9]{1,10}) ?/ ?(?:([0-9]{1,15}(?:\.[0-9]{1,9})?) ?)?(ms|s|min|m|h|day|d)")
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


def share(written: object) -> float | None:
    """`50%` or `0.5` as a share from 0 to 1; None if it is nothing of the kind."""
    amount, unit = _split(written[:-1].rstrip() if isinstance(written, str) and written.endswith("%") else written)
    if amount is None or unit:
        return None
    value = amount / 100 if isinstance(written, str) and written.endswith("%") else amount
    return value if 0 <= value <= 1 else None


def rate(written: object) -> tuple[int, float] | None:
    """`50/s`, `1000/min` or `10/100ms` as a count and its seconds; None if it is nothing of the kind."""
    match = _RATE.fullmatch(written.strip()) if isinstance(written, str) else None
    if match is None:
        return None
    amount = float(match[2] or 1)
    window = amount / 1000 if match[3] == "ms" else amount * PERIODS[match[3]]
    count = int(match[1])
    return (count, window) if count and SHORTEST <= window <= LONGEST else None


def per_second(written: object) -> float | None:
    """A number, 0 or more; None if it is nothing of the kind."""
    amount, unit = _split(written)
    return amount if amount is not None and amount >= 0 and not unit else None


def spelled_number(value: float) -> str:
    """A number without an exponent or needless digits: `10`, `0.25`."""
    return f"{value:.12g}" if value < 1e12 else str(int(value))


def spelled_seconds(value: float) -> str:
    """Seconds as a duration: `250ms`, `5s`, `2m`, `1h`."""
    if value < 1:
        return f"{spelled_number(value * 1000)}ms"
    for unit, least in (("h", 3600.0), ("m", 120.0)):
        if value >= least and value % SECONDS[unit] == 0:
            return f"{spelled_number(value / SECONDS[unit])}{unit}"
    return f"{spelled_number(value)}s"


def spelled_octets(value: int) -> str:
    """Bytes as a size, in the largest unit that leaves nothing over: `10MiB`, `5MB`, `999B`."""
    fitting = [unit for unit in ("GiB", "GB", "MiB", "MB", "KiB", "kB", "B") if value % BYTES[unit] == 0]
    return f"{value // BYTES[fitting[0]]}{fitting[0]}"


def spelled_share(value: float) -> str:
    """A share as per cent: `50%`."""
    return f"{spelled_number(value * 100)}%"


def spelled_rate(count: int, seconds: float) -> str:
    """A count and its seconds as a rate: `50/s`, `1000/min`, `10/100ms`."""
    units = {1.0: "s", 60.0: "min", 3600.0: "h", 86400.0: "day"}
    return f"{count}/{units.get(seconds) or spelled_seconds(seconds)}"


def _split(written: object) -> tuple[float | None, str]:
    if isinstance(written, bool):
        return None, ""
    if isinstance(written, int | float):
        return (float(written), "") if abs(written) < 1e15 and math.isfinite(written) else (None, "")
    match = _AMOUNT.fullmatch(written.strip()) if isinstance(written, str) else None
    return (float(match[1]), match[2]) if match else (None, "")
