"""Time limits of transfers that an event loop drives: on a silent connection, and on the answer's headers."""

from __future__ import annotations

import math

import pycurl

from callsheet.transports.curl.driver import Driver, Finished
from callsheet.transports.curl.due import Left
from callsheet.transports.curl.transfer import Transfer


class QuietGuard:
    """Ends a transfer if no byte moves on its connection for some seconds after the request was sent.

    Time in which the caller has no bytes of the request's body ready does not count.
    """

    def __init__(self, driver: Driver, transfer: Transfer, seconds: float, finished: Finished) -> None:
        self._driver = driver
        self._transfer = transfer
        self._seconds = seconds
        self._finished = finished
        self._since = driver.loop.time()
        driver.counts_moves += 1
        self._timer = driver.loop.call_later(seconds, self._look)

    def _look(self) -> None:
        driver, transfer = self._driver, self._transfer
        if driver.is_closed:
            return
        now = driver.loop.time()
        upload = transfer.upload
        if not transfer.sends or (upload is not None and upload.is_waiting):
            self._since = now
        elif upload is not None:
            self._since = max(self._since, upload.touched)
        fd = transfer.easy.getinfo(pycurl.ACTIVESOCKET)
        quiet_at = max(self._since, driver.moved.get(fd, 0.0)) + self._seconds
        if now < quiet_at:
            self._timer = driver.loop.call_at(quiet_at, self._look)
        else:
            transfer.was_quiet = True
            self._finished(pycurl.E_OPERATION_TIMEDOUT, "")

    def stop(self) -> None:
        """Cancel the timer, because the transfer is over."""
        self._timer.cancel()
        self._driver.counts_moves -= 1


class DueGuard:
    """Ends a transfer when `left` gives 0 seconds."""

    def __init__(self, driver: Driver, left: Left, finished: Finished) -> None:
        self._driver = driver
        self._left = left
        self._finished = finished
        self._timer = driver.loop.call_later(left(), self._look)

    def _look(self) -> None:
        left = self._left()
        if left <= 0:
            self._finished(pycurl.E_OPERATION_TIMEDOUT, "")
        elif left < math.inf:
            self._timer = self._driver.loop.call_later(left, self._look)

    def stop(self) -> None:
        """Cancel the timer, because the transfer is over."""
        self._timer.cancel()
