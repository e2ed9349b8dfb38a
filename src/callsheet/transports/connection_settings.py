"""What a transport is made for."""

from __future__ import annotations

from typing import Literal, NamedTuple

from callsheet.secret import Secret
from callsheet.settings.pool import Pool
from callsheet.settings.settings import Settings
from callsheet.settings.tls import TLS


class ConnectionSettings(NamedTuple):
    """The settings that hold for connections, and so for all requests of a transport.

    `proxy` is a URL with its port; one that holds a password is a `Secret`. `is_home`: it is for the service's own origin,
    where it may prove who we are.
    """

    tls: TLS = TLS()
    pool: Pool = Pool()
    http2: bool = False
    proxy: str | Secret | None = None
    trust_env: bool = False
    addresses: Literal["any", "public"] = "any"
    is_home: bool = True

    @classmethod
    def of(cls, settings: Settings) -> ConnectionSettings:
        """Those of a service."""
        chosen = settings
        return cls(chosen.tls, chosen.pool, chosen.http2, chosen.proxy, chosen.trust_env, chosen.addresses)

    def for_other_origins(self) -> ConnectionSettings:
        """The same without client certificate, `.netrc` and pins of the service's key, and with certificates verified."""
        return self._replace(tls=self.tls.elsewhere(), is_home=False)

    def for_exchange(self, tls: TLS) -> ConnectionSettings:
        """The same for an exchange with others, such as a token endpoint: under their own TLS, without `.netrc`."""
        return self._replace(tls=tls, is_home=False)
