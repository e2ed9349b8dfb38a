"""What an answer means if its status does not tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from callsheet.settings.envelope import BodyTest

Consequence = Literal["fail", "retry", "ignore", "rate_limited", "refresh_token"]


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """An answer whose status is one of `statuses` (404, or `5xx` for a class; empty: any) and whose body passes the test
    means `then`; the first rule of a list that fits is the one that counts.

    `raises` names the error (None: the status's own, or ApplicationError below 400), `message` is the path of its text.
    """

    then: Consequence
    statuses: tuple[int | str, ...] = ()
    body: BodyTest | None = None
    raises: str | None = None
    message: str | None = None
