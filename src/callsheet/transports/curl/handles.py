"""The handles of one event loop: those that are idle, to take from, and the futures of the tasks that wait for the others."""

from __future__ import annotations

import asyncio
from typing import Any

from callsheet.errors import CLOSED, UsageError
from callsheet.process.forked import forget_after_fork
from callsheet.transports.curl.driver import Driver
from callsheet.transports.curl.guard import Allows
from callsheet.transports.curl.handle import Constants, Handle

CLOSED_IN_FLIGHT = f"{CLOSED}: it was closed while this call was in flight"


class Handles:
    """A handle for each call in flight, all run by one driver; at most `most` are kept while idle."""

    def __init__(self, driver: Driver, most: int, allows: Allows | None) -> None:
        self.driver = driver
        self.in_flight: set[asyncio.Future[Any]] = set()
        self._most = most
        self._allows = allows
        self._idle: list[Handle] = []
        forget_after_fork(self)

    def take(self, constants: Constants) -> Handle:
        """An idle handle, else a new one, that has these constant options."""
        if not self._idle:
            return self.new(constants)
        handle = self._idle.pop()
        handle.use(constants)
        return handle

    def new(self, constants: Constants) -> Handle:
        """A handle that has made no request yet."""
        return Handle(constants, self.driver.kept, self._allows)

    def give_back(self, handle: Handle) -> None:
        """Keep the handle of a whole answer for the next request, without what it holds of this one."""
        driver = self.driver
        if driver.is_of_parent:
            return
        if driver.is_closed or len(self._idle) >= self._most:
            handle.close()
            return
        handle.let_go()
        self._idle.append(handle)

    def drop(self, handle: Handle) -> None:
        """Destroy a handle that is in the middle of something, and its connection with it."""
        self.driver.abort(handle)

    def close(self) -> None:
        """End what is in flight and close every connection. The tasks that wait get a UsageError; never waits itself."""
        if not self.driver.loop.is_closed():
            for future in self.in_flight:
                if not future.done():
                    future.set_exception(UsageError(CLOSED_IN_FLIGHT))
        self.driver.close()
        for handle in self._idle:
            handle.easy.close()
        self._idle.clear()

    def forget(self) -> None:
        """Leave the driver and the handles to the parent, neither used nor closed: this is a forked child."""
        self.driver.leave_to_parent(self._idle)
