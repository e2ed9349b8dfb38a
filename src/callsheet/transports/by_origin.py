"""Two transports as one: the service's own origin has one that proves who we are, all others one that does not."""

from __future__ import annotations

from callsheet.call import Limits
from callsheet.events import WireFacts
from callsheet.http.request import Origin, Request
from callsheet.http.response import Response
from callsheet.transports.base import AsyncTransport, Transport


class ByOrigin:
    """Sends by `at_home` what goes to the service's own origin, and by `elsewhere` everything else."""

    def __init__(self, home: Origin, at_home: Transport, elsewhere: Transport) -> None:
        self._home = home
        self._at_home = at_home
        self._elsewhere = elsewhere

    def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """The answer. Raises what the transport raises."""
        chosen = self._at_home if request.origin == self._home else self._elsewhere
        return chosen.send(request, limits)

    def close(self) -> None:
        """Close both."""
        self._at_home.close()
        self._elsewhere.close()


class AsyncByOrigin:
    """The same for tasks."""

    def __init__(self, home: Origin, at_home: AsyncTransport, elsewhere: AsyncTransport) -> None:
        self._home = home
        self._at_home = at_home
        self._elsewhere = elsewhere

    async def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """The answer. Raises what the transport raises."""
        chosen = self._at_home if request.origin == self._home else self._elsewhere
        return await chosen.send(request, limits)

    async def aclose(self) -> None:
        """Close both."""
        await self._at_home.aclose()
        await self._elsewhere.aclose()
