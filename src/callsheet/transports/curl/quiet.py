"""The limit on how long no byte moves, for transfers that an event loop drives."""

from __future__ import annotations

import pycurl

from callsheet.transports.curl.driver import Driver, Finished
from callsheet.transports.curl.transfer import Transfer


class QuietGuard:
    """Ends a transfer on whose connection no byte has moved for some seconds, counted from when the request was sent."""

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
        if not transfer.sends:
            self._since = now
        fd = transfer.easy.getinfo(pycurl.ACTIVESOCKET)
        quiet_at = max(self._since, driver.moved.get(fd, 0.0)) + self._seconds
        if now < quiet_at:
            self._timer = driver.loop.call_at(quiet_at, self._look)
        else:
            transfer.was_quiet = True
            self._finished(pycurl.E_OPERATION_TIMEDOUT, "")

    def stop(self) -> None:
        """The transfer is over."""
        self._timer.cancel()
        self._driver.counts_moves -= 1
