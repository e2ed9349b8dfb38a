"""The result of a call that failed through no fault of its caller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Fallback:
    """The result is `value`, or what the function `python` (`module:function`, or itself) makes of the error.

    `where` is the place on the sheet.
    """

    value: Any = None
    python: str | Callable[..., Any] | None = None
    where: str = ""
