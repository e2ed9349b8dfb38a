"""Two transports as one: the service's own origin has one that proves who we are, all others one that does not."""

from __future__ import annotations

from callsheet.call import Limits
from callsheet.events import WireFacts
from callsheet.http.request import Origin, Request, origin_of
from callsheet.http.response import Response
from callsheet.settings.settings import Settings
from callsheet.settings.tls import TLS
from callsheet.transports.base import AsyncTransport, Transport
from callsheet.transports.curl.options import Wiring


def wiring_of(settings: Settings) -> Wiring:
    """What a service's transport is made for."""
    chosen = settings
    return Wiring(chosen.tls, chosen.pool, chosen.http2, chosen.proxy, chosen.trust_env, chosen.addresses)


def home_beside_others(settings: Settings) -> Origin | None:
    """The service's own origin, where it may go to others."""
    return origin_of(settings.base_url) if settings.allow_origins else None


def without_identity(wiring: Wiring) -> Wiring:
    """The wiring for other origins: no client certificate, no `.netrc`, no pins of the service's key, and verified."""
    return wiring._replace(tls=wiring.tls.elsewhere(), is_home=False)


def for_exchange(wiring: Wiring, tls: TLS) -> Wiring:
    """The wiring for an exchange with others, a token endpoint for one: under its own TLS, and without `.netrc`."""
    return wiring._replace(tls=tls, is_home=False)


class HomeAndElsewhere:
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


class AsyncHomeAndElsewhere:
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
