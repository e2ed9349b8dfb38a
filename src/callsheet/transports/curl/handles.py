"""The handles of one event loop: the idle ones, and for those in use the futures that tasks wait for."""

from __future__ import annotations

import asyncio
from typing import Any

from callsheet.errors import UsageError
from callsheet.process.forked import forget_after_fork
from callsheet.transports.curl.driver import Driver
from callsheet.transports.curl.guard import Allows
from callsheet.transports.curl.handle import Handle
from callsheet.transports.curl.options import CurlOptions
from callsheet.transports.refusals import CLOSED_IN_FLIGHT, OF_PARENT


class Handles:
    """A handle for each call in flight, all run by one driver; at most `most` are kept while idle."""

    def __init__(self, driver: Driver, most: int, allows: Allows | None) -> None:
        self.driver = driver
        self.in_flight: set[asyncio.Future[Any]] = set()
        self._most = most
        self._allows = allows
        self._idle: list[Handle] = []
        forget_after_fork(self)

    def take(self, constants: CurlOptions) -> Handle:
        """An idle handle, or a new one if none is idle, with these constant options."""
        if not self._idle:
            return self.new(constants)
        handle = self._idle.pop()
        handle.use(constants)
        return handle

    def new(self, constants: CurlOptions) -> Handle:
        """A handle that has made no request yet."""
        return Handle(constants, self.driver.kept, self._allows)

    def give_back(self, handle: Handle) -> None:
        """Keep a handle whose answer came whole for the next request, emptied of this one."""
        driver = self.driver
        if driver.is_of_parent:
            return
        if driver.is_closed or len(self._idle) >= self._most:
            handle.close()
            return
        handle.let_go()
        self._idle.append(handle)

    def drop(self, handle: Handle) -> None:
        """Destroy a handle whose transfer failed or was cut short, and close its connection."""
        self.driver.abort(handle)

    def close(self) -> None:
        """Raise UsageError in every task with a transfer in flight and close every connection, without waiting."""
        self._fail(CLOSED_IN_FLIGHT)
        self.driver.close()
        for handle in self._idle:
            handle.easy.close()
        self._idle.clear()

    def forget(self) -> None:
        """In a forked child, neither use nor close the driver and the handles: their connections are the parent's."""
        self.driver.leave_to_parent(self._idle)
        self._fail(OF_PARENT)

    def _fail(self, why: str) -> None:
        if not self.driver.loop.is_closed():
            for future in self.in_flight:
                if not future.done():
                    future.set_exception(UsageError(why))
