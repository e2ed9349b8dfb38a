"""How much time is left until the headers of an answer are due."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import pycurl

from callsheet.transports.curl.transfer import Transfer

Left = Callable[[], float]
"""Gives the seconds that are left at the time of the call."""


def after_body(transfer: Transfer, seconds: float) -> Left:
    """Allow `seconds` from the end of the request's body to the answer's headers, and no limit after those."""
    began = time.monotonic()

    def left() -> float:
        """The seconds left. Called only when they may have run out or after a step of libcurl, so `getinfo` costs little."""
        sent = transfer.easy.getinfo(pycurl.POSTTRANSFER_TIME_T)
        if not sent:
            return seconds
        due = began + sent / 1e6 + seconds - time.monotonic()
        return due if due > 0 or not transfer.head.is_complete else math.inf

    return left


def left_for(transfer: Transfer, seconds: float) -> Left:
    """Allow `seconds` to the answer's headers, not counting the time to send a body that is read as it is sent."""
    if transfer.upload is not None:
        return after_body(transfer, seconds)
    until = time.monotonic() + seconds
    return lambda: until - time.monotonic()
