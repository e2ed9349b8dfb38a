"""The settings that a transport is made with."""

from __future__ import annotations

from typing import Literal, NamedTuple

from callsheet.secret import Secret
from callsheet.settings.pool import Pool
from callsheet.settings.settings import Settings
from callsheet.settings.tls import TLS


class ConnectionSettings(NamedTuple):
    """The settings of a transport's connections, and so of all its requests.

    `proxy` is a URL with a port, a `Secret` if it contains a password. `is_home`: the transport is for the service's own
    origin, so it may read `.netrc`.
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
        """The connection settings among the settings of a service."""
        return cls(settings.tls, settings.pool, settings.http2, settings.proxy, settings.trust_env, settings.addresses)

    def for_other_origins(self) -> ConnectionSettings:
        """These settings without client certificate, `.netrc` and pins of the service's key, and with `verify` on."""
        return self._replace(tls=self.tls.elsewhere(), is_home=False)

    def for_exchange(self, tls: TLS) -> ConnectionSettings:
        """These settings for another server, such as a token endpoint: with its own `tls`, without `.netrc`."""
        return self._replace(tls=tls, is_home=False)
