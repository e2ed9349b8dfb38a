"""When an answer is due."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import pycurl

from callsheet.transports.curl.transfer import Transfer, final_block

Left = Callable[[], float]
"""The seconds that are left now."""


def from_now(seconds: float) -> Left:
    """So many seconds, from now on."""
    until = time.monotonic() + seconds
    return lambda: until - time.monotonic()


def after_body(transfer: Transfer, seconds: float) -> Left:
    """So many seconds from the end of the request's body to the answer's headers; no limit once those are there."""
    began = time.monotonic()

    def left() -> float:
        """Asked seldom: when all of it has passed, or libcurl has just done something."""
        sent = transfer.easy.getinfo(pycurl.POSTTRANSFER_TIME_T)
        if not sent:
            return seconds
        due = began + sent / 1e6 + seconds - time.monotonic()
        return due if due > 0 or final_block(transfer.lines) is None else math.inf

    return left


def left_for(transfer: Transfer, seconds: float) -> Left:
    """The time to the answer's headers: of a body that is read as it is sent, the time to send it does not count."""
    return from_now(seconds) if transfer.upload is None else after_body(transfer, seconds)
