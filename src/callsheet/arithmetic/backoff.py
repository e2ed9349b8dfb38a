"""How long to wait before the next attempt.

Full jitter (Brooker, "Exponential Backoff And Jitter", 2015): a random part of an exponentially growing ceiling, so
that callers who failed together do not come back together.
"""

from __future__ import annotations

LARGEST_EXPONENT = 62
"""With a larger exponent the ceiling is `most` anyway, and a float would overflow."""


def ceiling(number: int, first: float, most: float) -> float:
    """The longest pause before attempt `number` (2, 3 ...): `first` doubled each time, at most `most` seconds."""
    return float(min(most, first * 2 ** min(number - 2, LARGEST_EXPONENT)))


def pause(number: int, first: float, most: float, portion: float) -> float:
    """The pause before attempt `number`: `portion` (0 to 1, drawn by the caller) of the ceiling, in seconds."""
    return ceiling(number, first, most) * portion
