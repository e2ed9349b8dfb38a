"""A transport made of two: one that proves who we are, for the service's own origin, and one that does not, for all others."""

from __future__ import annotations

from callsheet.call import Limits
from callsheet.events import WireFacts
from callsheet.http.request import Origin, Request
from callsheet.http.response import Response
from callsheet.transports.base import AsyncTransport, Transport


class ByOrigin:
    """Sends requests to the origin `home` by `at_home`, and all other requests by `elsewhere`."""

    def __init__(self, home: Origin, at_home: Transport, elsewhere: Transport) -> None:
        self._home = home
        self._at_home = at_home
        self._elsewhere = elsewhere

    def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """Send by the transport for the request's origin. Raises what that raises."""
        chosen = self._at_home if request.origin == self._home else self._elsewhere
        return chosen.send(request, limits)

    def close(self) -> None:
        """Close both transports."""
        self._at_home.close()
        self._elsewhere.close()


class AsyncByOrigin:
    """ByOrigin for two AsyncTransports."""

    def __init__(self, home: Origin, at_home: AsyncTransport, elsewhere: AsyncTransport) -> None:
        self._home = home
        self._at_home = at_home
        self._elsewhere = elsewhere

    async def send(self, request: Request, limits: Limits) -> tuple[Response, WireFacts | None]:
        """Send by the transport for the request's origin. Raises what that raises."""
        chosen = self._at_home if request.origin == self._home else self._elsewhere
        return await chosen.send(request, limits)

    async def aclose(self) -> None:
        """Close both transports."""
        await self._at_home.aclose()
        await self._elsewhere.aclose()
